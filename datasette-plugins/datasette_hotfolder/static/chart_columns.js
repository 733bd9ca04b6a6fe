// Columns over time, piled up by series.

import { axes, layOut } from "./chart_axes.js";
import { column, svg } from "./chart_svg.js";

const GAP_SHARE = 0.22;
const WIDEST = 44;

/** The drawing, and the box of each period for what lies above it. */
export function drawColumns(spec, width, height) {
  const { periods, ticks, format } = spec;
  const layout = layOut({ width, height, count: periods.length, ticks, format });
  const thick = Math.max(1, Math.min(WIDEST, layout.band * (1 - GAP_SHARE)));
  const shapes = periods.flatMap(({ values }, place) => pile(values, layout.x(place) + (layout.band - thick) / 2, thick, layout));
  return { shapes: [axes(layout, { ticks, format, labels: periods.map(({ tick }) => tick) }), ...shapes], layout };
}

function pile(values, x, thick, { y, base }) {
  const shown = values.map((value, series) => ({ value, series })).filter(({ value }) => value > 0);
  let below = 0;
  return shown.map(({ value, series }, place) => {
    const [upper, lower] = [Math.min(y(below + value), base - 1), y(below)];
    below += value;
    return svg("path", { class: `series-${series + 1}`, d: column(x, upper, thick, Math.max(lower - upper, 1), place === shown.length - 1) });
  });
}
