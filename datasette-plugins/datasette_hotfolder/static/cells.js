// The cells that exist: those in and near the window, used again for others as it moves, and the one of the cursor.

import { arrange } from "./arrange.js";
import { byId } from "./element.js";
import { Cell } from "./cell.js";

const keyOf = (media, place) => media?.mediaId ?? `place ${place}`;

/** Keeps the elements of a grid in step with a range of places of a set. */
export class Cells {
  #set;
  #selection;
  #grid;
  #template = byId("cell-template").content.querySelector(".cell");
  #cells = new Map(); // media id, or place while it is not loaded -> cell
  #size = 0;

  constructor(set, selection, grid) {
    this.#set = set;
    this.#selection = selection;
    this.#grid = grid;
    [...grid.querySelectorAll(".cell")].forEach((node, place) => this.#adopt(node, set.at(place)));
  }

  /** The cell of a picture, if there is one. */
  find(mediaId) {
    return this.#cells.get(mediaId);
  }

  /** Has a cell for each place of a range, and for the current picture; `put(place)` gives its left and top. */
  show({ first, last }, { size, put, withImages }) {
    const wanted = this.#wanted(first, last);
    const spare = this.#takeSpare(wanted);
    const cells = [...wanted].map(([key, place]) => [key, this.#cells.get(key) ?? this.#fill(spare.pop(), place, withImages)]);
    this.#cells = new Map(cells);
    this.#resize(size);
    arrange(this.#grid, cells.map(([, { node }]) => node));
    [...wanted.values()].forEach((place, index) => this.#place(cells[index][1], place, put(place)));
  }

  /** Asks for the thumbnails that were left out. */
  showImages() {
    this.#cells.forEach((cell) => cell.showImage());
  }

  paint(mediaId) {
    this.#cells.get(mediaId)?.paint();
  }

  /** Which is the current one, and which are selected. */
  mark() {
    this.#grid.classList.toggle("choosing", this.#selection.size > 0);
    this.#cells.forEach((cell) => this.#mark(cell));
  }

  #adopt(node, media) {
    if (!media) return node.remove();
    const cell = new Cell(node);
    cell.adopt(media);
    this.#cells.set(media.mediaId, cell);
  }

  /** Keys and places in their order; the current picture keeps its cell, which may have the focus. */
  #wanted(first, last) {
    const wanted = new Map();
    const { currentPlace } = this.#set;
    const add = (place) => wanted.set(keyOf(this.#set.at(place), place), place);
    if (currentPlace >= 0 && currentPlace < first) add(currentPlace);
    for (let place = first; place <= last; place++) add(place);
    if (currentPlace > last) add(currentPlace);
    return wanted;
  }

  #takeSpare(wanted) {
    const spare = [];
    for (const [key, cell] of this.#cells) {
      if (wanted.has(key)) continue;
      cell.node.remove();
      spare.push(cell);
    }
    return spare;
  }

  #fill(spare, place, withImage) {
    const cell = spare ?? this.#make();
    cell.show(this.#set.at(place) ?? null, withImage);
    this.#mark(cell);
    return cell;
  }

  #make() {
    const node = this.#template.cloneNode(true);
    this.#setSize(node);
    return new Cell(node);
  }

  /** Since all was loaded anew, what is known of the same picture may be newer. */
  #place(cell, place, [left, top]) {
    const media = this.#set.at(place);
    if (media && media !== cell.media) {
      cell.media = media;
      cell.paint();
    }
    cell.put(left, top);
    cell.count(place, this.#set.length);
  }

  #mark(cell) {
    const { current } = this.#set;
    const isCurrent = Boolean(cell.media) && cell.media.mediaId === current?.mediaId;
    const isSelected = Boolean(cell.media) && (this.#selection.size ? this.#selection.has(cell.media.mediaId) : isCurrent);
    cell.mark({ isCurrent, isSelected });
  }

  #resize(size) {
    if (size === this.#size) return;
    this.#size = size;
    this.#cells.forEach(({ node }) => this.#setSize(node));
  }

  #setSize(node) {
    node.style.inlineSize = node.style.blockSize = `${this.#size}px`;
  }
}
