// Stars and marks: shown at once, sent one after the other for each picture, put back when refused.

import { mediaPath } from "./api.js";
import { toast } from "./toast.js";

const LOGIN = "You are only looking. To rate, run “hotfolder login” and open the link it prints.";

/** Changes the rating and the mark of pictures of a set. */
export class Rating {
  #api;
  #set;
  #mayRate;
  #open = new Map(); // media id -> { kept: what the server last said, wanted: what is still to be sent }

  constructor(api, set, mayRate) {
    this.#api = api;
    this.#set = set;
    this.#mayRate = mayRate;
  }

  /** Whether a change of ours is on its way, so that older news of the picture is not to be shown. */
  isPending(mediaId) {
    return this.#open.has(mediaId);
  }

  /** Asks for {rating} and/or {status}; false when this visitor may not. */
  change(media, changes) {
    if (!this.#mayRate) {
      toast(LOGIN, "warning");
      return false;
    }
    const differs = Object.keys(changes).some((name) => media[name] !== changes[name]);
    if (differs) this.#want(media, changes);
    return true;
  }

  #want(media, changes) {
    const { mediaId, rating, status } = media;
    const entry = this.#open.get(mediaId);
    this.#set.update(mediaId, changes);
    if (entry) entry.wanted = { ...entry.wanted, ...changes };
    else this.#begin(mediaId, { kept: { rating, status }, wanted: changes });
  }

  #begin(mediaId, entry) {
    this.#open.set(mediaId, entry);
    this.#send(mediaId, entry);
  }

  async #send(mediaId, entry) {
    while (entry.wanted) {
      const changes = entry.wanted;
      entry.wanted = null;
      try {
        const { rating, status } = await this.#api.post(mediaPath(mediaId), changes);
        entry.kept = { rating, status };
      } catch (error) {
        toast(`Not rated: ${error.words}`, "failure");
      }
      this.#set.update(mediaId, { ...entry.kept, ...entry.wanted });
    }
    this.#open.delete(mediaId);
  }
}
