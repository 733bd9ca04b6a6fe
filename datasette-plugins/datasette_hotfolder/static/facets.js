// How many pictures each value of a filter would show: asked while somebody looks, and not more often than they see.

import { isAbort } from "./api.js";
import { searchFromFilter } from "./filter.js";
import { throttled } from "./throttle.js";

const ASK_EVERY_MS = 500;
const TOPICS = new Set(["rating.changed", "library.updated"]);

/** The counts of the filter that is shown. Tells "changed". */
export class Facets extends EventTarget {
  #api;
  #filter = null;
  #watchers = 0;
  #stopper = new AbortController();
  #ask = throttled(() => this.#fetch(), ASK_EVERY_MS);

  counts = new Map(); // name -> Map of value -> how many
  error = null;

  constructor(api, stream) {
    super();
    this.#api = api;
    stream.addEventListener("events", ({ detail }) => detail.some(({ topic }) => TOPICS.has(topic)) && this.#want());
  }

  /** Somebody looks at the counts. */
  watch() {
    this.#watchers += 1;
    this.#want();
  }

  unwatch() {
    this.#watchers -= 1;
  }

  /** The counts of another filter are wanted. */
  show(filter) {
    this.#filter = filter;
    this.#stopper.abort();
    this.#want();
  }

  /** How many pictures have this value, undefined while that is not known. */
  count(name, value) {
    const counts = this.counts.get(name === "minRating" ? "rating" : name);
    if (!counts) return undefined;
    if (name !== "minRating") return counts.get(value) ?? 0;
    return [...counts].reduce((sum, [stars, n]) => sum + (stars >= value ? n : 0), 0);
  }

  #want() {
    if (this.#watchers && this.#filter) this.#ask();
  }

  async #fetch() {
    if (!this.#watchers) return; // they left meanwhile
    this.#stopper = new AbortController();
    try {
      const found = await this.#api.get(`/-/api/facets${searchFromFilter(this.#filter)}`, { signal: this.#stopper.signal });
      this.counts = new Map(Object.entries(found).filter(([, values]) => Array.isArray(values)).map(([name, values]) => [name, countsOf(values)]));
      this.error = null;
    } catch (error) {
      if (isAbort(error)) return;
      this.error = error;
    }
    this.dispatchEvent(new CustomEvent("changed"));
  }
}

/** What has no value, as an import has no endpoint, cannot be asked for. */
function countsOf(values) {
  const known = values.filter(({ value, keyword }) => (value ?? keyword ?? null) !== null);
  return new Map(known.map(({ value, keyword, n }) => [String(value ?? keyword), n]));
}
