// Pictures of which one is enough: groups of them, side by side, of which one is kept.

import { DuplicateGroup } from "./duplicate_group.js";
import { byId, element, setText } from "./element.js";
import { COMMON, DUPLICATES as WORDS, failedWords } from "./words_care.js";

const PATH = "/-/api/duplicates";
const AT_ONCE = 20;

/** Gives `open()`; `hooks.open(media)` opens a picture in the loupe. */
export function startDuplicates(context, hooks) {
  const duplicates = new Duplicates(context, hooks);
  return { open: () => duplicates.open() };
}

class Duplicates {
  #api;
  #mayChange;
  #openPicture;
  #dialog = byId("duplicates-dialog");
  #list = byId("duplicates-list");
  #hint = byId("duplicates-hint");
  #more = byId("duplicates-more");
  #next = null;
  #turn = 0;

  constructor({ api, can }, { open }) {
    this.#api = api;
    this.#mayChange = can.review;
    this.#openPicture = open;
    this.#more.addEventListener("click", () => this.#load(this.#turn));
    for (const tab of this.#tabs) tab.addEventListener("change", () => this.#begin());
    this.#dialog.addEventListener("close", () => (this.#turn += 1));
  }

  open() {
    this.#dialog.showModal();
    this.#begin();
  }

  get #tabs() {
    return this.#dialog.querySelectorAll("[name=duplicates-kind]");
  }

  get #kind() {
    return [...this.#tabs].find(({ checked }) => checked).value;
  }

  #begin() {
    this.#next = null;
    this.#list.replaceChildren();
    this.#load(++this.#turn);
  }

  /** The next groups; a page without any, of pictures in the trash, leads to the one behind it. */
  async #load(turn) {
    this.#more.hidden = true;
    this.#say(COMMON.loading);
    const known = this.#list.children.length;
    try {
      do {
        const page = await this.#api.get(`${PATH}?${this.#query()}`);
        if (turn !== this.#turn) return;
        this.#take(page);
      } while (this.#next !== null && this.#list.children.length === known);
      this.#more.hidden = this.#next === null;
      if (known) this.#list.children[known]?.querySelector("button, input")?.focus();
    } catch (error) {
      if (turn === this.#turn) this.#fail(error, () => this.#load(this.#turn));
    }
  }

  #query() {
    const query = new URLSearchParams({ kind: this.#kind, limit: AT_ONCE });
    if (this.#next !== null) query.set("after", this.#next);
    return query;
  }

  #take({ groups, next, pending }) {
    this.#next = next;
    this.#list.append(...groups.map((group) => new DuplicateGroup(group, this.#mayChange ? this.#acts : this.#looks).node));
    const nothing = this.#list.children.length ? null : WORDS[this.#kind];
    this.#say([nothing, pending && WORDS.pending(pending)].filter(Boolean).join(" "));
  }

  get #looks() {
    return {
      open: (media) => {
        this.#dialog.close();
        this.#openPicture(media);
      },
    };
  }

  get #acts() {
    return {
      ...this.#looks,
      trash: (mediaIds) => this.#try(() => this.#api.post("/-/api/trash", { mediaIds })),
      restore: (mediaIds) => this.#try(() => this.#api.post("/-/api/trash/restore", { mediaIds })),
      dismiss: (mediaIds) => this.#try(() => this.#api.post(`${PATH}/dismiss`, { mediaIds })),
    };
  }

  /** Whether it was done. */
  async #try(act) {
    try {
      await act();
      this.#say("");
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #say(words) {
    this.#hint.classList.remove("care-failure");
    setText(this.#hint, words);
  }

  #fail(error, again = null) {
    this.#hint.classList.add("care-failure");
    const retry = again ? element("button", { type: "button", class: "button", click: again }, COMMON.again) : "";
    this.#hint.replaceChildren(failedWords(error.words ?? String(error)), " ", retry);
  }
}
