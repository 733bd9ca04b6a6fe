// One collection in the menu: opened by a click, filled by a drop, and deleted only when nobody takes it back.

import { element, setText } from "./element.js";
import { formatNumber } from "./format.js";
import { COLLECTIONS } from "./words_filter.js";

const TAKEN_BACK_WITHIN_MS = 8_000;
export const DRAGGED = "application/x-hotfolder-media";

/** Makes an element take pictures that are dragged onto it; `drop(mediaIds)` gets them. */
export function takeDrops(node, drop) {
  const isOurs = (event) => event.dataTransfer.types.includes(DRAGGED);
  const over = (event) => isOurs(event) && (event.preventDefault(), (event.dataTransfer.dropEffect = "copy"), node.classList.add("over"));
  node.addEventListener("dragenter", over);
  node.addEventListener("dragover", over);
  node.addEventListener("dragleave", ({ relatedTarget }) => node.contains(relatedTarget) || node.classList.remove("over"));
  node.addEventListener("drop", (event) => {
    node.classList.remove("over");
    if (!isOurs(event)) return;
    event.preventDefault();
    event.stopPropagation();
    drop(JSON.parse(event.dataTransfer.getData(DRAGGED)));
  });
}

/** Calls `acts.open|add|drop|rename|remove(collection)`; those that are missing are not offered. */
export class CollectionRow {
  #collection;
  #acts;
  #timer = null;
  #count = element("small", {});
  #open;
  #tools;
  #undo;

  constructor(collection, acts) {
    this.#collection = collection;
    this.#acts = acts;
    this.#open = element("button", { type: "button", class: "collection-open", click: () => acts.open(this.#collection) }, element("span", { class: "collection-name" }, collection.name), this.#count);
    this.#open.title = collection.kind === "live" ? `${collection.name} (${COLLECTIONS.live})` : collection.name;
    this.#tools = element("span", { class: "tools" }, ...this.#buttons());
    this.#undo = element("p", { class: "undo", hidden: true }, element("span", {}, COLLECTIONS.removed(collection.name)), this.#button("undo", COLLECTIONS.undo, COLLECTIONS.undo, () => this.#keep()));
    this.node = element("li", { "data-collection-id": collection.collectionId, "data-kind": collection.kind }, this.#open, this.#tools, this.#undo);
    if (acts.drop && collection.kind === "manual") takeDrops(this.node, (mediaIds) => acts.drop(this.#collection, mediaIds));
    this.draw(collection, false);
  }

  draw(collection, isShown) {
    this.#collection = collection;
    setText(this.#count, collection.kind === "live" ? COLLECTIONS.liveCount(collection.n ?? 0) : formatNumber(collection.n ?? 0));
    if (isShown) this.#open.setAttribute("aria-current", "true");
    else this.#open.removeAttribute("aria-current");
  }

  /** The time to take a deletion back is over. */
  settle() {
    if (this.#timer === null) return;
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#acts.remove(this.#collection);
  }

  #buttons() {
    const { add, rename, remove } = this.#acts;
    const { name, kind } = this.#collection;
    return [
      add && kind === "manual" ? this.#button("add", COLLECTIONS.add, COLLECTIONS.addTo(name), () => add(this.#collection)) : null,
      rename ? this.#button("rename", COLLECTIONS.rename, COLLECTIONS.renameLabel(name), () => rename(this.#collection)) : null,
      remove ? this.#button("remove", COLLECTIONS.remove, COLLECTIONS.removeLabel(name), () => this.#remove()) : null,
    ];
  }

  #button(action, words, label, click) {
    return element("button", { type: "button", class: "plain", "data-action": action, "aria-label": label, title: label, click }, words);
  }

  #remove() {
    this.#timer = setTimeout(() => this.settle(), TAKEN_BACK_WITHIN_MS);
    this.#showUndo(true);
    this.#undo.querySelector("button").focus();
  }

  #keep() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#showUndo(false);
    this.#open.focus();
  }

  #showUndo(isShown) {
    this.#undo.hidden = !isShown;
    this.#open.hidden = isShown;
    this.#tools.hidden = isShown;
  }
}
