// The pictures that fit the filter, as far as they are loaded, and which of them is the current one.

import { isAbort } from "./api.js";
import { normal, searchFromFilter } from "./filter.js";

const PAGE_SIZE = 100;

/**
 * Tells "reset" (another filter), "appended" and "prepended" (detail: the new ones), "changed" (detail: the picture),
 * "current" (detail: the picture, or null), "counts", "busy" and "failed" (detail: the error).
 */
export class MediaSet extends EventTarget {
  #api;
  #order = new Map(); // media id -> place
  #next = null;
  #alone = null; // a picture that is looked at but not (yet) among the loaded ones
  #loading = null;
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

  /** The picture with this id when it is loaded. */
  find(mediaId) {
    return this.items[this.placeOf(mediaId)] ?? (this.#alone?.mediaId === mediaId ? this.#alone : undefined);
  }

  /** Its place, -1 when it is not among the loaded ones. */
  placeOf(mediaId) {
    return this.#order.get(mediaId) ?? -1;
  }

  get currentPlace() {
    return this.current ? this.placeOf(this.current.mediaId) : -1;
  }

  /** Shows what fits another filter; the current picture stays current when it is there too. */
  async load(filter) {
    this.#stopper.abort();
    this.#stopper = new AbortController();
    this.filter = normal(filter);
    this.#loading = this.#fetchPage(null);
    this.#tell("busy");
    const { signal } = this.#stopper;
    const page = await this.#loading;
    if (signal.aborted) return;
    this.#fill(page ?? { items: [], next: null, total: 0, libraryTotal: this.libraryTotal });
    this.#tell("reset");
    this.#tell("counts");
  }

  /** Appends the next page; true when there were more pictures. Several calls at once are one. */
  async loadMore() {
    if (this.#loading) return Boolean(await this.#loading);
    if (!this.hasMore) return false;
    this.#loading = this.#fetchPage(this.#next);
    const page = await this.#loading;
    if (page) this.#append(page);
    else if (this.error) this.#tell("failed", this.error);
    return Boolean(page);
  }

  /** Puts pictures that arrived before the others; those that are there already are left where they are. */
  prepend(arrived) {
    const fresh = arrived.filter(({ mediaId }) => !this.#order.has(mediaId));
    if (!fresh.length) return;
    this.items.unshift(...fresh);
    this.items.forEach(({ mediaId }, place) => this.#order.set(mediaId, place));
    this.#findCurrent();
    this.#tell("prepended", fresh);
    if (!this.current) this.setCurrent(this.items[0]);
  }

  setCounts({ total, libraryTotal }) {
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

  async #fetchPage(after) {
    const { signal } = this.#stopper;
    const query = new URLSearchParams(searchFromFilter(this.filter));
    query.set("limit", PAGE_SIZE);
    if (after) query.set("after", after);
    this.error = null;
    try {
      return await this.#api.get(`/-/api/media?${query}`, { signal });
    } catch (error) {
      if (!isAbort(error)) this.error = error;
      return null;
    } finally {
      if (!signal.aborted) this.#loading = null;
    }
  }

  #fill(page) {
    this.items = page.items;
    this.#order = new Map(page.items.map(({ mediaId }, place) => [mediaId, place]));
    this.#next = page.next;
    this.total = page.total;
    this.libraryTotal = page.libraryTotal;
    this.current = this.find(this.current?.mediaId) ?? page.items[0] ?? null;
  }

  #append(page) {
    const fresh = page.items.filter(({ mediaId }) => !this.#order.has(mediaId));
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
