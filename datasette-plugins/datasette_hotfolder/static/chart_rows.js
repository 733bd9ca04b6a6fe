// Horizontal bars: one row a thing, with its name, its bar and its number.

import { element } from "./element.js";
import { tellAt, walkByKeys } from "./chart_marks.js";

/** A list of rows { name, note, value, upper, words, label, href, tip } on the scale of `ticks`; `upper` is a line beyond the bar. */
export function drawRows({ rows, ticks, format, title }, tip) {
  const top = ticks.at(-1);
  const share = (value) => `${(100 * value) / top}%`;
  const marks = rows.map((each) => row(each, share));
  const list = element("ol", { class: "rows", "aria-label": title }, ...marks.map((mark) => element("li", {}, mark)));
  walkByKeys(list, marks);
  tellAt(list, tip, (mark) => rows[marks.indexOf(mark)].tip);
  return element("div", { class: "rows-box" }, list, scale(ticks, format, share));
}

/** What leads nowhere is no link, but can be reached all the same. */
function row({ name, note, value, upper, words, label, href }, share) {
  const track = element("span", { class: "track" }, bar("bar-fill series-1", share(value)));
  if (upper > value) track.append(whisker(share(value), share(upper - value)));
  const names = element("span", { class: "row-name", title: note ? `${name}, ${note}` : name }, name, note ? element("small", {}, note) : null);
  const facts = { class: "mark row", "aria-label": label };
  return element(href ? "a" : "div", href ? { ...facts, href } : { ...facts, role: "img" }, names, track, element("span", { class: "row-words" }, words));
}

function bar(name, width) {
  const node = element("i", { class: name });
  node.style.width = width;
  return node;
}

function whisker(left, width) {
  const node = bar("whisker", width);
  node.style.left = left;
  return node;
}

function scale(ticks, format, share) {
  const labels = ticks.map((each) => {
    const label = element("span", {}, format(each));
    label.style.left = share(each);
    return label;
  });
  return element("div", { class: "row-scale", "aria-hidden": "true" }, element("span", { class: "scale" }, ...labels));
}
