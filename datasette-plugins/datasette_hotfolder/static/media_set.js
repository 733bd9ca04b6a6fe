// The pictures that fit the filter, by their places in a snapshot of the server's, and which of them is the current one.

import { normal } from "./filter.js";
import { KnownPages, PAGE_SIZE } from "./known_pages.js";
import { askAround, askKeeping, askPart } from "./media_parts.js";
import { PageLoader } from "./page_loader.js";
import { placeAfter } from "./steps.js";

/**
 * Tells "busy", "reset" (other pictures; "renewing" just before it when the filter is the same), "loaded" (detail: {first, last}),
 * "prepended" ({count}), "changed", "leaving" (before the cursor goes on from it), "removed" and "returned" (the picture; null for some that were not known), "current" (the picture, or null),
 * "counts", "failed" (the error) and "expired" (the server no longer has the snapshot).
 */
export class MediaSet extends EventTarget {
  #api;
  #known;
  #loader = new PageLoader(
    (page, signal) => this.#loadPage(page, signal),
    (error) => this.#tell("failed", error),
  );
  #gone = new Map(); // pictures that left the library: an older answer may still have them
  #alone = null; // a picture that is looked at but has no place (yet)
  #isChosen = false; // whether somebody went to the current picture
  #heading = null; // the place that the cursor is on its way to
  #isExpired = false; // the server no longer has the snapshot
  #near = new Map(); // where pictures stood that are no longer there since all was loaded anew
  #countedAt = 0; // the event number of the counts
  #stopper = new AbortController();

  filter;
  total = 0;
  isBounded = false;
  libraryTotal = 0;
  view = null;
  current = null;
  error = null; // why the last request for other pictures failed

  constructor(api, filter, page) {
    super();
    this.#api = api;
    this.filter = normal(filter);
    this.#fill(page);
  }

  /** How many places there are; `total` is how many pictures fit by now. */
  get length() {
    return this.#known.length;
  }

  /** How many arrived since the snapshot; they stand before it. */
  get arrived() {
    return this.#known.arrived.length;
  }

  /** Whether it is empty because the pictures could not be loaded. */
  get isBroken() {
    return this.error !== null && !this.length;
  }

  /** Whether they stand in the usual order. */
  get isNewestFirst() {
    return this.filter.sort === null && this.filter.order === null;
  }

  /** The picture at a place; undefined when it is not loaded. */
  at(place) {
    return this.#known.at(place);
  }

  /** The picture with this id when it is loaded. */
  find(mediaId) {
    return this.at(this.placeOf(mediaId)) ?? (this.#alone?.mediaId === mediaId ? this.#alone : undefined);
  }

  /** Its place, -1 when it is not among the loaded ones. */
  placeOf(mediaId) {
    return this.#known.placeOf(mediaId);
  }

  /** The place of what has this offset in the snapshot. */
  placeOfOffset(offset) {
    return this.#known.placeOfOffset(offset);
  }

  /** The place of a picture, or where it stood when all was loaded anew without it. */
  nearestPlace({ mediaId }) {
    const place = this.placeOf(mediaId);
    return place >= 0 ? place : Math.min(this.#near.get(mediaId) ?? -1, this.length - 1);
  }

  get currentPlace() {
    return this.current ? this.placeOf(this.current.mediaId) : -1;
  }

  /** Has these places loaded; what the same one wanted before is given up. */
  want(first, last, who = "somebody") {
    this.#loader.wish(who, this.#known.missing(first, last));
  }

  /** The picture at a place, loaded if need be; null when there is none, or it could not be loaded. */
  async fetch(place) {
    if (place < 0 || place >= this.length) return null;
    if (!this.at(place)) await this.#loader.demand(this.#known.pageOf(place));
    return this.at(place) ?? null;
  }

  /** Shows what fits another filter; the current picture stays current when it does and somebody went there. */
  async load(filter) {
    const signal = this.#begin(filter);
    this.#tell("busy");
    const kept = this.#isChosen ? this.current : null;
    const found = await this.#request(() => askKeeping(this.#api, this.filter, kept, signal), signal);
    if (signal.aborted) return;
    this.#near.clear();
    this.#alone = this.#heading = null;
    this.#fill(found?.first ?? { items: [], total: 0, libraryTotal: this.libraryTotal }, found?.around);
    this.#tell("reset");
    this.#tell("counts");
  }

  /** Loads the same filter anew, with the pages of these pictures; false when that failed and all is as it was. */
  async reload(looked = [this.current]) {
    const signal = this.#begin(this.filter);
    const found = await this.#request(() => askAround(this.#api, this.filter, looked.filter(Boolean), signal), signal);
    if (signal.aborted) return true; // what overtook it is newer
    if (!found) return false;
    this.#near = this.#guess(found.map(({ media }) => media), found.first.total - this.length);
    this.#tell("renewing");
    this.#alone = this.current;
    this.#fill(found.first);
    found.forEach(({ page }) => this.#take(page));
    this.#tell("reset");
    this.#tell("counts");
    return true;
  }

  /** Puts pictures that arrived before the others; those that are there already are left where they are. */
  prepend(arrived) {
    const fresh = arrived.filter(({ mediaId }) => !this.#gone.has(mediaId) && this.placeOf(mediaId) < 0);
    if (!fresh.length) return;
    this.#known.prepend(fresh);
    this.#tell("prepended", { count: fresh.length });
    if (!this.current) this.setCurrent(this.at(0));
  }

  /** Takes a picture that left the library out of everything; its neighbour takes its place. */
  remove(mediaId) {
    if (this.#gone.has(mediaId)) return;
    const media = this.find(mediaId);
    const place = this.placeOf(mediaId);
    this.#gone.set(mediaId, { media, offset: this.#known.remove(mediaId) });
    if (this.#alone?.mediaId === mediaId) this.#alone = null;
    if (!media) return;
    this.#tell("leaving", media);
    if (this.current === media) this.#passOn(Math.max(0, place));
    this.#tell("removed", media);
  }

  /** Puts back what was removed, where it stood; false when that is not known. */
  putBack(mediaId) {
    if (this.placeOf(mediaId) >= 0) return true;
    const { media, offset } = this.#gone.get(mediaId) ?? {};
    this.#gone.delete(mediaId);
    if (!media || offset === null) return false;
    this.#known.putBack(media, offset);
    this.#tell("returned", media);
    if (!this.current) this.setCurrent(media);
    return true;
  }

  /** Takes counts over, unless younger ones are known. */
  setCounts({ total, totalIsBounded = false, libraryTotal, seq }) {
    if (seq < this.#countedAt) return;
    this.#countedAt = seq;
    Object.assign(this, { total, isBounded: totalIsBounded, libraryTotal });
    this.#tell("counts");
  }

  /** Changes what is known of a picture, wherever it is shown. */
  update(mediaId, changes) {
    const media = this.find(mediaId);
    if (media) this.#tell("changed", Object.assign(media, changes));
  }

  /** Makes a picture the current one; one that has no place is kept beside the set. */
  setCurrent(media) {
    this.#heading = null;
    this.#isChosen = true;
    if (media && this.placeOf(media.mediaId) < 0) this.#alone = media;
    this.current = media;
    this.#tell("current", media);
  }

  /** Moves by a picture or by rows of pictures; false when that failed, or was overtaken. */
  async move(step) {
    const from = this.#heading ?? (this.current ? this.nearestPlace(this.current) : -1);
    const place = placeAfter(from, step, this.length - 1);
    return place === from || this.moveTo(place);
  }

  /** The same for a place, -1 for the last one; what is not loaded is loaded first. */
  async moveTo(place) {
    const wanted = place < 0 ? this.length + place : place;
    const media = this.at(wanted);
    if (media) {
      this.setCurrent(media);
      return true;
    }
    this.#heading = wanted;
    const found = await this.fetch(wanted);
    if (this.#heading !== wanted) return false;
    if (found || !this.#isExpired) {
      this.#heading = null;
      if (found) this.setCurrent(found);
      return Boolean(found);
    }
    await new Promise((resolve) => this.addEventListener("reset", resolve, { once: true }));
    return this.#heading === wanted && this.moveTo(Math.min(wanted, this.length - 1));
  }

  /** Where pictures that are looked at would stand when so many came before them. */
  #guess(looked, more) {
    const places = looked.map(({ mediaId }) => [mediaId, this.placeOf(mediaId)]);
    return new Map(places.filter(([, place]) => place >= 0).map(([mediaId, place]) => [mediaId, Math.max(0, place + more)]));
  }

  #passOn(place) {
    const next = Math.min(place, this.length - 1);
    if (next < 0) this.setCurrent(null);
    else this.moveTo(next);
  }

  /** Another filter, or the same one anew: what is under way for the old one is given up. */
  #begin(filter) {
    this.#stopper.abort();
    this.#stopper = new AbortController();
    this.#gone.clear();
    this.filter = normal(filter);
    return this.#stopper.signal;
  }

  async #request(ask, signal) {
    this.error = null;
    try {
      return await ask();
    } catch (error) {
      if (!signal.aborted) this.error = error;
      return null;
    }
  }

  #ask(part, signal) {
    return askPart(this.#api, this.filter, part, signal);
  }

  async #loadPage(page, signal) {
    const { view } = this;
    try {
      const answer = await this.#ask({ view, offset: page * PAGE_SIZE }, signal);
      if (view !== this.view) return;
      const missing = this.#take(answer);
      const first = this.placeOfOffset(answer.offset);
      if (missing) this.#tell("removed");
      this.#tell("loaded", { first, last: Math.min(first + PAGE_SIZE, this.length) - 1 });
    } catch (error) {
      if (error.code !== "web.view_expired" || signal.aborted) throw error;
      this.#isExpired = true;
      this.#tell("expired");
    }
  }

  /** Keeps a page; the number of pictures in it that have left meanwhile. */
  #take(page) {
    const items = page.items.map((media) => {
      if (!media || this.#gone.has(media.mediaId)) return null;
      return media.mediaId === this.#alone?.mediaId ? Object.assign(this.#alone, media) : media;
    });
    return this.#known.take(items, page.offset ?? 0, this.current?.mediaId);
  }

  #fill(page, around = null) {
    this.#loader.stop();
    this.#isExpired = false;
    this.#known = new KnownPages(page.total);
    this.view = page.view ?? null;
    Object.assign(this, { total: page.total, isBounded: page.totalIsBounded ?? false, libraryTotal: page.libraryTotal });
    this.#countedAt = page.seq ?? this.#countedAt;
    [page, around].forEach((each) => each && this.#take(each));
    const kept = this.find(this.current?.mediaId);
    this.#isChosen &&= Boolean(kept);
    this.current = kept ?? this.at(0) ?? null;
  }

  #tell(type, detail = null) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
