// Stars, marks and labels: shown at once, sent one after the other for each picture, put back when refused; those of others too.

import { mediaPath } from "./api.js";
import { toast } from "./toast.js";

const LOGIN = "You are only looking. To rate, run “hotfolder login” and open the link it prints.";
export const MARKS = ["rating", "status", "label"];

/** Changes the rating, the mark and the label of pictures of a set. */
export class Rating {
  #api;
  #set;
  #mayRate;
  #open = new Map(); // media id -> { kept: what the server last said, wanted: what is still to be sent, answers: who waits for it, heard: others' news }

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

  /** Asks for {rating}, {status} or {label}, whether the picture is shown or not; tells later whether that was granted. */
  change(mediaId, changes) {
    if (!this.#mayRate) {
      toast(LOGIN, "warning");
      return Promise.resolve(false);
    }
    return new Promise((answer) => this.#want(mediaId, changes, answer));
  }

  #want(mediaId, changes, answer) {
    const known = this.#open.get(mediaId);
    const entry = known ?? { kept: marksOf(this.#set.find(mediaId) ?? {}), wanted: null, answers: [], heard: false };
    this.#set.update(mediaId, changes);
    entry.wanted = { ...entry.wanted, ...changes };
    entry.answers.push(answer);
    if (!known) this.#begin(mediaId, entry);
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
    const { wanted, answers } = entry;
    Object.assign(entry, { wanted: null, answers: [] });
    try {
      entry.kept = marksOf(await this.#api.post(mediaPath(mediaId), wanted));
      answers.forEach((answer) => answer(true));
    } catch (error) {
      toast(`Not rated: ${error.words}`, "failure");
      answers.forEach((answer) => answer(false));
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

/** The marks among some facts of a picture. */
export const marksOf = (facts) => Object.fromEntries(MARKS.filter((name) => name in facts).map((name) => [name, facts[name]]));
