// The numbers of what is pointed at or has the focus.

import { element } from "./element.js";

const GAP = 10;

/** One box for all charts; what it says, the marks say to screen readers themselves. */
export class ChartTip {
  #box = element("div", { class: "tip", "aria-hidden": "true", hidden: true });

  constructor() {
    document.body.append(this.#box);
    addEventListener("scroll", () => this.hide(), { capture: true, passive: true });
    addEventListener("keydown", ({ key }) => key === "Escape" && this.hide());
  }

  /** `rows` are [words, value, class of the colour or null]. */
  show(title, rows, anchor) {
    const lines = rows.map(([name, value, swatch]) => element("tr", {}, element("th", { scope: "row" }, swatch ? element("i", { class: `swatch ${swatch}` }) : null, name), element("td", {}, value)));
    this.#box.replaceChildren(element("b", {}, title), element("table", {}, ...lines));
    this.#box.hidden = false;
    this.#place(anchor.getBoundingClientRect());
  }

  hide() {
    this.#box.hidden = true;
  }

  /** Beside it, where there is room, else below. */
  #place({ left, right, top, bottom }) {
    const { offsetWidth: width, offsetHeight: height } = this.#box;
    const places = [[right + GAP, top + GAP], [left - GAP - width, top + GAP]].filter(([x]) => x >= GAP && x + width + GAP <= innerWidth);
    const [x, y] = places[0] ?? [Math.max(GAP, Math.min(left, innerWidth - width - GAP)), bottom + GAP / 2];
    this.#box.style.left = `${x}px`;
    this.#box.style.top = `${y + height + GAP > innerHeight ? Math.max(GAP, top - GAP / 2 - height) : y}px`;
  }
}
