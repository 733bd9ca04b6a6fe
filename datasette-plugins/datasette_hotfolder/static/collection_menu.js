// The menu of collections: opens them, makes them, and takes pictures that are dragged onto it.

import { arrange } from "./arrange.js";
import { CollectionRow, DRAGGED } from "./collection_row.js";
import { element, setText } from "./element.js";
import { filterWords, isEmptyFilter, queryOf } from "./filter.js";
import { askName } from "./name_dialog.js";
import { startPopover } from "./popover.js";
import { filterOf } from "./saved_filters.js";
import { toast } from "./toast.js";
import { COLLECTIONS } from "./words_filter.js";

/** The collections behind a button; `addTo(collectionId)` adds what is chosen in the grid. */
export class CollectionMenu {
  #button;
  #panel;
  #collections;
  #choose;
  #acts;
  #filter = null;
  #rows = new Map(); // key -> row
  #list = element("ul", { class: "collections" });
  #hint = element("p", { class: "hint" });
  #save = element("button", { type: "button", class: "button", click: () => this.saveFilter() }, COLLECTIONS.save);

  constructor(button, panel, { collections, choose, mayWrite, addTo }) {
    this.#button = button;
    this.#panel = panel;
    this.#collections = collections;
    this.#choose = choose;
    this.#acts = { open: (each) => this.#open(each), ...(mayWrite ? this.#writing(addTo) : {}) };
    this.#build(mayWrite);
    startPopover(button, panel, { opened: () => collections.load(), closed: () => this.#settle() });
    collections.addEventListener("changed", () => this.#draw());
    addEventListener("pagehide", () => this.#settle());
    if (mayWrite) button.addEventListener("dragenter", ({ dataTransfer }) => dataTransfer.types.includes(DRAGGED) && panel.showPopover());
  }

  /** Shows a filter: which collection it is, if any. */
  show(filter) {
    this.#filter = filter;
    if (!isEmptyFilter(filter) && !this.#collections.isLoaded && !this.#collections.error) this.#collections.load();
    this.#draw();
  }

  /** Asks for a name, and keeps the filter under it. */
  saveFilter() {
    const query = queryOf(this.#filter);
    const words = filterWords(this.#filter, this.#collections.names);
    askName({
      title: COLLECTIONS.saveTitle,
      hint: COLLECTIONS.saveHint(words),
      value: words.slice(0, 60),
      save: async (name) => {
        await this.#collections.create(name, query);
        toast(COLLECTIONS.saved(name));
      },
    });
  }

  #writing(addTo) {
    return {
      add: addTo ? ({ collectionId }) => this.#try(async () => (await addTo(collectionId), await this.#collections.load())) : undefined,
      drop: (each, mediaIds) => this.#try(() => this.#drop(each, mediaIds)),
      rename: (each) => askName({ title: COLLECTIONS.renameTitle(each.name), value: each.name, save: (name) => this.#collections.rename(each, name) }),
      remove: (each) => this.#try(() => this.#collections.remove(each)),
    };
  }

  #build(mayWrite) {
    const make = element("button", { type: "button", class: "button", click: () => this.#make() }, COLLECTIONS.make);
    const foot = mayWrite ? element("footer", {}, make, this.#save) : element("p", { class: "hint" }, COLLECTIONS.mayNot);
    this.#panel.append(this.#list, this.#hint, foot);
  }

  #make() {
    askName({
      title: COLLECTIONS.makeTitle,
      save: async (name) => {
        await this.#collections.create(name);
        toast(COLLECTIONS.made(name));
      },
    });
  }

  #open(collection) {
    this.#panel.hidePopover();
    this.#choose(filterOf(collection));
  }

  async #drop(collection, mediaIds) {
    const count = await this.#collections.add(collection, mediaIds);
    toast(COLLECTIONS.added(count, collection.name));
  }

  async #try(act) {
    try {
      await act();
    } catch (error) {
      toast(COLLECTIONS.notDone(error.words ?? error.message), "failure");
    }
  }

  #settle() {
    for (const row of this.#rows.values()) row.settle();
  }

  #draw() {
    if (!this.#filter) return;
    const { items, error, isLoaded } = this.#collections;
    const shown = this.#collections.shownBy(this.#filter);
    this.#drawRows(items, shown);
    setText(this.#hint, error ? COLLECTIONS.failed(error.words) : isLoaded && !items.length ? COLLECTIONS.empty : "");
    setText(this.#button, shown?.name ?? COLLECTIONS.menu);
    this.#button.classList.toggle("on", Boolean(shown));
    this.#save.disabled = isEmptyFilter(this.#filter);
    this.#save.title = this.#save.disabled ? COLLECTIONS.saveNothing : "";
  }

  #drawRows(items, shown) {
    const there = new Set(items.map(keyOf));
    for (const [key, row] of this.#rows) if (!there.has(key)) (row.node.remove(), this.#rows.delete(key));
    for (const each of items) {
      if (!this.#rows.has(keyOf(each))) this.#rows.set(keyOf(each), new CollectionRow(each, this.#acts));
      this.#rows.get(keyOf(each)).draw(each, each === shown);
    }
    arrange(this.#list, items.map((each) => this.#rows.get(keyOf(each)).node));
  }
}

/** A row speaks of its collection by name everywhere: another name is another row. */
const keyOf = ({ collectionId, name }) => `${collectionId} ${name}`;
