// A row of choices, one of which is taken, with room for a value of one's own.

import { element } from "./element.js";

/**
 * Draws options (texts) as radio buttons into a place; `own` describes the field for another value: `type`, `label`,
 * `placeholder`, `title` and more attributes. `changed()` is told of every change by hand.
 */
export class Choice {
  #radios;
  #own;
  #usual;

  constructor(place, { name, label, options, own, usual, changed }) {
    this.#usual = usual;
    const take = () => ((this.#own.value = ""), changed());
    this.#radios = options.map((value) => element("input", { type: "radio", class: "unseen", name: `generate-${name}`, value, change: take }));
    this.#own = element("input", { class: "field own", autocomplete: "off", spellcheck: "false", ...own, input: () => (this.#follow(), changed()) });
    const labels = this.#radios.map((radio) => element("label", {}, radio, radio.value));
    place.replaceChildren(element("div", { class: "seg", role: "radiogroup", "aria-label": label }, ...labels), this.#own);
    this.value = usual;
  }

  /** As text; the usual one when nothing is chosen. */
  get value() {
    return this.#own.value.trim() || this.#radios.find(({ checked }) => checked)?.value || this.#usual;
  }

  set value(value) {
    for (const radio of this.#radios) radio.checked = radio.value === String(value);
    this.#own.value = this.#radios.some(({ checked }) => checked) ? "" : value;
  }

  set disabled(disabled) {
    for (const control of [...this.#radios, this.#own]) control.disabled = disabled;
  }

  /** What is typed takes the place of the choice; what is taken away gives it back. */
  #follow() {
    const typed = this.#own.value.trim();
    for (const radio of this.#radios) radio.checked = radio.value === (typed || this.#usual);
  }
}
