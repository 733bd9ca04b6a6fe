// The collections: pictures chosen by hand, and filters that were saved, which are collections that live.

import { filterFromSearch, isSameFilter, normal } from "./filter.js";

const PATH = "/-/api/collections";
const SENT_AT_ONCE = 500;

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

  constructor(api) {
    super();
    this.#api = api;
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

  async create(name, { kind = "manual", query } = {}) {
    const made = await this.#api.post(PATH, kind === "live" ? { name, kind, query } : { name, kind });
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

  /** Adds pictures by their ids, which may be many. */
  async add(collection, mediaIds) {
    for (let at = 0; at < mediaIds.length; at += SENT_AT_ONCE) {
      await this.#api.post(`${pathOf(collection)}/media`, { mediaIds: mediaIds.slice(at, at + SENT_AT_ONCE) });
    }
    await this.#renew();
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
