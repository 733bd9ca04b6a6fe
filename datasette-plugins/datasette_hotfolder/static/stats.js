// The statistics page: totals and charts over some days, which stand in the address.

import { isAbort } from "./api.js";
import { Chart } from "./chart.js";
import { specsOf } from "./chart_specs.js";
import { ChartTip } from "./chart_tip.js";
import { byId, element, setText } from "./element.js";
import { normal, searchFromFilter } from "./filter.js";
import { startPage } from "./page.js";
import { AGAIN, bytesWords, countWords, EMPTY, EMPTY_MORE, LOADING, RANGES, shareWords, spanWords, TOTALS } from "./words_stats.js";

const DAY_MS = 86_400_000;
const BEGINNING = "1970-01-01";
const USUAL = "30";

const { data, api } = startPage();
const tip = new ChartTip();
const linkTo = (conditions) => `${data.base}/-/library${searchFromFilter(normal(conditions))}`;
let charts = [];
let asked = null;

showRanges();
byId("ranges").addEventListener("click", choose);
addEventListener("popstate", load);
load();

function showRanges() {
  byId("ranges").replaceChildren(...RANGES.map(([days, words]) => element("a", { class: "chip", href: `?days=${days}`, "data-days": days }, words)));
}

/** A click with a key held opens another tab, as links do. */
function choose(event) {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (link.search !== location.search) history.pushState(null, "", link.href);
  load();
}

/** What the address asks for: `days`, or `from` and `to`. */
function wanted() {
  const given = new URLSearchParams(location.search);
  if (given.has("from") || given.has("to")) return { days: null, query: new URLSearchParams([...given].filter(([name]) => name === "from" || name === "to")) };
  const days = RANGES.some(([known]) => known === given.get("days")) ? given.get("days") : USUAL;
  const from = days === "all" ? BEGINNING : dayBefore(Number(days) - 1);
  return { days, query: new URLSearchParams({ from }) };
}

function dayBefore(days) {
  return new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);
}

async function load() {
  const { days, query } = wanted();
  for (const link of byId("ranges").children) link.dataset.days === days ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
  asked?.abort();
  const own = (asked = new AbortController());
  byId("stats").setAttribute("aria-busy", "true");
  setText(byId("span"), LOADING);
  try {
    const stats = await api.get(`/-/api/stats?${query}`, { signal: own.signal });
    if (own === asked) show(stats);
  } catch (error) {
    if (!isAbort(error) && !error.words) throw error;
    if (own === asked) fail(error.words);
  }
}

function show(stats) {
  byId("stats").setAttribute("aria-busy", "false");
  setText(byId("span"), spanWords(stats));
  const isEmpty = stats.totals.pictures === 0 && !stats.totals.trashBytes;
  note(isEmpty ? [element("h2", {}, EMPTY), element("p", {}, EMPTY_MORE)] : []);
  byId("totals").replaceChildren(...(isEmpty ? [] : totals(stats.totals)));
  showCharts(isEmpty ? [] : specsOf(stats, linkTo));
}

/** A chart that was turned into a table stays one. */
function showCharts(specs) {
  const tables = new Set(charts.filter((chart) => chart.isTable).map((chart) => chart.element.id));
  for (const chart of charts) chart.close();
  charts = specs.map((spec) => new Chart(spec, tip, tables.has(spec.id)));
  byId("charts").replaceChildren(...charts.map((chart) => chart.element));
}

function fail(words) {
  byId("stats").setAttribute("aria-busy", "false");
  setText(byId("span"), "");
  note([element("p", { role: "alert" }, words), element("button", { type: "button", class: "button", click: load }, AGAIN)]);
}

function note(children) {
  byId("note").hidden = !children.length;
  byId("note").replaceChildren(...children);
}

function totals({ pictures, thisWeek, picked, bytes, trashBytes }) {
  return [
    total(TOTALS.pictures, countWords(pictures), TOTALS.pictures[1], {}),
    total(TOTALS.thisWeek, countWords(thisWeek), TOTALS.thisWeek[1], { from: dayBefore(6) }),
    total(TOTALS.picked, shareWords(pictures ? picked / pictures : 0), TOTALS.picked[1](picked), { status: "selected" }),
    total(TOTALS.bytes, bytesWords(bytes), TOTALS.bytes[1](trashBytes), { sort: "size" }),
  ];
}

function total([name], value, more, conditions) {
  return element("li", {}, element("a", { href: linkTo(conditions) }, element("span", { class: "total-name" }, name), element("b", {}, value), element("span", { class: "hint" }, more)));
}
