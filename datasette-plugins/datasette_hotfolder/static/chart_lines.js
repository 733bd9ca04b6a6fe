// A line over time with a band above it; a period without a value leaves a gap.

import { axes, layOut } from "./chart_axes.js";
import { svg } from "./chart_svg.js";

const DOTS_AT_MOST = 60;

/** The drawing, and where the periods stand. The first value is the line, the second the upper edge of the band. */
export function drawLine(spec, width, height) {
  const { periods, ticks, format } = spec;
  const layout = layOut({ width, height, count: periods.length, ticks, format });
  const points = periods.map(({ values: [line, upper] }, place) => (line === null ? null : { x: layout.x(place) + layout.band / 2, line: layout.y(line), upper: layout.y(upper) }));
  const runs = runsOf(points);
  const bands = runs.map((run) => svg("path", { class: "band", d: `${path(run, "upper")}${path(run.toReversed(), "line").replace("M", "L")}z` }));
  const lines = runs.map((run) => svg("path", { class: "line", d: path(run, "line") }));
  const dots = points.filter((point) => point && (periods.length <= DOTS_AT_MOST || isAlone(runs, point)));
  const marks = dots.map(({ x, line }) => svg("circle", { class: "dot", cx: x, cy: line, r: 2.5 }));
  const edges = dots.filter((point) => isAlone(runs, point)).map(({ x, line, upper }) => svg("line", { class: "band-edge", x1: x, x2: x, y1: line, y2: upper }));
  return { shapes: [axes(layout, { ticks, format, labels: periods.map(({ tick }) => tick) }), ...bands, ...edges, ...lines, ...marks], layout };
}

const isAlone = (runs, point) => runs.some((run) => run.length === 1 && run[0] === point);

const path = (run, edge) => run.map((point, place) => `${place ? "L" : "M"}${point.x} ${point[edge]}`).join("");

/** The points between the gaps. */
function runsOf(points) {
  const runs = [[]];
  for (const point of points) {
    if (point) runs.at(-1).push(point);
    else runs.push([]);
  }
  return runs.filter((run) => run.length);
}
