// What is done to pictures: to the chosen ones, or to the current one; shown at once, taken back by undo or when refused.

import { mediaPath } from "./api.js";
import { takeAway } from "./leaving.js";
import { marksOf } from "./rating.js";
import { toast } from "./toast.js";
import { UndoStack } from "./undo.js";
import * as words from "./words_actions.js";
import { REVIEW, TRASH } from "./words_care.js";

/** Tells "changed" (detail: what was asked for) when something was done to the current picture alone, and "returned" when some are back. */
export class Actions extends EventTarget {
  #api;
  #set;
  #selection;
  #rating;
  #can;
  #undo = new UndoStack();
  #underWay = null; // what the server has not answered yet: what was done last may be among it
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
  label(name, { advance = false } = {}) {
    const isOn = this.#isSingle && this.#single()?.label === name;
    return this.change({ label: isOn ? null : name }, { advance });
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
    await this.#leave("/-/api/trash", {}, ({ trashed, changeId }, putBack) => {
      if (!trashed) return;
      this.#undo.push(words.trashed(trashed), async () => {
        await this.#takeBack(changeId);
        await putBack();
      });
      toast(words.trashedHint(trashed, Boolean(this.#set.filter.collection)));
    });
  }

  async restore() {
    if (!this.#may("review", words.REVIEW_LOGIN)) return;
    await this.#leave("/-/api/trash/restore", {}, ({ restored }) => restored && toast(words.restored(restored)));
  }

  async undo() {
    await this.#underWay;
    const done = this.#undo.pop();
    if (!done) return toast(words.NOTHING_TO_UNDO);
    try {
      if ((await done.run()) !== false) toast(words.undone(done.words));
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
    const path = `${collectionPath(collectionId)}/media`;
    await this.#post(path, target, () => {
      toast(words.addedTo(name));
      this.#undo.push(words.addedTo(name), () => this.#api.post(path, { ...target, remove: true }));
    });
  }

  async removeFrom(collectionId, name) {
    if (!this.#may("rate", words.RATE_LOGIN)) return;
    const path = `${collectionPath(collectionId)}/media`;
    await this.#leave(path, { remove: true }, ({ left }, putBack, target) => {
      if (!left) return;
      if (target.mediaIds) this.#undo.push(words.removedFrom(name), () => this.#api.post(path, target).then(putBack));
      toast(words.removedFrom(name));
    });
  }

  /** Puts pictures of a collection in another order, in the places that they have together. */
  async order(collectionId, before, after) {
    if (!this.#may("rate", words.RATE_LOGIN)) return;
    const put = async (mediaIds) => {
      await this.#api.post(`${collectionPath(collectionId)}/order`, { mediaIds });
      await this.#set.reload();
      this.dispatchEvent(new Event("returned"));
    };
    try {
      await put(after);
      this.#undo.push(words.ORDERED, () => put(before));
    } catch (error) {
      toast(words.refused(error.words ?? String(error)), "failure");
    }
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
    await this.#leave("/-/api/review", decision, ({ decided, skipped }, _, { mediaIds = [] }) => {
      if (decided) this.#undo.push(REVIEW.undone(decision.decision, decided), () => this.#takeDecisionBack(decision, mediaIds));
      toast(words.decided(decision.decision, decided, skipped));
    });
  }

  /** What is meant leaves the page at once, and is chosen no longer; of all of a filter only the server knows which they are. */
  async #leave(path, more, then) {
    const target = this.#target();
    const { view, mediaIds = [] } = target;
    if (!view && !mediaIds.length) return;
    const back = takeAway(this.#set, mediaIds);
    const putBack = async (how) => {
      await (view ? this.#set.reload() : back(how));
      this.dispatchEvent(new Event("returned"));
    };
    if (!view && !this.#isAlone()) this.#selection.clear();
    const done = await this.#post(path, { ...target, ...more }, (answer) => {
      if (view) this.#set.reload();
      then(answer, () => putBack({ always: true }), target);
    });
    if (!done && !view) await putBack();
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
    if (Object.keys(changes).some((name) => before[name] !== changes[name])) this.#mark(media.mediaId, before, changes);
    this.dispatchEvent(new CustomEvent("changed", { detail: changes }));
    if (advance) this.#advance();
    return true;
  }

  /** What was refused is not there to be taken back; what is refused of an undo has been told of. */
  async #mark(mediaId, before, changes) {
    const forget = this.#undo.push(words.changed(changes, 1), () => this.#rating.change(mediaId, before));
    if (!(await this.#rating.change(mediaId, changes))) forget();
  }

  /** Of all of a filter only the server knows which they are: they are loaded anew afterwards. */
  async #changeMany(changes) {
    const target = this.#target();
    const before = this.#remember(target, changes);
    before.forEach(({ mediaId }) => this.#set.update(mediaId, marksOf(changes)));
    const putBack = () => before.forEach(({ mediaId, marks }) => this.#set.update(mediaId, marks));
    const done = await this.#post("/-/api/media/bulk", { ...target, ...changes }, ({ changed, changeId, skipped }) => {
      toast(words.changed(changes, changed) + words.fullOfKeywords(skipped), skipped ? "warning" : "info");
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
    const names = Object.keys(marksOf(changes));
    return mediaIds
      .map((mediaId) => this.#set.find(mediaId))
      .filter(Boolean)
      .map((media) => ({ mediaId: media.mediaId, marks: Object.fromEntries(names.map((name) => [name, media[name] ?? null])) }));
  }

  #takeBack(changeId) {
    return this.#api.post(`/-/api/changes/${encodeURIComponent(changeId)}/undo`);
  }

  #post(path, body, then) {
    const done = this.#send(path, body, then, this.#underWay);
    this.#underWay = Promise.all([this.#underWay, done]).then(() => null);
    return done;
  }

  /** What was done before is told before, whichever answer is quicker: undo begins with the last. */
  async #send(path, body, then, before) {
    try {
      const answer = await this.#api.post(path, body);
      await before;
      then(answer);
      return true;
    } catch (error) {
      toast(words.refused(error.words ?? String(error)), "failure");
      return false;
    }
  }
}

const collectionPath = (collectionId) => `/-/api/collections/${encodeURIComponent(collectionId)}`;
