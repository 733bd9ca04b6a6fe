// The keywords of a filter: those chosen, the frequent ones, and a field that completes what is typed.

import { element } from "./element.js";
import { toggled } from "./filter.js";
import { pill, section, setCount } from "./filter_values.js";
import { formatNumber } from "./format.js";
import { FILTER, removeWords } from "./words_filter.js";

const PAUSE_MS = 150;
const OFFERED = 12;
const SUGGESTED = 8;
const LIST = "keyword-suggestions";

/** Chooses keywords, several of which are all asked for. */
export class FilterKeywords {
  #api;
  #choose;
  #filter = null;
  #counts = new Map();
  #timer = null;
  #suggested = [];
  #marked = -1;
  #pills = element("div", { class: "pills" });
  #list = element("ul", { id: LIST, class: "suggestions", role: "listbox", "aria-label": FILTER.addKeyword, hidden: true });
  #input = element("input", { class: "field", type: "text", role: "combobox", placeholder: FILTER.addKeyword, "aria-label": FILTER.addKeyword, "aria-controls": LIST, "aria-expanded": "false", "aria-autocomplete": "list", autocomplete: "off", maxlength: 200 });

  constructor(api, choose) {
    this.#api = api;
    this.#choose = choose;
    this.node = section("keyword", this.#pills, element("div", { class: "completed" }, this.#input, this.#list));
    this.#input.addEventListener("input", () => this.#wait());
    this.#input.addEventListener("keydown", (event) => this.#press(event));
    this.#input.addEventListener("blur", () => this.#close());
  }

  /** Shows a filter, and the counts of keywords within it (a Map, undefined while they are not known). */
  draw(filter, counts) {
    this.#filter = filter;
    this.#counts = counts ?? this.#counts;
    const frequent = [...this.#counts.keys()].filter((each) => !filter.keyword.includes(each)).slice(0, OFFERED);
    const focused = document.activeElement?.dataset.name === "keyword" ? document.activeElement.dataset.value : null;
    this.#pills.replaceChildren(...[...filter.keyword, ...frequent].map((each) => this.#pill(each)));
    if (focused !== null) ([...this.#pills.children].find(({ dataset }) => dataset.value === focused) ?? this.#input).focus({ preventScroll: true });
  }

  #pill(keyword) {
    const isOn = this.#filter.keyword.includes(keyword);
    const button = pill({ name: "keyword", value: keyword, words: keyword, label: isOn ? removeWords(keyword) : keyword, click: () => this.#choose(toggled(this.#filter, "keyword", keyword)) });
    button.setAttribute("aria-pressed", isOn);
    setCount(button, this.#counts.get(keyword));
    return button;
  }

  #wait() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#suggest(this.#input.value.trim()), PAUSE_MS);
  }

  /** Keywords that begin so: the frequent ones of this filter first, then the others of the library. */
  async #suggest(prefix) {
    if (!prefix) return this.#close();
    const here = [...this.#counts].filter(([keyword]) => keyword.toLowerCase().startsWith(prefix.toLowerCase()));
    this.#show(new Map(here));
    const query = new URLSearchParams({ prefix, limit: SUGGESTED });
    const { items } = await this.#api.get(`/-/api/keywords?${query}`).catch(() => ({ items: [] }));
    if (this.#input.value.trim() !== prefix || !items.length) return;
    this.#show(new Map([...items.map(({ keyword, n }) => [keyword, n]), ...here]));
  }

  #show(found) {
    this.#suggested = [...found].filter(([keyword]) => !this.#filter.keyword.includes(keyword)).slice(0, SUGGESTED);
    this.#list.replaceChildren(...this.#suggested.map(([keyword, n], place) => this.#option(keyword, n, place)));
    this.#list.hidden = !this.#suggested.length;
    this.#input.setAttribute("aria-expanded", String(!this.#list.hidden));
    this.#mark(-1);
  }

  #option(keyword, n, place) {
    const mousedown = (event) => (event.preventDefault(), this.#add(keyword)); // the field keeps the cursor
    return element("li", { id: `${LIST}-${place}`, role: "option", "aria-selected": "false", mousedown }, element("span", {}, keyword), element("small", {}, formatNumber(n)));
  }

  #mark(place) {
    const options = [...this.#list.children];
    this.#marked = place < options.length ? place : Math.min(0, options.length - 1);
    options.forEach((option, each) => option.setAttribute("aria-selected", String(each === this.#marked)));
    if (this.#marked < 0) this.#input.removeAttribute("aria-activedescendant");
    else this.#input.setAttribute("aria-activedescendant", `${LIST}-${this.#marked}`);
  }

  #press(event) {
    const { key } = event;
    if (key === "ArrowDown") this.#mark(this.#marked + 1);
    else if (key === "ArrowUp") this.#mark(this.#marked <= 0 ? this.#suggested.length - 1 : this.#marked - 1);
    else if (key === "Enter") this.#add(this.#suggested[this.#marked]?.[0] ?? this.#input.value.trim());
    else if (key === "Escape" && this.#input.value) this.#close();
    else return;
    event.preventDefault();
  }

  #add(keyword) {
    if (!keyword) return;
    this.#close();
    if (!this.#filter.keyword.includes(keyword)) this.#choose(toggled(this.#filter, "keyword", keyword));
  }

  #close() {
    clearTimeout(this.#timer);
    this.#input.value = "";
    this.#show(new Map());
  }
}
