// The search for texts: what is typed becomes part of the filter.

import { byId, element } from "./element.js";
import { SEARCH } from "./words_filter.js";

const PAUSE_MS = 200;
const KEYS = new Set(["Enter", "ArrowDown", "Escape"]);
const NARROW = "(max-width: 760px)";

/** Puts the cursor into the search box. */
export function focusSearch() {
  byId("search")?.select();
}

/** The search box, in the bar above, or in the toolbar where that is too narrow; `search(text)` is called with what was typed. */
export class SearchBox {
  #search;
  #leave;
  #timer = null;
  #sent = ""; // what the filter has
  #input = element("input", { id: "search", type: "search", class: "field", placeholder: SEARCH.label, "aria-label": SEARCH.label, title: SEARCH.title, maxlength: 500, autocomplete: "off", spellcheck: "false", enterkeyhint: "search" });
  #form = element("form", { class: "search", role: "search" }, this.#input);

  /** `leave()` is called when somebody has enough of it and wants back to the pictures. */
  constructor(toolbar, { search, leave }) {
    this.#search = search;
    this.#leave = leave;
    this.#form.addEventListener("submit", (event) => (event.preventDefault(), this.#send()));
    this.#input.addEventListener("input", () => this.#wait());
    this.#input.addEventListener("keydown", (event) => this.#press(event));
    this.#place(toolbar);
  }

  /** Shows the text of a filter, unless somebody is typing another one. */
  show(text) {
    const isTyping = this.#timer !== null;
    this.#sent = text ?? "";
    if (!isTyping && this.#input.value.trim() !== this.#sent) this.#input.value = this.#sent;
  }

  #place(toolbar) {
    const narrow = matchMedia(NARROW);
    const topbar = document.querySelector(".topbar");
    const move = () => (narrow.matches ? toolbar.prepend(this.#form) : topbar.insertBefore(this.#form, topbar.querySelector(".theme")));
    narrow.addEventListener("change", move);
    move();
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), PAUSE_MS);
  }

  #send() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const text = this.#input.value.trim();
    if (text !== this.#sent) this.#search(text);
  }

  /** Enter and Arrow Down go to what is found, Escape clears and then leaves; other keys typed here mean nothing to the pictures. */
  #press(event) {
    event.stopPropagation();
    if (event.isComposing || !KEYS.has(event.key)) return;
    event.preventDefault();
    const stays = event.key === "Escape" && this.#input.value;
    if (stays) this.#input.value = "";
    this.#send();
    if (!stays) this.#leave();
  }
}
