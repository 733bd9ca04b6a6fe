// The pictures that fit the filter, as far as they are loaded, and which of them is the current one.

import { isAbort } from "./api.js";
import { normal, searchFromFilter } from "./filter.js";
import { standsBefore } from "./order.js";

const PAGE_SIZE = 100;
const LARGE_PAGE_SIZE = 500;
const DEEPEST = 10_000; // so far down is a picture looked for when all is loaded anew

/**
 * Tells "reset" (other pictures; "renewing" just before it when the filter is the same), "appended" and "prepended" (detail: the new ones), "changed" and "removed" (detail: the picture),
 * "current" (detail: the picture, or null), "counts", "busy" and "failed" (detail: the error).
 */
export class MediaSet extends EventTarget {
  #api;
  #order = new Map(); // media id -> place
  #next = null;
  #gone = new Set(); // pictures that left the library: an older answer may still have them
  #alone = null; // a picture that is looked at but not (yet) among the loaded ones
  #loading = null;
  #countedAt = 0; // the event number of the counts
  #stopper = new AbortController();

  items = [];
  filter;
  total = 0;
  libraryTotal = 0;
  current = null;
  error = null; // why the last request for pictures failed

  constructor(api, filter, page) {
    super();
    this.#api = api;
    this.filter = normal(filter);
    this.#fill(page);
  }

  get hasMore() {
    return this.#next !== null;
  }

  get isLoading() {
    return this.#loading !== null;
  }

  /** Whether it is empty because the pictures could not be loaded. */
  get isBroken() {
    return this.error !== null && !this.items.length;
  }

  /** The picture with this id when it is loaded. */
  find(mediaId) {
    return this.items[this.placeOf(mediaId)] ?? (this.#alone?.mediaId === mediaId ? this.#alone : undefined);
  }

  /** Its place, -1 when it is not among the loaded ones. */
  placeOf(mediaId) {
    return this.#order.get(mediaId) ?? -1;
  }

  /** The place of a picture, or of the next one after where it would be; -1 when that is further down than what is loaded. */
  nearestPlace(media) {
    const place = this.placeOf(media.mediaId);
    if (place >= 0) return place;
    const next = this.items.findIndex((each) => standsBefore(media, each));
    return next >= 0 || this.hasMore ? next : this.items.length - 1;
  }

  get currentPlace() {
    return this.current ? this.placeOf(this.current.mediaId) : -1;
  }

  /** Shows what fits another filter; the current picture stays current when it is there too. */
  async load(filter) {
    const signal = this.#begin(filter);
    this.#tell("busy");
    const page = await this.#request((stop) => this.#fetchPage(null, PAGE_SIZE, stop));
    if (signal.aborted) return;
    this.#fill(page ?? { items: [], next: null, total: 0, libraryTotal: this.libraryTotal });
    this.#tell("reset");
    this.#tell("counts");
  }

  /** Loads the same filter anew, down to the places of these pictures; false when that failed and all is as it was. */
  async reload(looked) {
    const signal = this.#begin(this.filter);
    const page = await this.#request((stop) => this.#fetchDownTo(looked, stop));
    if (signal.aborted) return true; // what overtook it is newer
    if (!page) return false;
    this.#tell("renewing");
    this.#alone = this.current;
    this.#fill(page);
    this.#tell("reset");
    this.#tell("counts");
    return true;
  }

  /** Appends the next page; true when there were more pictures. Several calls at once are one. */
  async loadMore() {
    if (this.#loading) return Boolean(await this.#loading);
    if (!this.hasMore) return false;
    const page = await this.#request((stop) => this.#fetchPage(this.#next, PAGE_SIZE, stop));
    if (page) this.#append(page);
    else if (this.error) this.#tell("failed", this.error);
    return Boolean(page);
  }

  /** Puts pictures that arrived before the others; those that are there already are left where they are. */
  prepend(arrived) {
    const fresh = this.#present(arrived).filter(({ mediaId }) => !this.#order.has(mediaId));
    if (!fresh.length) return;
    this.items.unshift(...fresh);
    this.#number();
    this.#findCurrent();
    this.#tell("prepended", fresh);
    if (!this.current) this.setCurrent(this.items[0]);
  }

  /** Takes a picture that left the library out of everything; its neighbour takes its place. */
  remove(mediaId) {
    const media = this.find(mediaId);
    const wasCurrent = Boolean(media) && this.current === media;
    const next = wasCurrent ? this.nearestPlace(media) : -1;
    this.#gone.add(mediaId);
    if (this.#alone?.mediaId === mediaId) this.#alone = null;
    this.items = this.#present(this.items);
    this.#number();
    if (!media) return;
    if (wasCurrent) this.setCurrent(this.items[Math.max(0, Math.min(next, this.items.length - 1))] ?? null);
    this.#tell("removed", media);
  }

  /** Takes counts over, unless younger ones are known. */
  setCounts({ total, libraryTotal, seq }) {
    if (seq < this.#countedAt) return;
    this.#countedAt = seq;
    Object.assign(this, { total, libraryTotal });
    this.#tell("counts");
  }

  /** Changes what is known of a picture, wherever it is shown. */
  update(mediaId, changes) {
    const media = this.find(mediaId);
    if (media) this.#tell("changed", Object.assign(media, changes));
  }

  /** Makes a picture the current one; one that is not loaded is kept beside the set. */
  setCurrent(media) {
    if (media && !this.#order.has(media.mediaId)) this.#alone = media;
    this.current = media;
    this.#tell("current", media);
  }

  /** Moves by a picture or by a row of pictures; at the end of what is loaded it loads more first. */
  async move(step) {
    const from = this.current;
    if (this.currentPlace + step >= this.items.length && this.hasMore) await this.loadMore();
    const place = this.#placeAfter(step);
    if (this.current === from && place !== this.currentPlace) this.setCurrent(this.items[place]);
  }

  #placeAfter(step) {
    const place = this.currentPlace;
    const last = this.items.length - 1;
    const row = (each) => Math.floor(each / Math.abs(step));
    if (place + step < 0) return place;
    if (place + step <= last) return place + step;
    return row(place) < row(last) ? last : place; // down from above a row that is not full
  }

  moveTo(place) {
    const media = this.items.at(place);
    if (media) this.setCurrent(media);
  }

  /** Another filter, or the same one anew: what is under way for the old one is given up. */
  #begin(filter) {
    this.#stopper.abort();
    this.#stopper = new AbortController();
    this.filter = normal(filter);
    return this.#stopper.signal;
  }

  /** One request at a time; null when it failed, or was given up. */
  #request(fetch) {
    const { signal } = this.#stopper;
    this.error = null;
    const asked = fetch(signal).catch((error) => {
      if (!signal.aborted && !isAbort(error)) this.error = error;
      return null;
    });
    this.#loading = asked.then((page) => {
      if (signal.aborted) return null;
      this.#loading = null;
      return page;
    });
    return this.#loading;
  }

