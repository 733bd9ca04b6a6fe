// News of the library: new pictures appear at the top, or wait behind a pill while something else is looked at; others leave.

import { Echoes } from "./echoes.js";
import { byId, setText } from "./element.js";
import { searchFromFilter } from "./filter.js";
import { standsBefore } from "./order.js";
import { throttled } from "./throttle.js";
import { arrivedWords } from "./words_grid.js";

const ASK_EVERY_MS = 700;
const ASK_AGAIN_MS = 10_000;
const PAGE_SIZE = 100;
const MOST_PAGES = 10;

/** Follows the events of a library into a set of pictures and its grid; `renew()` loads all anew when too many came. */
export class Arrivals {
  #api;
  #set;
  #grid;
  #renew;
  #announced = new Set();
  #echoes = new Echoes();
  #held = [];
  #pill = byId("arrivals");
  #ask = throttled(() => this.#fetch(), ASK_EVERY_MS);

  constructor(api, stream, set, grid, renew) {
    this.#api = api;
    this.#set = set;
    this.#grid = grid;
    this.#renew = renew;
    stream.addEventListener("events", ({ detail }) => this.#hear(detail));
    stream.addEventListener("connection", ({ detail }) => detail === "connected" && this.#hear([]));
    set.addEventListener("reset", () => this.#hold([]));
    this.#pill.addEventListener("click", () => this.#showAndFocus());
    set.addEventListener("removed", ({ detail }) => detail && this.#echoes.expect(detail.mediaId));
    set.addEventListener("returned", ({ detail }) => this.#echoes.expect(detail.mediaId));
    grid.addEventListener("moved", () => this.#held.length && set.isNewestFirst && grid.isAtTop && this.#show());
  }

  #hear(events) {
    for (const event of events) if (event.topic === "library.updated") this.#note(event);
    if (this.#announced.size) this.#ask();
  }

  /** One picture, or all of a change to many; without their ids only all anew is true. */
  #note({ subjectType, subjectId, data }) {
    const ids = subjectType === "change" ? data.mediaIds : [subjectId];
    if (!ids) this.#renew();
    else for (const mediaId of ids) this.#noteOne(mediaId, { ...data, ...data.changes });
  }

  /** What leaves the library comes into the trash, and the other way round. */
  #noteOne(mediaId, { review, deleted, restored, purged }) {
    const isTrash = this.#set.filter.deleted === "only";
    if (restored && this.#set.filter.review === "awaiting") return; // who takes a picture back accepts it
    const returns = isTrash ? deleted : restored;
    const leaves = review === "discarded" || purged || (isTrash ? restored : deleted);
    if ((returns || leaves) && this.#echoes.isOne(mediaId)) return;
    if (returns) return this.#echoes.unheard(() => this.#return(mediaId));
    this.#announced.add(mediaId);
    if (leaves) this.#echoes.unheard(() => this.#leave(mediaId));
    else if (review) {
      this.#held.filter((media) => media.mediaId === mediaId).forEach((media) => (media.review = review));
      this.#set.update(mediaId, { review });
    }
  }

  #leave(mediaId) {
    this.#hold(this.#held.filter((media) => media.mediaId !== mediaId));
    this.#set.remove(mediaId);
  }

  /** Where it stood, if that is known: its place may be anywhere. */
  #return(mediaId) {
    if (this.#set.placeOf(mediaId) >= 0 || this.#set.putBack(mediaId)) this.#announced.add(mediaId);
    else this.#renew();
  }

  /** The server knows what fits the filter: what is new among the first pages is what arrived. */
  async #fetch() {
    const announced = this.#announced;
    const { filter } = this.#set;
    this.#announced = new Set();
    try {
      const arrived = await this.#find(announced, filter);
      if (filter !== this.#set.filter) return; // loaded anew meanwhile, arrivals and all
      if (arrived) this.#receive(arrived);
      else this.#renew();
    } catch {
      announced.forEach((mediaId) => this.#announced.add(mediaId));
      setTimeout(() => this.#hear([]), ASK_AGAIN_MS);
    }
  }

  /** Null when all is to be loaded anew. Above the top of the set all is new, though its event may not have been heard yet. */
  async #find(announced, filter) {
    if (this.#set.isBroken) return null;
    const top = this.#set.at(0);
    const isNew = (media) => announced.has(media.mediaId) || !top || standsBefore(media, top);
    const newest = { ...filter, sort: null, order: null };
    const arrived = [];
    let after = null;
    for (let page = 0; page < MOST_PAGES; page++) {
      const query = new URLSearchParams(searchFromFilter(newest));
      query.set("limit", PAGE_SIZE);
      if (after) query.set("after", after);
      const { items, next, ...counts } = await this.#api.get(`/-/api/media?${query}`);
      if (filter === this.#set.filter) this.#set.setCounts(counts);
      const fresh = items.filter((media) => media && (this.#set.isNewestFirst ? isNew(media) : announced.has(media.mediaId)));
      arrived.push(...fresh);
      if (!next || fresh.length < items.length) return arrived;
      after = next;
    }
    return null;
  }

  #receive(arrived) {
    const known = new Set(this.#held.map(({ mediaId }) => mediaId));
    const fresh = arrived.filter(({ mediaId }) => !known.has(mediaId) && this.#set.placeOf(mediaId) < 0);
    this.#hold([...fresh, ...this.#held]);
    if (this.#held.length && this.#grid.isAtTop && this.#set.isNewestFirst) this.#show();
  }

  #show() {
    const arrived = this.#held;
    this.#hold([]);
    this.#set.prepend(arrived);
    this.#grid.scrollToTop();
  }

  /** The pill is gone after its click; the keys go on in the grid, at the first of the new ones. In another order than by date what is new may stand anywhere. */
  async #showAndFocus() {
    if (this.#set.isNewestFirst) {
      this.#show();
      await this.#set.moveTo(0);
    } else await this.#set.load(this.#set.filter);
    this.#grid.focusCurrent();
  }

  #hold(arrived) {
    this.#held = arrived;
    this.#pill.hidden = !arrived.length;
    setText(this.#pill, arrivedWords(arrived.length));
  }
}
