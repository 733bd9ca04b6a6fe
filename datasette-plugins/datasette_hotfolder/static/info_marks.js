// Stars, picks and labels to click on, for one picture or for several.

import { byId, element } from "./element.js";
import { sameOf } from "./facts.js";
import { keyed, LABELS, PICKS, starWords } from "./words_info.js";

/** A click on what is there already takes it away. */
export class InfoMarks {
  #stars = byId("info-stars");
  #picks = byId("info-picks");
  #labels = byId("info-labels");

  constructor(actions) {
    this.#stars.append(...[1, 2, 3, 4, 5].map((stars) => toggle({ words: starWords(stars), key: stars, text: "★", choose: (isOn) => actions.rate(isOn ? 0 : stars) })));
    this.#picks.append(...PICKS.map(([mark, words, key]) => toggle({ words, key, text: words, class: "chip", mark, choose: (isOn) => actions.mark(isOn ? null : mark) })));
    this.#labels.append(...LABELS.map(([label, words, key]) => toggle({ words, key, class: "info-label", mark: label, choose: (isOn) => actions.label(isOn ? null : label) })));
  }

  /** Shows what these pictures have in common. */
  draw(pictures) {
    const [rating, status, label] = ["rating", "status", "label"].map((name) => (pictures.length ? sameOf(pictures, name) : undefined));
    [...this.#stars.children].forEach((star, index) => {
      star.classList.toggle("lit", index < (rating ?? 0));
      star.setAttribute("aria-pressed", index + 1 === rating);
    });
    for (const pick of this.#picks.children) pick.setAttribute("aria-pressed", pick.dataset.mark === status);
    for (const swatch of this.#labels.children) swatch.setAttribute("aria-pressed", swatch.dataset.mark === label);
  }
}

function toggle({ words, key, text = null, mark = null, choose, ...more }) {
  const click = ({ currentTarget }) => choose(currentTarget.getAttribute("aria-pressed") === "true");
  return element("button", { type: "button", "aria-label": words, title: keyed(words, key), "aria-pressed": "false", "data-mark": mark, click, ...more }, text);
}
