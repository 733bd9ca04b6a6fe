// The panel beside the pictures: what is known about the current one, or of those that are selected.

import { byId, setText } from "./element.js";
import { commonFacts } from "./facts.js";
import { PictureDetails } from "./info_details.js";
import { InfoKeywords } from "./info_keywords.js";
import { InfoMarks } from "./info_marks.js";
import { InfoNaming } from "./info_naming.js";
import { InfoPreview } from "./info_preview.js";
import { InfoSections, list } from "./info_sections.js";
import { InfoTools } from "./info_tools.js";
import { severalWords } from "./words_info.js";

const PAUSE_MS = 60; // who holds an arrow down passes pictures by: nothing is asked about those
const COVERS = "(max-width: 999px)"; // where it lies over the pictures
const BESIDE_IT = "#info, #info-button, #loupe-info, #toasts, dialog, .menu"; // a tap there is none beside the panel
const NEWS = new Set(["rating.changed", "library.updated"]);

/**
 * Follows a set and a selection while it is open; `hooks` are what its buttons do. While `isAlone()` the current picture
 * counts, whatever is selected.
 */
export class Info {
  #set;
  #selection;
  #isAlone;
  #details;
  #marks;
  #naming;
  #keywords;
  #tools;
  #sections;
  #preview = new InfoPreview();
  #panel = byId("info");
  #timer = null;
  #shown = null; // the one picture that is shown
  #detail = null; // what is known of it, once that is here

