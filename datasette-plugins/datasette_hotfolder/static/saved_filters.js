// The collections: pictures chosen by hand, and filters that were saved, which are collections that live.

import { filterFromSearch, isSameFilter, normal } from "./filter.js";
import { throttled } from "./throttle.js";

const PATH = "/-/api/collections";
const SENT_AT_ONCE = 500;
const ASK_EVERY_MS = 1_000;

const pathOf = ({ collectionId }) => `${PATH}/${encodeURIComponent(collectionId)}`;

/** The filter that shows a collection: its own conditions when it lives, in the chosen order when it was made by hand. */
export function filterOf(collection) {
  if (collection.kind === "live") return filterFromSearch(collection.query ?? "");
  return normal({ collection: collection.collectionId });
}

/** What the server knows of collections. Tells "changed". */
export class Collections extends EventTarget {
  #api;
  #loading = null;

  items = [];
  isLoaded = false;
  error = null;

  constructor(api, stream) {
    super();
    this.#api = api;
    const renew = throttled(() => this.#renew(), ASK_EVERY_MS);
    stream.addEventListener("events", ({ detail }) => this.isLoaded && detail.some(({ subjectType }) => subjectType === "collection") && renew());
  }

  get manual() {
    return this.items.filter(({ kind }) => kind === "manual");
  }

  /** Their names by id. */
  get names() {
    return new Map(this.items.map(({ collectionId, name }) => [collectionId, name]));
  }

  find(collectionId) {
    return this.items.find((each) => each.collectionId === collectionId);
  }

  /** The collection made by hand whose pictures a filter shows. */
  manualOf({ collection }) {
    return this.manual.find(({ collectionId }) => collectionId === collection);
  }

  /** The collection that a filter shows, if it shows one and nothing else. */
  shownBy(filter) {
    const conditions = normal({ ...filter, sort: null, order: null });
    return this.items.find((each) => isSameFilter(filterOf(each), conditions));
  }

  /** Asks for them; several calls at once are one. */
  load() {
    this.#loading ??= this.#fetch().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** Makes one by hand, or one that lives by a query. */
  async create(name, query = null) {
    const made = await this.#api.post(PATH, query === null ? { name } : { name, query });
    await this.#renew();
    return made;
  }

  async rename(collection, name) {
    await this.#api.post(pathOf(collection), { name });
    await this.#renew();
  }

  async remove(collection) {
    await this.#api.delete(pathOf(collection));
    await this.#renew();
  }

  /** Adds pictures by their ids, which may be many; gives how many were not in it. */
  async add(collection, mediaIds) {
    let count = 0;
    for (let at = 0; at < mediaIds.length; at += SENT_AT_ONCE) {
      const { joined } = await this.#api.post(`${pathOf(collection)}/media`, { mediaIds: mediaIds.slice(at, at + SENT_AT_ONCE) });
      count += joined;
    }
    await this.#renew();
    return count;
  }

  /** What was asked for before the change does not know of it. */
  async #renew() {
    await this.#loading;
    await this.load();
  }

  async #fetch() {
    try {
      this.items = (await this.#api.get(PATH)).items;
      this.isLoaded = true;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.dispatchEvent(new CustomEvent("changed"));
  }
}
