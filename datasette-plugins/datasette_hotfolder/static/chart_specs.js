// From the figures of the server to what each chart shows.

import { shareTicksFor, ticksFor, timeTicksFor, wholeTicksFor } from "./chart_scale.js";
import * as words from "./words_stats.js";

const ROWS_AT_MOST = 12;
const { CHARTS } = words;

/** The charts of the figures, in order; `linkTo(conditions)` is the address of a filtered grid. */
export function specsOf(stats, linkTo) {
  return [pictures, waits, busy, times, endpoints, presets, disk].map((each) => each(stats, linkTo)).filter(Boolean);
}

function pictures({ periods, step, from, to }, linkTo) {
  const own = CHARTS.pictures;
  const legend = [{ name: own.series[0], series: "series-1", href: linkTo({ origin: "generation", from, to }) }, { name: own.series[1], series: "series-2", href: linkTo({ origin: "import", from, to }) }];
  const list = overTime(periods, step, { values: ({ generated, imported }) => [generated, imported], series: own.series, format: words.countWords, link: (each) => linkTo({ from: each.from, to: each.to }) });
  const sums = list.map(({ values }) => values[0] + values[1]);
  const best = Math.max(0, ...sums);
  const summary = own.summary(sums.reduce((one, other) => one + other, 0), best, list[sums.indexOf(best)]?.name ?? "");
  return { ...base("pictures", own, step), kind: "columns", isWide: true, legend, periods: list, ticks: wholeTicksFor(best), format: words.countWords, summary };
}

function waits({ periods, step }, linkTo) {
  const own = CHARTS.waits;
  const legend = [{ name: own.series[0], series: "series-1" }, { name: own.series[1], series: "band" }];
  const list = overTime(periods, step, { values: ({ waitMedianMs, waitP90Ms }) => [waitMedianMs, waitP90Ms], series: own.series, swatches: ["series-1", "band"], format: words.secondsWords, link: (each) => linkTo({ origin: "generation", from: each.from, to: each.to }) });
  const [longest, place] = largest(list.map(({ values }) => values[0] ?? 0));
  const ticks = timeTicksFor(Math.max(1, ...list.map(({ values }) => values[1] ?? 0)));
  return { ...base("waits", own, step), kind: "line", legend, periods: list, ticks, format: words.secondsWords, summary: own.summary(longest, list[place]?.name ?? "") };
}

function busy({ periods, step }, linkTo) {
  const own = CHARTS.busy;
  const list = overTime(periods, step, { values: ({ busyShare }) => [busyShare], series: own.series, format: words.shareWords, link: (each) => linkTo({ origin: "generation", from: each.from, to: each.to }) });
  const [most, place] = largest(list.map(({ values }) => values[0]));
  return { ...base("busy", own, step), kind: "columns", periods: list, ticks: shareTicksFor(most), format: words.shareWords, summary: own.summary(most, list[place]?.name ?? "") };
}

function disk({ disk: months, totals }, linkTo) {
  const own = CHARTS.disk;
  const hasTrash = totals.trashBytes > 0;
  const series = hasTrash ? own.series : own.series.slice(0, 1);
  const legend = hasTrash ? [{ name: series[0], series: "series-1", href: linkTo({ sort: "size" }) }, { name: series[1], series: "series-2", href: linkTo({ deleted: "only" }) }] : [];
  const list = overTime(months, "month", { values: ({ bytes, trashBytes }) => (hasTrash ? [bytes, trashBytes] : [bytes]), series, format: words.bytesWords, link: (each) => linkTo({ from: each.from, to: each.to, sort: "size" }) });
  const sums = list.map(({ values }) => values.reduce((one, other) => one + other, 0));
  const total = sums.reduce((one, other) => one + other, 0);
  return { ...base("disk", own, "month"), kind: "columns", isWide: true, legend, periods: list, ticks: ticksFor(Math.max(1, ...sums)), format: words.bytesWords, summary: own.summary(total) };
}

