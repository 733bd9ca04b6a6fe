// Some pictures of which one is enough: which to keep, and what becomes of the others.

import { element } from "./element.js";
import { formatBytes, formatInstant } from "./format.js";
import { DUPLICATES as WORDS } from "./words_care.js";
import { nameOf } from "./words_grid.js";

/** Calls `acts.open(media)`, and `trash|restore|dismiss(mediaIds)`, which say whether it was done; those that are missing are not offered. */
export class DuplicateGroup {
  #group;
  #acts;
  #name = `keep-${crypto.getRandomValues(new Uint32Array(1))[0]}`;

  constructor(group, acts) {
    this.#group = group;
    this.#acts = acts;
    this.node = element("li", { class: "duplicate-group", role: "group", "aria-label": WORDS.group(group.kind, group.items.length) });
    this.#draw();
  }

  #draw() {
    const cards = this.#group.items.map((media) => this.#card(media));
    this.node.replaceChildren(element("div", { class: "duplicate-cards" }, ...cards), ...this.#buttons());
  }

  #card(media) {
    const { mediaId, thumbnailUrl, rating, bytes, createdAt } = media;
    const name = nameOf(media);
    const image = element("img", { src: thumbnailUrl, alt: "", width: 400, height: 400, loading: "lazy", decoding: "async" });
    const look = element("button", { type: "button", class: "duplicate-picture", title: WORDS.open(name), "aria-label": WORDS.open(name), click: () => this.#acts.open(media) }, image);
    const facts = [WORDS.sizeOf(media), formatBytes(bytes), formatInstant(createdAt), WORDS.starsOf(rating)];
    const lines = facts.map((each) => element("small", {}, each));
    return element("div", { class: "duplicate-card", "data-media-id": mediaId }, look, element("span", { class: "duplicate-name", title: name }, name), ...lines, this.#acts.trash ? this.#choice(media, name) : null);
  }

  #choice({ mediaId }, name) {
    const isBest = mediaId === this.#group.keep;
    const radio = element("input", { type: "radio", name: this.#name, value: mediaId, checked: isBest, "aria-label": WORDS.keepOf(name) });
    return element("label", { class: "duplicate-keep", title: isBest ? WORDS.best : WORDS.keepOf(name) }, radio, WORDS.keep);
  }

  #buttons() {
    const { trash, dismiss } = this.#acts;
    if (!trash) return [];
    const put = element("button", { type: "button", class: "button", click: ({ currentTarget }) => this.#trash(currentTarget) }, WORDS.trash(this.#group.items.length - 1));
    const leave = element("button", { type: "button", class: "plain", title: WORDS.dismissTitle, click: () => this.#dismiss(dismiss) }, WORDS.dismiss);
    return [element("div", { class: "duplicate-acts" }, put, leave)];
  }

  get #ids() {
    return this.#group.items.map(({ mediaId }) => mediaId);
  }

  async #trash(button) {
    const kept = this.node.querySelector("input:checked").value;
    const others = this.#ids.filter((mediaId) => mediaId !== kept);
    button.disabled = true;
    if (await this.#acts.trash(others)) this.#settle(WORDS.trashed(others.length), () => this.#restore(others));
    else button.disabled = false;
  }

  async #restore(others) {
    if (!(await this.#acts.restore(others))) return;
    this.#draw();
    this.node.querySelector(".duplicate-acts button").focus();
  }

  async #dismiss(dismiss) {
    if (await dismiss(this.#ids)) this.#settle(WORDS.dismissed);
  }

  /** What was done takes the place of the pictures, and the next group is at hand. */
  #settle(words, undo = null) {
    const back = undo ? element("button", { type: "button", class: "plain", click: undo }, WORDS.undo) : "";
    this.node.replaceChildren(element("p", { class: "duplicate-done", role: "status" }, words, " ", back));
    const open = [...this.node.parentElement.querySelectorAll(".duplicate-acts")];
    const next = open.find((each) => this.node.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING) ?? open.at(-1);
    const target = next?.querySelector("button") ?? (back || null);
    target?.focus();
  }
}
