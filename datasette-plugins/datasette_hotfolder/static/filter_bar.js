// The bar above the grid: it shows the filter, and asks for another.

import { CollectionMenu } from "./collection_menu.js";
import { byId, element, setText } from "./element.js";
import { EndpointNames } from "./endpoint_names.js";
import { Facets } from "./facets.js";
import { conditionsOf, hasCondition, isEmptyFilter, normal, toggled, withValue, without } from "./filter.js";
import { FilterMenu, RatingMenu } from "./filter_menu.js";
import { startOffers } from "./filter_offers.js";
import { SearchBox } from "./search_box.js";
import { startSortMenu } from "./sort_menu.js";
import { conditionWords, countWords, ratingWords, removeWords } from "./words_filter.js";

/**
 * Wires the bar; `choose(filter)` is called with what was clicked or typed, `leave()` when the bar is left for the
 * pictures, `addTo(collectionId)` to add what is chosen in the grid. Returns the function that shows a filter.
 */
export function startFilterBar({ api, stream, can, choose, collections, set, leave, addTo }) {
  const toolbar = byId("filters");
  const change = (next) => choose(next(set.filter));
  const facets = new Facets(api, stream);
  const endpoints = new EndpointNames(api);
  const rating = new RatingMenu(byId("rating-button"), byId("rating-panel"), facets, choose);
  const saved = new CollectionMenu(byId("collections-button"), byId("collections-panel"), { collections, choose, mayWrite: can.rate, addTo });
  const save = can.rate ? () => saved.saveFilter() : null;
  const menu = new FilterMenu(byId("filter-button"), byId("filter-panel"), { api, facets, collections, endpoints, isMember: can.sql, choose, save });
  const search = new SearchBox(toolbar, { search: (text) => change((filter) => withValue(filter, "q", text)), leave });
  const showSort = startSortMenu(byId("sort"), choose, leave);
  startOffers({ api, set, collections, choose });

  toolbar.addEventListener("click", ({ target, detail }) => {
    const chip = target.closest("[data-filter]");
    if (!chip) return;
    change((filter) => toggled(filter, chip.dataset.filter, chip.dataset.value));
    if (detail) leave(); // by the pointer; who came by Tab goes on by Tab
  });
  toolbar.addEventListener("left", leave);
  byId("clear-filter").addEventListener("click", () => change(({ sort, order }) => normal({ sort, order })));
  set.addEventListener("counts", showCount);
  for (const source of [collections, endpoints]) source.addEventListener("changed", () => showNames(set.filter));

  function showCount() {
    const words = countWords(set, isEmptyFilter(set.filter));
    setText(byId("count"), words);
    menu.showCount(words);
  }

  /** What depends on the names of endpoints, and on the names and kinds of collections. */
  function showNames(filter) {
    const names = new Map([...endpoints.names, ...collections.names]);
    byId("conditions").replaceChildren(...conditionsOf(filter).map((each) => conditionChip(each, names, () => choose(without(set.filter, each)))));
    showSort(filter, collections.find(filter.collection)?.kind === "manual");
  }

  return function show(filter) {
    showQuickChips(toolbar, filter);
    showNames(filter);
    byId("conditions-row").hidden = isEmptyFilter(filter);
    if (filter.endpoint) endpoints.load();
    search.show(filter.q);
    facets.show(filter);
    rating.show(filter);
    menu.show(filter);
    saved.show(filter);
    showCount();
  };
}

function showQuickChips(toolbar, filter) {
  for (const chip of toolbar.querySelectorAll("[data-filter]")) {
    const { filter: name, value } = chip.dataset;
    chip.setAttribute("aria-pressed", hasCondition(filter, name, value));
    if (name === "minRating") chip.classList.toggle("lit", Number(value) <= Number(filter.minRating ?? filter.rating ?? 0));
  }
  toolbar.querySelector(".stars-chip").classList.toggle("on", filter.minRating !== null || filter.rating !== null);
  setText(byId("rating-words"), ratingWords(filter));
}

/** A condition that is on: a click takes it away. */
function conditionChip({ name, value }, names, click) {
  const words = conditionWords(name, value, names);
  const swatch = name === "label" ? { class: "swatch", "data-label": value } : {};
  return element("button", { type: "button", class: "chip on removable", "data-condition": name, title: removeWords(words), "aria-label": removeWords(words), click }, element("span", swatch, words));
}
