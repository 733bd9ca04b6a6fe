// Stars and marks: shown at once, sent one after the other for each picture, put back when refused; those of others too.

import { mediaPath } from "./api.js";
import { toast } from "./toast.js";

const LOGIN = "You are only looking. To rate, run “hotfolder login” and open the link it prints.";

/** Changes the rating and the mark of pictures of a set. */
export class Rating {
  #api;
  #set;
  #mayRate;
  #open = new Map(); // media id -> { kept: what the server last said, wanted: what is still to be sent, heard: others' news }

  constructor(api, set, mayRate) {
    this.#api = api;
    this.#set = set;
    this.#mayRate = mayRate;
  }

  /** What others change, and this visitor in another tab; while a change of ours is on its way nobody knows which is older. */
  hear({ subjectId, data }) {
    const entry = this.#open.get(subjectId);
    if (entry) entry.heard = true;
    else this.#set.update(subjectId, marksOf(data));
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
    else this.#begin(mediaId, { kept: { rating, status }, wanted: changes, heard: false });
  }

  #begin(mediaId, entry) {
    this.#open.set(mediaId, entry);
    this.#send(mediaId, entry);
  }

  async #send(mediaId, entry) {
    while (entry.wanted || entry.heard) {
      if (entry.wanted) await this.#post(mediaId, entry);
      else await this.#look(mediaId, entry);
      this.#set.update(mediaId, { ...entry.kept, ...entry.wanted });
    }
    this.#open.delete(mediaId);
  }

  async #post(mediaId, entry) {
    const changes = entry.wanted;
    entry.wanted = null;
    try {
      entry.kept = marksOf(await this.#api.post(mediaPath(mediaId), changes));
    } catch (error) {
      toast(`Not rated: ${error.words}`, "failure");
    }
  }

  async #look(mediaId, entry) {
    entry.heard = false;
    try {
      entry.kept = marksOf(await this.#api.get(mediaPath(mediaId)));
    } catch {
      // what our own change brought stays
    }
  }
}

function marksOf(facts) {
  const known = ["rating", "status"].filter((name) => name in facts);
  return Object.fromEntries(known.map((name) => [name, facts[name]]));
}
