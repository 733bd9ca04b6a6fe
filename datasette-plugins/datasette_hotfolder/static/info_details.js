// All that is known of single pictures, asked for one at a time and kept for a while.

import { isAbort, mediaPath } from "./api.js";
import { EndpointNames } from "./endpoint_names.js";

const AT_MOST = 20;

/** Asks for pictures; a later question ends an earlier one, and news empty what is kept. */
export class PictureDetails {
  #api;
  #names;
  #named = null; // resolves once the endpoints' names are here, or cannot be had
  #kept = new Map(); // media id -> what is known, the longest unused first
  #stopper = new AbortController();
  #news = 0;

  constructor(api) {
    this.#api = api;
    this.#names = new EndpointNames(api);
  }

  /** What is known already, or undefined. */
  find(mediaId) {
    const found = this.#kept.get(mediaId);
    if (found) this.#keep(mediaId, found);
    return found;
  }

  /** What the server knows, of what lies in the trash, too; null when another question overtook this one. */
  async ask(mediaId, isDeleted = false) {
    this.stop();
    const stopper = (this.#stopper = new AbortController());
    const news = this.#news;
    try {
      const found = await this.#fetch(mediaPath(mediaId) + (isDeleted ? "?deleted=only" : ""), stopper.signal);
      if (stopper.signal.aborted) return null;
      if (news === this.#news) this.#keep(mediaId, found);
      return found;
    } catch (error) {
      if (isAbort(error) || stopper.signal.aborted) return null;
      throw error;
    }
  }

  async #fetch(path, signal) {
    const found = await this.#api.get(path, { signal });
    const { generation } = found;
    if (!generation) return found;
    await (this.#named ??= this.#names.load());
    generation.endpointName = this.#names.names.get(generation.endpointKey) ?? null;
    return found;
  }

  /** Nobody waits for an answer any more. */
  stop() {
    this.#stopper.abort();
  }

  /** Something changed: what is kept may be old, and what is on its way is not kept. */
  forget() {
    this.#kept.clear();
    this.#news += 1;
  }

  #keep(mediaId, found) {
    this.#kept.delete(mediaId);
    this.#kept.set(mediaId, found);
    if (this.#kept.size > AT_MOST) this.#kept.delete(this.#kept.keys().next().value);
  }
}
