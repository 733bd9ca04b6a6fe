// A chart on a card: its title, what it says in words, the drawing with its links, and the same as a table.

import { drawColumns } from "./chart_columns.js";
import { drawLine } from "./chart_lines.js";
import { periodMarks, tellAt, walkByKeys } from "./chart_marks.js";
import { drawRows } from "./chart_rows.js";
import { svg } from "./chart_svg.js";
import { table } from "./chart_table.js";
import { element } from "./element.js";
import { axisWords, linksWords, TABLE, tableTitle } from "./words_stats.js";

const DRAW = { columns: drawColumns, line: drawLine };
const NARROW = 500;

/** Shows a spec { id, kind, title, about, empty, summary, legend, periods or rows, ticks, format, head, table, note, isWide }. */
export class Chart {
  #spec;
  #tip;
  #body = element("div", { class: "chart-body" });
  #toggle;
  #width = 0;
  #watch = new ResizeObserver(([{ contentRect }]) => this.#fit(contentRect.width));

  constructor(spec, tip, isTable = false) {
    this.#spec = { ...spec, format: (value) => axisWords(spec.format(value)) };
    this.#tip = tip;
    this.#toggle = element("button", { type: "button", class: "chip small", "aria-pressed": String(isTable), "aria-label": tableTitle(spec.title), title: tableTitle(spec.title), click: () => this.#turn() }, TABLE);
    this.#toggle.hidden = this.#isEmpty;
    const head = element("header", {}, element("h2", { id: `${spec.id}-title` }, spec.title), legend(spec.legend ?? []), this.#toggle);
    this.element = element("section", { class: `chart ${spec.isWide ? "wide-chart" : ""}`, id: spec.id, "aria-labelledby": `${spec.id}-title` }, head, element("p", { class: "hint about" }, spec.about), this.#body);
    if (spec.note) this.element.append(element("p", { class: "hint" }, spec.note));
    this.#watch.observe(this.#body);
  }

  get isTable() {
    return this.#toggle.ariaPressed === "true";
  }

  /** Watches no longer. */
  close() {
    this.#watch.disconnect();
  }

  get #isEmpty() {
    return !(this.#spec.rows ?? this.#spec.periods.filter(({ values }) => values.some((value) => value > 0))).length;
  }

  #turn() {
    this.#toggle.ariaPressed = String(!this.isTable);
    this.#show();
  }

  #fit(width) {
    if (Math.abs(width - this.#width) < 1) return;
    this.#width = width;
    this.#show();
  }

  #show() {
    const { title, empty, head, table: rows = rowsOf(this.#spec.periods) } = this.#spec;
    this.#tip.hide();
    if (this.#isEmpty) this.#body.replaceChildren(element("p", { class: "chart-empty" }, empty));
    else if (this.isTable) this.#body.replaceChildren(table(title, head, rows));
    else this.#body.replaceChildren(this.#spec.rows ? drawRows(this.#spec, this.#tip) : this.#overTime());
  }

  /** The drawing is one picture with words for it; the links above it are what can be reached. */
  #overTime() {
    const { kind, title, summary, periods } = this.#spec;
    const height = this.#width < NARROW ? 170 : 210;
    const { shapes, layout } = DRAW[kind](this.#spec, this.#width, height);
    const drawing = svg("svg", { role: "img", "aria-label": `${title}. ${summary}`, width: this.#width, height, viewBox: `0 0 ${this.#width} ${height}` }, ...shapes);
    const marks = periodMarks(periods, layout);
    const links = element("div", { class: "marks", role: "group", "aria-label": linksWords(title) }, ...marks);
    walkByKeys(links, marks);
    tellAt(links, this.#tip, (mark) => periods[mark.dataset.place].tip);
    return element("div", { class: "plot" }, drawing, links);
  }
}

/** Without rows of its own a table says what the periods tell. */
const rowsOf = (periods) => periods?.map(({ name, href, tip }) => [{ text: name, href }, ...tip.rows.map(([, value]) => value)]) ?? [];

function legend(entries) {
  const items = entries.map(({ name, series, href }) => element("li", {}, element(href ? "a" : "span", { href }, element("i", { class: `swatch ${series}` }), name)));
  return element("ul", { class: "legend" }, ...items);
}
