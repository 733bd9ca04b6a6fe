// The panel with everything pictures can be filtered by.

import { element, setText } from "./element.js";
import { isEmptyFilter, normal, toggled } from "./filter.js";
import { FilterDates } from "./filter_dates.js";
import { FilterKeywords } from "./filter_keywords.js";
import { FilterValues } from "./filter_values.js";
import { startPopover } from "./popover.js";
import { COLLECTIONS, FILTER } from "./words_filter.js";

const KNOWN = ["status", "label", "origin", "orientation", "refs"];
const OPEN = ["type", "endpoint", "owner", "preset"];

/** The rating menu: at least, or exactly so many stars. */
export class RatingMenu {
  #parts;
  #facets;
  #filter = null;

  constructor(button, panel, facets, choose) {
    const toggle = (name, value) => choose(toggled(this.#filter, name, value));
    this.#facets = facets;
    this.#parts = ["minRating", "rating"].map((name) => new FilterValues(name, { toggle }));
    panel.append(...this.#parts.map(({ node }) => node));
    startPopover(button, panel, { opened: () => facets.watch(), closed: () => facets.unwatch() });
    facets.addEventListener("changed", () => this.#draw());
  }

  show(filter) {
    this.#filter = filter;
    this.#draw();
  }

  #draw() {
    for (const part of this.#parts) part.draw(this.#filter, (name, value) => this.#facets.count(name, value));
  }
}

/** All conditions; `save()` keeps the filter as a collection, null when this visitor may not. */
export class FilterMenu {
  #facets;
  #collections;
  #endpoints;
  #filter = null;
  #values;
  #open;
  #collection;
  #dates;
  #keywords;
  #count = element("span", { class: "panel-count", role: "status" });
  #hint = element("p", { class: "hint", role: "status" });
  #clear;
  #save;

  constructor(button, panel, { api, facets, collections, endpoints, isMember, choose, save }) {
    const toggle = (name, value) => choose(toggled(this.#filter, name, value));
    this.#facets = facets;
    this.#collections = collections;
    this.#endpoints = endpoints;
    this.#values = ["minRating", "rating", ...KNOWN, ...(isMember ? ["review"] : [])].map((name) => new FilterValues(name, { toggle }));
    this.#open = new Map(OPEN.map((name) => [name, new FilterValues(name, { isOpen: true, toggle })]));
    this.#collection = new FilterValues("collection", { isOpen: true, toggle });
    this.#dates = new FilterDates(choose);
    this.#keywords = new FilterKeywords(api, choose);
    this.#clear = element("button", { type: "button", class: "plain", click: () => choose(cleared(this.#filter)) }, FILTER.clear);
    this.#save = element("button", { type: "button", class: "button", click: save }, COLLECTIONS.save);
    this.#build(panel, Boolean(save));
    startPopover(button, panel, { opened: () => this.#opened(), closed: () => facets.unwatch() });
    for (const source of [facets, collections, endpoints]) source.addEventListener("changed", () => this.#draw());
  }

  /** Shows a filter, and in words how many pictures fit it. */
  show(filter) {
    this.#filter = filter;
    this.#draw();
  }

  showCount(words) {
    setText(this.#count, words);
  }

  #build(panel, maySave) {
    const done = element("button", { type: "button", class: "button main", click: () => panel.hidePopover() }, FILTER.done);
    const parts = [...this.#values, this.#dates, ...this.#open.values(), this.#keywords, this.#collection];
    panel.append(
      element("div", { class: "panel-body" }, ...parts.map(({ node }) => node)),
      this.#hint,
      element("footer", {}, this.#count, this.#clear, maySave ? this.#save : null, done),
    );
  }

  #opened() {
    this.#facets.watch();
    this.#collections.load();
    this.#endpoints.load();
  }

  #draw() {
    if (!this.#filter) return;
    const count = (name, value) => this.#facets.count(name, value);
    this.#values.forEach((part) => part.draw(this.#filter, count));
    this.#open.forEach((part, name) => part.draw(this.#filter, count, [...(this.#facets.counts.get(name)?.keys() ?? [])]));
    this.#open.get("endpoint").rename(this.#endpoints.names);
    this.#keywords.draw(this.#filter, this.#facets.counts.get("keyword"));
    this.#dates.draw(this.#filter);
    this.#drawCollections();
    const isEverything = isEmptyFilter(this.#filter);
    this.#clear.disabled = isEverything;
    this.#save.disabled = isEverything;
    this.#save.title = isEverything ? COLLECTIONS.saveNothing : "";
    const { error } = this.#facets;
    setText(this.#hint, error ? FILTER.noCounts(error.words) : "");
  }

  #drawCollections() {
    const manual = this.#collections.manual;
    const sizes = new Map(manual.map(({ collectionId, n }) => [collectionId, n]));
    this.#collection.draw(this.#filter, (_, id) => sizes.get(id), [...sizes.keys()]);
    this.#collection.keep(this.#collections.names);
    this.#collection.rename(this.#collections.names);
  }
}

const cleared = ({ sort, order }) => normal({ sort, order });
