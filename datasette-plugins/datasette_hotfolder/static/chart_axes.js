// The ground of a chart over time: grid lines with numbers, and days below.

import { labelled } from "./chart_scale.js";
import { svg } from "./chart_svg.js";

const MARGIN = { top: 10, right: 8, bottom: 24 };
const CHARACTER = 6.6;
const LABEL_ROOM = 58;

/** Where things stand: `x(place)` is the left edge of a period, `band` its width, `y(value)` a height. */
export function layOut({ width, height, count, ticks, format }) {
  const left = Math.ceil(Math.max(...ticks.map((each) => format(each).length)) * CHARACTER) + 12;
  const [inner, base] = [Math.max(width - left - MARGIN.right, 1), height - MARGIN.bottom];
  const band = inner / count;
  const top = ticks.at(-1);
  return { left, inner, base, band, top: MARGIN.top, width, x: (place) => left + place * band, y: (value) => base - (value / top) * (base - MARGIN.top) };
}

/** The lines and labels of a layout. */
export function axes(layout, { ticks, format, labels }) {
  const { left, inner, base, x, y, band } = layout;
  const rules = ticks.flatMap((each) => [
    svg("line", { class: each ? "rule" : "rule ground", x1: left, x2: left + inner, y1: Math.round(y(each)) + 0.5, y2: Math.round(y(each)) + 0.5 }),
    svg("text", { class: "tick", x: left - 8, y: y(each) + 4, "text-anchor": "end" }, format(each)),
  ]);
  const isLabelled = labelled(labels.length, inner, LABEL_ROOM);
  const below = labels.flatMap((label, place) => (isLabelled(place) ? [labelBelow(label, x(place) + band / 2, base, layout)] : []));
  return svg("g", { class: "axes" }, ...rules, ...below);
}

/** A label that would reach over the edge ends there. */
function labelBelow(label, center, base, { width }) {
  const half = (label.length * CHARACTER) / 2;
  const isLast = center + half > width;
  return svg("text", { class: "tick", x: isLast ? width : center, y: base + 17, "text-anchor": isLast ? "end" : "middle" }, label);
}
