// One kind of condition as a row of buttons, each with the number of pictures it would show.

import { arrange } from "./arrange.js";
import { element, setText } from "./element.js";
import { hasCondition, valuesOf } from "./filter.js";
import { formatNumber } from "./format.js";
import { pillWords, TITLES, valueWords } from "./words_filter.js";

/** A named part of a filter panel. */
export function section(name, ...content) {
  return element("section", { role: "group", "aria-label": TITLES[name], "data-section": name }, element("h3", {}, TITLES[name]), ...content);
}

/** A button that is on or off; its count is set by `setCount`. */
export function pill({ name, value, words, label, click }) {
  const attributes = { type: "button", class: "pill-button", "data-name": name, "data-value": value, "aria-pressed": "false", title: label, click };
  const text = element("span", name === "label" ? { class: "swatch", "data-label": value } : {}, words);
  return element("button", attributes, text, element("small", {}));
}

/** Writes the number of pictures into a pill; what would show none is dim. */
export function setCount(button, n) {
  setText(button.lastChild, n === undefined ? "" : formatNumber(n));
  button.classList.toggle("none", n === 0);
}

/** The values of one name of the filter: the known ones, or (`isOpen`) those that pictures have. */
export class FilterValues {
  #name;
  #isOpen;
  #toggle;
  #pills = new Map(); // value -> button
  #list = element("div", { class: "pills" });

  constructor(name, { isOpen = false, toggle }) {
    this.#name = name;
    this.#isOpen = isOpen;
    this.#toggle = toggle;
    this.node = section(name, this.#list);
    if (!isOpen) valuesOf(name).forEach((value) => this.#add(value));
  }

  /** Shows a filter; `count(name, value)` is how many there are, `offered` the values besides the known ones. */
  draw(filter, count, offered = []) {
    const name = this.#name;
    for (const value of [...offered, ...[filter[name] ?? []].flat()]) if (!this.#pills.has(value)) this.#add(value);
    for (const [value, button] of this.#pills) {
      button.setAttribute("aria-pressed", hasCondition(filter, name, value));
      setCount(button, count(name, value));
    }
    if (this.#isOpen) this.#sort();
    this.node.hidden = this.#pills.size === 0;
  }

  /** What values are called. */
  rename(names) {
    for (const [value, button] of this.#pills) if (names.has(value)) setText(button.firstChild, names.get(value));
    this.#sort();
  }

  /** Other values are no longer there. */
  keep(values) {
    for (const [value, button] of this.#pills) if (!values.has(value)) (button.remove(), this.#pills.delete(value));
  }

  #add(value) {
    const [name, toggle] = [this.#name, this.#toggle];
    const button = pill({ name, value, words: pillWords(name, value), label: valueWords(name, value), click: () => toggle(name, value) });
    this.#pills.set(value, button);
    this.#list.append(button);
  }

  /** Always in the same order, so that nothing moves under a hand. */
  #sort() {
    const words = (button) => button.firstChild.textContent;
    arrange(this.#list, [...this.#pills.values()].sort((one, other) => words(one).localeCompare(words(other))));
  }
}