  #fetchPage(after, size, signal) {
    const query = new URLSearchParams(searchFromFilter(this.filter));
    query.set("limit", size);
    if (after) query.set("after", after);
    return this.#api.get(`/-/api/media?${query}`, { signal });
  }

  /** As many pages as reach down to these pictures, as one; only the first when they are too far down. */
  async #fetchDownTo(looked, signal) {
    const first = await this.#fetchPage(null, LARGE_PAGE_SIZE, signal);
    const items = [...first.items];
    let { next } = first;
    while (next && looked.some((media) => standsBefore(items.at(-1), media))) {
      if (items.length >= DEEPEST) return first;
      const page = await this.#fetchPage(next, LARGE_PAGE_SIZE, signal);
      items.push(...page.items);
      next = page.next;
    }
    return { ...first, items, next };
  }

  #present(items) {
    return items.filter(({ mediaId }) => !this.#gone.has(mediaId));
  }

  #number() {
    this.#order = new Map(this.items.map(({ mediaId }, place) => [mediaId, place]));
  }

  #fill(page) {
    this.items = this.#present(page.items);
    this.#number();
    this.#next = page.next;
    this.total = page.total;
    this.libraryTotal = page.libraryTotal;
    this.#countedAt = page.seq;
    this.current = this.find(this.current?.mediaId) ?? this.items[0] ?? null;
  }

  #append(page) {
    const fresh = this.#present(page.items).filter(({ mediaId }) => !this.#order.has(mediaId));
    fresh.forEach(({ mediaId }, index) => this.#order.set(mediaId, this.items.length + index));
    this.items.push(...fresh);
    this.#next = page.next;
    this.#findCurrent();
    this.#tell("appended", fresh);
    this.setCounts(page);
  }

  /** A picture that stood beside the set has its place in it as soon as its page is there. */
  #findCurrent() {
    if (this.current) this.current = this.find(this.current.mediaId);
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
