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

  #place({ left, right, top }) {
    const { offsetWidth: width, offsetHeight: height } = this.#box;
    const beside = right + GAP + width < innerWidth ? right + GAP : left - GAP - width;
    this.#box.style.left = `${Math.max(GAP, Math.min(beside, innerWidth - width - GAP))}px`;
    this.#box.style.top = `${Math.max(GAP, Math.min(top + GAP, innerHeight - height - GAP))}px`;
  }
}