function times({ times: all, from, to }, linkTo) {
  const own = CHARTS.times;
  const shown = mostOf(all, ({ n }) => n);
  const rows = shown.map((each) => timeRow(each, linkTo({ endpoint: each.endpointKey, from, to })));
  const table = all.map((each) => [{ text: words.endpointWords(each.endpointKey), href: linkTo({ endpoint: each.endpointKey, from, to }) }, words.sizeWords(each.size), words.countWords(each.n), words.secondsWords(each.medianMs), words.secondsWords(each.p90Ms)]);
  const ticks = timeTicksFor(Math.max(1, ...rows.map(({ upper }) => upper)));
  return { ...base("times", own), head: own.head, table, rows, ticks, format: words.secondsWords, note: cutNote(rows, all) };
}

function timeRow({ endpointKey, size, n, medianMs, p90Ms }, href) {
  const [name, note, median, upper] = [words.endpointWords(endpointKey), words.sizeWords(size), words.secondsWords(medianMs), words.secondsWords(p90Ms)];
  const tip = { title: `${name}, ${note}`, rows: [[CHARTS.times.tip[0], median, "series-1"], [CHARTS.times.tip[1], upper, null], [CHARTS.times.tip[2], words.countWords(n), null]] };
  return { name, note, value: medianMs, upper: p90Ms, words: median, label: `${name}, ${note}: ${tip.rows.map((row) => row.slice(0, 2).join(" ")).join(", ")}`, href, tip };
}

function endpoints({ endpoints: all, from, to }, linkTo) {
  const link = (key) => linkTo({ endpoint: key, from, to });
  return kept("endpoints", all, words.endpointWords, link);
}

/** Who may not see jobs gets none. */
function presets({ presets: all, from, to }, linkTo) {
  return all && kept("presets", all, (name) => name, (preset) => linkTo({ preset, from, to }));
}

function kept(id, all, nameOf, link) {
  const own = CHARTS[id];
  const shown = mostOf(all, ({ decided }) => decided);
  const rows = shown.map(({ name, decided, accepted }) => {
    const [text, share, of] = [nameOf(name), words.shareWords(accepted / decided), words.ofWords(accepted, decided)];
    const tip = { title: text, rows: [[own.head[3], share, "series-1"], [own.head[1], words.countWords(accepted), null], [own.head[2], words.countWords(decided), null]] };
    return { name: text, note: of, value: accepted / decided, words: share, label: `${text}: ${share}, ${of}`, href: link(name), tip };
  });
  const table = all.map(({ name, decided, accepted }) => [{ text: nameOf(name), href: link(name) }, words.countWords(accepted), words.countWords(decided), words.shareWords(accepted / decided)]);
  return { ...base(id, own), head: own.head, table, rows, ticks: [0, 0.25, 0.5, 0.75, 1], format: words.shareWords, note: cutNote(rows, all) };
}

const cutNote = (rows, all) => (rows.length < all.length ? words.cutWords(rows.length, all.length) : null);

/** The rows with the most pictures, in the order in which they came. */
function mostOf(all, numberOf) {
  const most = new Set(all.toSorted((one, other) => numberOf(other) - numberOf(one)).slice(0, ROWS_AT_MOST));
  return all.filter((each) => most.has(each));
}

function base(id, own, step) {
  const title = typeof own.title === "function" ? own.title(step) : own.title;
  return { id, title, about: own.about, empty: own.empty, ...(step && { head: [words.PERIOD[step], ...(own.series ?? [])] }) };
}

/** Periods with all that is said of them; the list carries the rows of the table, too. */
function overTime(periods, step, { values, series, swatches, format, link }) {
  return periods.map((each) => {
    const [found, name] = [values(each), words.periodWords(each, step)];
    const rows = series.map((text, place) => [text, found[place] === null ? "–" : format(found[place]), swatches?.[place] ?? `series-${place + 1}`]);
    const label = `${name}: ${rows.map(([text, value]) => `${text} ${value}`).join(", ")}`;
    return { name, tick: words.tickWords(each, step), values: found, href: link(each), label, tip: { title: name, rows } };
  });
}

function largest(values) {
  const most = Math.max(0, ...values);
  return [most, values.indexOf(most)];
}
