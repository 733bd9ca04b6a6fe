// The pictures that are loaded, by place: what arrived since the snapshot, and of the snapshot the pages used last.

import { Places } from "./places.js";

export const PAGE_SIZE = 200;
const MOST_PAGES = 60;

const pageOfOffset = (offset) => Math.floor(offset / PAGE_SIZE);

/** Some of `total` pictures of a snapshot, and those that arrived since in front of them. */
export class KnownPages {
  #places;
  #items = new Map(); // offset -> picture
  #offsets = new Map(); // media id -> offset
  #used = new Set(); // pages, the one used last at the end

  arrived = [];

  constructor(total) {
    this.#places = new Places(total);
  }

  get length() {
    return this.arrived.length + this.#places.length;
  }

  at(place) {
    return place < this.arrived.length ? this.arrived[place] : this.#items.get(this.#offsetAt(place));
  }

  placeOf(mediaId) {
    const offset = this.#offsets.get(mediaId);
    return offset === undefined ? this.arrived.findIndex((each) => each.mediaId === mediaId) : this.placeOfOffset(offset);
  }

  placeOfOffset(offset) {
    return this.arrived.length + this.#places.placeOf(offset);
  }

  /** The page of the snapshot with what stands at a place behind the arrived ones. */
  pageOf(place) {
    return pageOfOffset(this.#offsetAt(place));
  }

  /** The pages that are missing between two places; those that are there count as used. */
  missing(first, last) {
    const missing = new Set();
    const there = new Set();
    for (let place = Math.max(first, this.arrived.length); place <= Math.min(last, this.length - 1); place++) {
      const offset = this.#offsetAt(place);
      (this.#items.has(offset) ? there : missing).add(pageOfOffset(offset));
    }
    there.forEach((page) => this.#use(page));
    return missing;
  }

  /** Keeps pictures from an offset on, null for one that is gone; gives the number of the gone ones. What was used long ago is forgotten. */
  take(items, offset, currentId) {
    const before = this.#places.length;
    items.forEach((media, index) => {
      if (!media) this.#forget(offset + index);
      else if (!this.#places.isGone(offset + index) && !this.#items.has(offset + index)) this.#keep(media, offset + index);
    });
    if (items.length) this.#use(pageOfOffset(offset));
    this.#tidy(currentId);
    return before - this.#places.length;
  }

  prepend(fresh) {
    this.arrived.unshift(...fresh);
  }

  /** Closes the gap of a picture; gives its offset: -1 when it has arrived since, null when it is not loaded. */
  remove(mediaId) {
    const offset = this.#offsets.get(mediaId);
    const isArrived = offset === undefined && this.placeOf(mediaId) >= 0;
    if (isArrived) this.arrived = this.arrived.filter((each) => each.mediaId !== mediaId);
    if (offset === undefined) return isArrived ? -1 : null;
    this.#forget(offset);
    return offset;
  }

  /** Puts a picture back to the offset that `remove` gave. */
  putBack(media, offset) {
    if (offset < 0) return this.prepend([media]);
    this.#places.putBack(offset);
    this.#keep(media, offset);
  }

  #offsetAt(place) {
    return this.#places.offsetAt(place - this.arrived.length);
  }

  #keep(media, offset) {
    this.#items.set(offset, media);
    this.#offsets.set(media.mediaId, offset);
  }

  #forget(offset) {
    this.#places.take(offset);
    this.#drop(offset);
  }

  #drop(offset) {
    const media = this.#items.get(offset);
    this.#items.delete(offset);
    if (media) this.#offsets.delete(media.mediaId);
  }

  #use(page) {
    this.#used.delete(page);
    this.#used.add(page);
  }

  /** The first page stays: what is new is told by it; so does the page of the current picture. */
  #tidy(currentId) {
    const kept = new Set([0, pageOfOffset(this.#offsets.get(currentId) ?? 0)]);
    for (const page of this.#used) {
      if (this.#used.size <= MOST_PAGES) return;
      if (kept.has(page)) continue;
      this.#used.delete(page);
      for (let index = 0; index < PAGE_SIZE; index++) this.#drop(page * PAGE_SIZE + index);
    }
  }
}
