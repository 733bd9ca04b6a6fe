// What is done to pictures: to the chosen ones, or to the current one; shown at once, taken back by undo or when refused.

import { mediaPath } from "./api.js";
import { toast } from "./toast.js";
import { UndoStack } from "./undo.js";
import * as words from "./words_actions.js";
import { REVIEW, TRASH } from "./words_care.js";

const MARKS = ["rating", "status", "label"];

/** Tells "changed" (detail: what was asked for) when something was done to the current picture alone. */
export class Actions extends EventTarget {
  #api;
  #set;
  #selection;
  #rating;
  #can;
  #undo = new UndoStack();
  #advance;
  #isAlone;

  /**
   * `advance()` goes on to the next picture; `rating` changes one picture at a time; while `isAlone()` only the current
   * picture counts, whatever is chosen.
   */
  constructor({ api, set, selection, rating, can, advance, isAlone }) {
    super();
    this.#api = api;
    this.#set = set;
    this.#selection = selection;
    this.#rating = rating;
    this.#can = can;
    this.#advance = advance;
    this.#isAlone = isAlone;
  }

  rate(stars, { advance = false } = {}) {
    return this.change({ rating: stars }, { advance });
  }

  mark(status, { advance = false } = {}) {
    return this.change({ status }, { advance });
  }

  /** The same label again takes it away. */
  label(name) {
    const isOn = this.#isSingle && this.#set.current?.label === name;
    return this.change({ label: isOn ? null : name });
  }

  /** Changes rating, status or label of the chosen pictures. */
  change(changes, { advance = false } = {}) {
    if (!this.#may("rate", words.RATE_LOGIN)) return false;
    if (this.#isSingle) return this.#changeOne(this.#single(), changes, advance);
    this.#changeMany(changes);
    return true;
  }

  changeKeywords({ add = [], remove = [] }) {
    if (!this.#may("rate", words.RATE_LOGIN)) return false;
    return this.#changeMany({ addKeywords: add, removeKeywords: remove });
  }

  /** Title and description: of the current picture alone. */
  async reword(media, changes) {
    if (!this.#may("rate", words.RATE_LOGIN)) return;
    const before = Object.fromEntries(Object.keys(changes).map((name) => [name, media[name] ?? null]));
    await this.#post(mediaPath(media.mediaId), changes, (answer) => {
      this.#set.update(media.mediaId, answer);
      this.#undo.push(words.REWORDED, async () => this.#set.update(media.mediaId, await this.#api.post(mediaPath(media.mediaId), before)));
    });
  }

  async trash() {
    if (this.#set.filter.deleted || !this.#may("review", words.REVIEW_LOGIN)) return;
    const target = this.#target();
    await this.#post("/-/api/trash", target, ({ trashed, changeId }) => {
      target.mediaIds?.forEach((mediaId) => this.#set.remove(mediaId));
      this.#finish(target);
      this.#undo.push(words.trashed(trashed), async () => {
        await this.#takeBack(changeId);
        if (!target.mediaIds?.every((mediaId) => this.#set.putBack(mediaId))) this.#set.reload();
      });
      toast(words.trashedHint(trashed));
    });
  }

  async restore() {
    if (!this.#may("review", words.REVIEW_LOGIN)) return;
    const target = this.#target();
    await this.#post("/-/api/trash/restore", target, ({ restored }) => {
      target.mediaIds?.forEach((mediaId) => this.#set.remove(mediaId));
      this.#finish(target);
      toast(words.restored(restored));
    });
  }

  async undo() {
    const done = this.#undo.pop();
    if (!done) return toast(words.NOTHING_TO_UNDO);
    try {
      await done.run();
      toast(words.undone(done.words));
    } catch (error) {
      toast(words.notUndone(error.words ?? String(error)), "failure");
    }
  }

  async download({ sidecars = false } = {}) {
    if (!this.#can.look) return void toast(words.LOOK_LOGIN, "warning");
    await this.#post("/-/api/download", { ...this.#target(), sidecars }, ({ url }) => location.assign(this.#api.base + url));
  }

  async addTo(collectionId, name) {
    if (!this.#may("rate", words.RATE_LOGIN)) return;
    const target = this.#target();
    const path = `/-/api/collections/${encodeURIComponent(collectionId)}/media`;
    await this.#post(path, target, () => {
      toast(words.addedTo(name));
      this.#undo.push(words.addedTo(name), () => this.#api.post(path, { ...target, remove: true }));
    });
  }

  async removeFrom(collectionId, name) {
    if (!this.#may("rate", words.RATE_LOGIN)) return;
    const target = this.#target();
    const path = `/-/api/collections/${encodeURIComponent(collectionId)}/media`;
    await this.#post(path, { ...target, remove: true }, () => {
      target.mediaIds?.forEach((mediaId) => this.#set.remove(mediaId));
      this.#undo.push(words.removedFrom(name), () => this.#api.post(path, target));
      toast(words.removedFrom(name));
    });
  }

  accept(collection = null) {
    return this.#review({ decision: "accept", ...(collection ? { collection } : {}) });
  }

  discard() {
    return this.#review({ decision: "discard" });
  }

  /** The next picture is there at once. A decision is final: what was discarded lies in the trash, from where it comes back accepted. */
  async #review(decision) {
    if (!this.#may("review", words.REVIEW_LOGIN)) return;
    const target = this.#target();
    const { mediaIds = [] } = target;
    if (!target.view && !mediaIds.length) return;
    mediaIds.forEach((mediaId) => this.#set.remove(mediaId));
    this.#selection.clear();
    const done = await this.#post("/-/api/review", { ...target, ...decision }, ({ decided, skipped }) => {
      if (target.view) this.#set.reload();
      if (decided) this.#undo.push(REVIEW.undone(decision.decision, decided), () => this.#takeDecisionBack(decision, mediaIds));
      toast(words.decided(decision.decision, decided, skipped));
    });
    if (!done && !mediaIds.every((mediaId) => this.#set.putBack(mediaId))) this.#set.reload();
  }

  async #takeDecisionBack({ decision }, mediaIds) {
    if (decision === "accept" || !mediaIds.length) throw Object.assign(new Error(), { words: REVIEW.final(decision) });
    await this.#api.post("/-/api/trash/restore", { mediaIds });
  }

  get #isSingle() {
    return this.#isAlone() || (!this.#selection.isAll && this.#selection.size <= 1);
  }

  #single() {
    const [mediaId] = this.#isAlone() ? [] : this.#selection.ids();
    return this.#set.find(mediaId) ?? this.#set.current;
  }

