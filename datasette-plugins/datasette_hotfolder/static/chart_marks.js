// What can be pointed at in a chart: links, of which one is in the order of tabs and arrow keys reach the others.

import { element } from "./element.js";

const STEPS = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 };

/** Makes the links of a list walk by arrow keys, Home and End; the last is reached first. */
export function walkByKeys(list, marks) {
  for (const mark of marks) mark.tabIndex = mark === marks.at(-1) ? 0 : -1;
  list.addEventListener("keydown", (event) => {
    const place = marks.indexOf(event.target.closest(".mark"));
    const next = event.key === "Home" ? 0 : event.key === "End" ? marks.length - 1 : place + STEPS[event.key];
    if (place < 0 || Number.isNaN(next) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    marks[Math.max(0, Math.min(next, marks.length - 1))].focus();
  });
  list.addEventListener("focusin", ({ target }) => {
    for (const mark of marks) mark.tabIndex = mark === target ? 0 : -1;
  });
}

/** Shows what `say(mark)` tells, { title, rows }, at the mark that is pointed at or has the focus. */
export function tellAt(list, tip, say) {
  const show = ({ target }) => {
    const mark = target.closest(".mark");
    if (!mark) return;
    const { title, rows } = say(mark);
    tip.show(title, rows, mark);
  };
  for (const type of ["pointerover", "focusin"]) list.addEventListener(type, show);
  for (const type of ["pointerleave", "focusout"]) list.addEventListener(type, () => tip.hide());
}

/** A link over each period of a drawing. */
export function periodMarks(periods, { x, band, top, base }) {
  return periods.map(({ href, label }, place) => {
    const mark = element("a", { class: "mark", href, "aria-label": label, "data-place": place });
    Object.assign(mark.style, { left: `${x(place)}px`, width: `${band}px`, top: `${top}px`, height: `${base - top}px` });
    return mark;
  });
}