  constructor({ api, stream, set, selection, actions, can, hooks = {}, isAlone = () => false }) {
    this.#set = set;
    this.#selection = selection;
    this.#isAlone = isAlone;
    this.#details = new PictureDetails(api);
    this.#marks = new InfoMarks(actions);
    this.#naming = new InfoNaming(can.rate, (media, changes) => this.#reword(actions, media, changes));
    this.#keywords = new InfoKeywords(byId("info-keywords"), { api, mayChange: can.rate, change: (changes) => this.#changeKeywords(actions, changes) });
    this.#tools = new InfoTools(byId("info-tools"), { hooks, mayUse: can.submit });
    this.#sections = new InfoSections(api.base);
    for (const type of ["current", "reset", "removed"]) set.addEventListener(type, () => this.#show());
    set.addEventListener("changed", ({ detail }) => this.#repaint(detail));
    selection.addEventListener("changed", () => this.#reselect());
    new MutationObserver(() => this.#show()).observe(document.body, { attributeFilter: ["class"] }); // the loupe opens and closes
    byId("info-close").addEventListener("click", () => this.#close());
    document.addEventListener("click", (event) => this.#tap(event), { capture: true });
    document.addEventListener("keydown", (event) => this.#press(event));
    stream.addEventListener("events", ({ detail }) => this.#hear(detail));
    stream.addEventListener("reset", () => this.#renew());
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  toggle(open = !this.isOpen) {
    this.#panel.hidden = !open;
    for (const id of ["info-button", "loupe-info"]) byId(id)?.setAttribute("aria-expanded", open);
    this.#show();
  }

  /** Where it covers the pictures, it gives way to a tap beside it. */
  #tap({ target }) {
    if (this.#isCovering && !target.closest(BESIDE_IT)) this.#close();
  }

  #press(event) {
    if (event.key !== "Escape" || event.defaultPrevented || !this.#isCovering) return;
    if (document.querySelector("dialog[open], :popover-open")) return;
    event.preventDefault();
    this.#close();
  }

  get #isCovering() {
    return this.isOpen && matchMedia(COVERS).matches;
  }

  /** The focus goes back to the button that opens it. */
  #close() {
    const hadFocus = this.#panel.contains(document.activeElement);
    this.toggle(false);
    if (hadFocus) byId(document.body.classList.contains("in-loupe") ? "loupe-info" : "info-button")?.focus();
  }

  /** How many pictures it is about. */
  get #count() {
    return this.#isAlone() ? 1 : this.#selection.size;
  }

  /** What was typed for those that were selected is not for others. */
  #reselect() {
    if (this.#count > 1) this.#keywords.drop();
    this.#show();
  }

  #show() {
    const count = this.#count;
    const media = count > 1 ? null : this.#one();
    if (!this.isOpen || media?.mediaId !== this.#shown?.mediaId) clearTimeout(this.#timer);
    if (!this.isOpen) return this.#leave();
    byId("info-none").hidden = count > 1 || Boolean(media);
    byId("info-body").hidden = count <= 1 && !media;
    if (count > 1) this.#showSeveral(count);
    else if (media) this.#showOne(media);
    else this.#leave();
  }

  /** The one that is selected, else the current one. */
  #one() {
    const [mediaId] = !this.#isAlone() && this.#selection.size === 1 && !this.#selection.isAll ? this.#selection.ids() : [];
    return (mediaId && this.#set.find(mediaId)) ?? this.#set.current;
  }

  /** At once what the list knows already, and the rest as soon as it is known. */
  #showOne(media) {
    const isSame = media.mediaId === this.#shown?.mediaId;
    this.#shown = media;
    byId("info-common").hidden = true;
    this.#preview.show(media);
    this.#naming.show(media);
    this.#marks.draw([media]);
    if (isSame) return;
    this.#keywords.drop();
    this.#detail = null;
    this.#fail(null);
    const known = this.#details.find(media.mediaId);
    if (known) return this.#fill(known);
    this.#sections.await(true);
    this.#keywords.show(null);
    this.#tools.show(null);
    this.#timer = setTimeout(() => this.#ask(media), PAUSE_MS);
  }

  async #ask(media) {
    try {
      const known = await this.#details.ask(media.mediaId, Boolean(media.deletedAt));
      if (known && this.#shown?.mediaId === media.mediaId) this.#fill(known);
    } catch (error) {
      if (this.#shown?.mediaId !== media.mediaId) return;
      this.#sections.clear();
      this.#fail(error.words ?? String(error));
    }
  }

  #fill(detail) {
    this.#detail = detail;
    this.#fail(null);
    this.#naming.showDescription(detail.description);
    this.#keywords.show(detail.keywords);
    this.#tools.show(detail);
    this.#sections.show(detail);
  }

  #showSeveral(count) {
    const pictures = this.#selected();
    const areAllKnown = pictures.length === count;
    this.#leave();
    this.#preview.showSeveral(pictures);
    this.#naming.showWords(severalWords(count));
    this.#marks.draw(areAllKnown ? pictures : []);
    this.#keywords.showSeveral();
    this.#tools.hide();
    this.#sections.clear();
    byId("info-common").replaceChildren(list(areAllKnown ? commonFacts(pictures) : []));
    byId("info-common").hidden = false;
  }

  /** Those of the selection that are loaded. */
  #selected() {
    if (this.#selection.isAll) return [];
    return [...this.#selection.ids()].map((mediaId) => this.#set.find(mediaId)).filter(Boolean);
  }

  #leave() {
    this.#details.stop();
    this.#shown = this.#detail = null;
    this.#fail(null);
  }

  #repaint(media) {
    if (!this.isOpen) return;
    if (this.#count > 1) return this.#marks.draw(this.#selected().length === this.#selection.size ? this.#selected() : []);
    if (media.mediaId === this.#shown?.mediaId) this.#showOne(media);
  }

  async #reword(actions, media, changes) {
    await actions.reword(media, changes);
    this.#renew();
  }

  /** Shown at once by the chips; the server's answer is what stays. */
  async #changeKeywords(actions, changes) {
    await actions.changeKeywords(changes);
    this.#renew();
  }

  #hear(events) {
    const jobId = this.#detail?.generation?.jobId ?? NaN; // like no other
    const news = events.filter(({ topic }) => NEWS.has(topic));
    if (news.length) this.#details.forget();
    if (news.some((event) => leavesLibrary(event) && event.subjectId === this.#shown?.mediaId)) return;
    if (news.some((event) => this.#concerns(event)) || events.some(({ subjectId }) => subjectId === jobId)) this.#renew();
  }

  /** What leaves the library is shown no longer, and asked about no more. */
  #concerns(event) {
    const { subjectType, subjectId, data } = event;
    if (leavesLibrary(event)) return false;
    const { mediaId } = this.#shown ?? {};
    if (subjectType !== "change") return subjectId === mediaId;
    return !data.mediaIds || data.mediaIds.includes(mediaId);
  }

  /** Asks again for what is shown, which stays until the answer is here. */
  #renew() {
    this.#details.forget();
    if (this.isOpen && this.#shown) this.#ask(this.#shown);
  }

  #fail(words) {
    setText(byId("info-failed"), words ?? "");
    byId("info-failed").hidden = !words;
  }
}

const leavesLibrary = ({ data }) => Boolean(data.deleted || data.purged || data.review === "discarded");