  #target() {
    const { current } = this.#set;
    return this.#isAlone() && current ? { mediaIds: [current.mediaId] } : this.#selection.target();
  }

  /** What lies in the trash is not rated or described. */
  #may(scope, login) {
    const isClosed = scope === "rate" && Boolean(this.#set.filter.deleted);
    if (!this.#can[scope] || isClosed) toast(isClosed ? TRASH.restoreFirst : login, "warning");
    return this.#can[scope] && !isClosed;
  }

  #changeOne(media, changes, advance) {
    if (!media) return false;
    const before = Object.fromEntries(Object.keys(changes).map((name) => [name, media[name] ?? null]));
    if (!this.#rating.change(media, changes)) return false;
    this.#undo.push(words.changed(changes, 1), () => this.#rating.change(media, before));
    this.dispatchEvent(new CustomEvent("changed", { detail: changes }));
    if (advance) this.#advance();
    return true;
  }

  /** Of all of a filter only the server knows which they are: they are loaded anew afterwards. */
  async #changeMany(changes) {
    const target = this.#target();
    const before = this.#remember(target, changes);
    before.forEach(({ mediaId }) => this.#set.update(mediaId, marksIn(changes)));
    const putBack = () => before.forEach(({ mediaId, marks }) => this.#set.update(mediaId, marks));
    const done = await this.#post("/-/api/media/bulk", { ...target, ...changes }, ({ changed, changeId }) => {
      toast(words.changed(changes, changed));
      if (!changed) return;
      if (target.view) this.#set.reload();
      this.#undo.push(words.changed(changes, changed), async () => {
        await this.#takeBack(changeId);
        if (target.view) this.#set.reload();
        else putBack();
      });
    });
    if (!done) putBack();
    return done;
  }

  /** What those of the chosen pictures that are loaded have now. */
  #remember({ mediaIds = [] }, changes) {
    const names = Object.keys(marksIn(changes));
    return mediaIds
      .map((mediaId) => this.#set.find(mediaId))
      .filter(Boolean)
      .map((media) => ({ mediaId: media.mediaId, marks: Object.fromEntries(names.map((name) => [name, media[name] ?? null])) }));
  }

  #takeBack(changeId) {
    return this.#api.post(`/-/api/changes/${encodeURIComponent(changeId)}/undo`);
  }

  /** What left the page is chosen no longer. */
  #finish(target) {
    this.#selection.clear();
    if (target.view) this.#set.reload();
  }

  async #post(path, body, then) {
    try {
      then(await this.#api.post(path, body));
      return true;
    } catch (error) {
      toast(words.refused(error.words ?? String(error)), "failure");
      return false;
    }
  }
}

const marksIn = (changes) => Object.fromEntries(Object.entries(changes).filter(([name]) => MARKS.includes(name)));
