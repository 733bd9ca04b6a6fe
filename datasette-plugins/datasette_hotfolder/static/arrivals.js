// New pictures: they appear at the top of the grid, or wait behind a pill while something else is looked at.

import { byId, setText } from "./element.js";
import { formatNumber } from "./format.js";
import { searchFromFilter } from "./filter.js";
import { throttled } from "./throttle.js";

const ASK_EVERY_MS = 700;
const PAGE_SIZE = 100;
const MOST_PAGES = 10;

/** Follows the events of a library into a set of pictures and its grid. */
export class Arrivals {
  #api;
  #set;
  #grid;
  #announced = new Set();
  #held = [];
  #pill = byId("arrivals");
  #ask = throttled(() => this.#fetch(), ASK_EVERY_MS);

  constructor(api, stream, set, grid) {
    this.#api = api;
    this.#set = set;
    this.#grid = grid;
    stream.addEventListener("events", ({ detail }) => this.#hear(detail));
    set.addEventListener("reset", () => this.#hold([]));
    this.#pill.addEventListener("click", () => this.#show());
    byId("scroller").addEventListener("scroll", () => this.#held.length && grid.isAtTop && this.#show(), { passive: true });
  }

  #hear(events) {
    for (const { topic, subjectId } of events) if (topic === "library.updated") this.#announced.add(subjectId);
    if (this.#announced.size) this.#ask();
  }

  /** The server knows what fits the filter: what is new among the first pages is what arrived. */
  async #fetch() {
    const announced = this.#announced;
    const { filter } = this.#set;
    this.#announced = new Set();
    try {
      const arrived = await this.#find(announced, filter);
      if (filter === this.#set.filter) this.#receive(arrived);
    } catch {
      announced.forEach((mediaId) => this.#announced.add(mediaId)); // the next event asks again
    }
  }

  async #find(announced, filter) {
    const arrived = [];
    let after = null;
    for (let page = 0; page < MOST_PAGES; page++) {
      const query = new URLSearchParams(searchFromFilter(filter));
      query.set("limit", PAGE_SIZE);
      if (after) query.set("after", after);
      const { items, next, ...counts } = await this.#api.get(`/-/api/media?${query}`);
      if (filter === this.#set.filter) this.#set.setCounts(counts);
      const fresh = items.filter(({ mediaId }) => announced.has(mediaId));
      arrived.push(...fresh);
      if (!next || fresh.length < items.length) break;
      after = next;
    }
    return arrived;
  }

  #receive(arrived) {
    const known = new Set(this.#held.map(({ mediaId }) => mediaId));
    const fresh = arrived.filter(({ mediaId }) => !known.has(mediaId) && this.#set.placeOf(mediaId) < 0);
    this.#hold([...fresh, ...this.#held]);
    if (this.#grid.isAtTop) this.#show();
  }

  #show() {
    const arrived = this.#held;
    this.#hold([]);
    this.#set.prepend(arrived);
    this.#grid.scrollToTop();
  }

  #hold(arrived) {
    this.#held = arrived;
    this.#pill.hidden = !arrived.length;
    setText(this.#pill, `↑ ${formatNumber(arrived.length)} new`);
  }
}
