// Keywords as chips, and a field that adds to them.

import { element } from "./element.js";
import { toast } from "./toast.js";
import { KEYWORDS, removeWords } from "./words_info.js";

const PAUSE_MS = 150;
const SUGGESTED = 12;
const SUGGESTIONS = "info-keyword-suggestions";
const NOT_THERE = 404;

/** Shows the keywords of one picture, or only the field for several; `change({add, remove})` is called. */
export class InfoKeywords {
  #api;
  #change;
  #mayChange;
  #keywords = [];
  #isSeveral = false;
  #timer = null;
  #suggests = true;
  #chips = element("ul", { class: "keyword-chips", "aria-label": KEYWORDS.title });
  #none = element("span", { class: "hint" }, KEYWORDS.none);
  #list = element("datalist", { id: SUGGESTIONS });
  #field = element("input", { class: "field", list: SUGGESTIONS, autocomplete: "off", maxlength: 200, enterkeyhint: "done" });
  #take = element("button", { type: "button", class: "button", title: KEYWORDS.takeTitle }, KEYWORDS.take);

  constructor(place, { api, mayChange, change }) {
    this.#api = api;
    this.#change = change;
    this.#mayChange = mayChange;
    place.append(this.#chips, this.#none, element("div", { class: "keyword-line", hidden: !mayChange }, this.#field, this.#take), this.#list);
    this.#field.addEventListener("input", () => this.#wait());
    this.#field.addEventListener("keydown", (event) => this.#press(event));
    this.#take.addEventListener("click", () => this.#send("remove"));
  }

  /** The keywords of one picture; null while they are not known yet. */
  show(keywords) {
    this.#draw(keywords ?? [], false);
    this.#none.hidden = !keywords || keywords.length > 0 || this.#mayChange;
  }

  /** What is typed is for the pictures that were shown so far: of others it says nothing. */
  drop() {
    if (this.#field.value && document.activeElement === this.#field) toast(KEYWORDS.dropped, "warning");
    this.#clear();
  }

  showSeveral() {
    this.#draw([], true);
    this.#none.hidden = true;
  }

  #draw(keywords, isSeveral) {
    this.#isSeveral = isSeveral;
    this.#keywords = keywords;
    this.#take.hidden = !isSeveral;
    const words = isSeveral ? KEYWORDS.addAll : KEYWORDS.add;
    this.#field.placeholder = words;
    this.#field.setAttribute("aria-label", words);
    this.#chips.hidden = !keywords.length;
    if (sameWords(this.#chips, keywords)) return;
    const hadFocus = this.#chips.contains(document.activeElement);
    this.#chips.replaceChildren(...keywords.map((keyword) => this.#chip(keyword)));
    if (hadFocus) this.#field.focus();
  }

  #chip(keyword) {
    const remove = () => {
      this.show(this.#keywords.filter((each) => each !== keyword));
      this.#change({ add: [], remove: [keyword] });
    };
    const cross = element("button", { type: "button", "aria-label": removeWords(keyword), title: removeWords(keyword), click: remove }, "✕");
    return element("li", { "data-keyword": keyword }, element("span", {}, keyword), this.#mayChange ? cross : null);
  }

  #press(event) {
    const { key, isComposing } = event;
    if (isComposing) return;
    if (key === "Escape") this.#field.value = "";
    else if (key === "Enter" || key === ",") this.#send("add");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** Several keywords can be given at once, with commas between them. */
  #send(direction) {
    const words = this.#field.value.split(",").map((word) => word.trim()).filter(Boolean);
    const known = new Set(this.#keywords.map((each) => each.toLocaleLowerCase()));
    const given = direction === "add" ? words.filter((word) => !known.has(word.toLocaleLowerCase())) : words;
    this.#clear();
    if (!given.length) return;
    if (!this.#isSeveral) this.show([...this.#keywords, ...given].sort());
    this.#change({ add: [], remove: [], [direction]: given });
  }

  #clear() {
    clearTimeout(this.#timer);
    this.#field.value = "";
    this.#list.replaceChildren();
  }

  #wait() {
    clearTimeout(this.#timer);
    if (this.#suggests) this.#timer = setTimeout(() => this.#suggest(this.#field.value.trim()), PAUSE_MS);
  }

  /** A server that has no list of keywords is not asked again. */
  async #suggest(prefix) {
    if (!prefix) return this.#list.replaceChildren();
    try {
      const { items } = await this.#api.get(`/-/api/keywords?${new URLSearchParams({ prefix, limit: SUGGESTED })}`);
      this.#list.replaceChildren(...items.map(({ keyword }) => element("option", { value: keyword })));
    } catch (error) {
      this.#suggests = error.status !== NOT_THERE;
    }
  }
}

const sameWords = (list, keywords) => list.children.length === keywords.length && keywords.every((keyword, place) => list.children[place].dataset.keyword === keyword);
