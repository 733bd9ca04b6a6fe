// Which pictures are chosen: some of them, or all of the filter but some.

import { toast } from "./toast.js";
import { NOT_ALL_CHOSEN, tooManyWords } from "./words_grid.js";

const MOST = 20_000; // what can be chosen by hand

/** Tells "changed". Without a selection the current picture counts. */
export class Selection extends EventTarget {
  #set;
  #ids = new Set(); // the chosen ones, or those left out of all
  #anchor = null; // where a range begins: a picture that somebody chose, and its place then
  #choice = 0;

  isAll = false;

  constructor(set) {
    super();
    this.#set = set;
    let isRenewal = false;
    set.addEventListener("renewing", () => (isRenewal = true));
    set.addEventListener("reset", () => {
      this.#forget(isRenewal);
      isRenewal = false;
    });
    set.addEventListener("removed", ({ detail }) => detail && this.#ids.delete(detail.mediaId) && this.#tell());
  }

  get size() {
    return this.isAll ? Math.max(0, this.#set.length - this.#set.arrived - this.#ids.size) : this.#ids.size;
  }

  has(mediaId) {
    return this.isAll ? !this.#ids.has(mediaId) && this.#set.placeOf(mediaId) >= this.#set.arrived : this.#ids.has(mediaId);
  }

  /** The ids of the chosen ones; of all of a filter those that are loaded are not enough: see `target`. */
  ids() {
    if (this.isAll) return [];
    if (this.#ids.size) return [...this.#ids];
    return this.#set.current ? [this.#set.current.mediaId] : [];
  }

  /** The picture that is chosen alone, if it is loaded: what is done is done to that one. */
  get alone() {
    return !this.isAll && this.#ids.size === 1 ? this.#set.find([...this.#ids][0]) : undefined;
  }

  /** What the server is to act on: {mediaIds}, or {view, except}. */
  target() {
    return this.isAll ? { view: this.#set.view, except: [...this.#ids] } : { mediaIds: this.ids() };
  }

  /** A plain choice: nothing is selected but what is current; ranges begin here. */
  begin(media) {
    this.#anchor = { mediaId: media.mediaId, place: this.#set.placeOf(media.mediaId) };
    this.#replace([]);
  }

  toggle(media) {
    const first = this.#anchor?.mediaId;
    this.#choice++;
    if (!this.isAll && !this.#ids.size && first && first !== media.mediaId && first === this.#set.current?.mediaId) this.#ids.add(first);
    if (!this.#ids.delete(media.mediaId)) this.#ids.add(media.mediaId);
    this.#anchor = { mediaId: media.mediaId, place: this.#set.placeOf(media.mediaId) };
    this.#tell();
  }

  /** All from where the range begins to this place; what is not loaded is loaded first. */
  async extendTo(place) {
    this.#anchor ??= { mediaId: this.#set.current?.mediaId, place: Math.max(0, this.#set.currentPlace) };
    const known = this.#set.placeOf(this.#anchor.mediaId);
    const from = known < 0 ? this.#anchor.place : known;
    const [first, last] = from < place ? [from, place] : [place, from];
    const n = last - first + 1;
    if (n > MOST) return toast(tooManyWords(n, MOST), "warning");
    const choice = ++this.#choice;
    const ids = await this.#fetchIds(first, last);
    if (choice !== this.#choice) return;
    if (ids.length < n) toast(NOT_ALL_CHOSEN, "warning");
    this.#replace(ids);
  }

  /** All that fits the filter; what arrived meanwhile is taken into the snapshot first. */
  async selectAll() {
    if (!this.#set.length) return;
    if (!this.#set.arrived || (await this.#set.reload())) this.#replace([], true);
  }

  clear() {
    this.#replace([]);
  }

  set(mediaIds) {
    this.#replace(mediaIds);
  }

  /** From the first place on, as far as they can be loaded. */
  async #fetchIds(first, last) {
    const ids = [];
    for (let place = first; place <= last; place++) {
      const media = this.#set.at(place) ?? (await this.#set.fetch(place));
      if (!media) break;
      ids.push(media.mediaId);
    }
    return ids;
  }

  #replace(mediaIds, isAll = false) {
    this.#choice++;
    const wasEmpty = !this.isAll && !this.#ids.size;
    this.#ids = new Set(mediaIds);
    this.isAll = isAll;
    if (!wasEmpty || isAll || mediaIds.length) this.#tell();
  }

  /** "All" of an older snapshot says nothing of a newer one. */
  #forget(isRenewal) {
    if (!isRenewal) this.#anchor = null;
    if (!isRenewal || this.isAll) this.#replace([]);
  }

  #tell() {
    this.dispatchEvent(new Event("changed"));
  }
}
