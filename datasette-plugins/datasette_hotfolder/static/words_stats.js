// What the statistics page says.

import { formatBytes, formatCount, formatNumber, formatSeconds } from "./format.js";

const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const FULL_DAY = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const DATE = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat("en-GB", { month: "short", timeZone: "UTC" });
const FULL_MONTH = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const SIZES = { 0.6: "up to 0.6 MP", 1.5: "0.6–1.5 MP", 3: "1.5–3 MP", 6: "3–6 MP", more: "over 6 MP" };

export const RANGES = [["7", "7 days"], ["30", "30 days"], ["90", "90 days"], ["365", "365 days"], ["all", "All"]];
export const LOADING = "Counting …";
export const EMPTY = "There is nothing to count yet";
export const EMPTY_MORE = "Pictures that are made or imported are counted here.";
export const AGAIN = "Try again";
export const TABLE = "Table";
export const tableTitle = (title) => `Show the numbers of “${title}” as a table`;
export const linksWords = (title) => `${title}: links to the pictures, by arrow keys`;

const at = (day) => new Date(`${day}T00:00:00Z`);
export const spanWords = ({ from, to }) => (from === to ? `${DATE.format(at(to))}, UTC` : `${DATE.format(at(from))} – ${DATE.format(at(to))}, UTC`);

/** Under an axis: "21 Nov", or the month, with its year in January. */
export function tickWords({ from }, step) {
  if (step !== "month") return DAY.format(at(from));
  return from.slice(5, 7) === "01" ? from.slice(0, 4) : MONTH.format(at(from));
}

/** In full: "Sat, 21 Nov 2026", "2 – 8 Nov 2026", "November 2026". */
export function periodWords({ from, to }, step) {
  if (step === "month") return FULL_MONTH.format(at(from));
  return from === to ? FULL_DAY.format(at(from)) : `${DAY.format(at(from))} – ${DATE.format(at(to))}`;
}

export const sizeWords = (size) => SIZES[size] ?? size;
export const endpointWords = (key) => key.replace(/^local\./, "").replace(/\.image$/, "");
export const secondsWords = (ms) => formatSeconds(ms / 1000);
export const shareWords = (share) => `${share > 0 && share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`;
export const bytesWords = (bytes) => (bytes < 1e12 ? formatBytes(bytes) : `${(bytes / 1e12).toFixed(1)} TB`);
/** Beside an axis there is room for the least: "1 min", "3 GB", "0". */
export const axisWords = (text) => text.replace(/^0 \D+$/, "0").replace(/ 0 (s|min)$/, "").replace(/\.0 /, " ");
export const countWords = formatNumber;
export const ofWords = (accepted, decided) => `${formatNumber(accepted)} of ${formatNumber(decided)}`;
export const picturesWords = (n) => formatCount(n, "picture");
export const cutWords = (shown, all) => `${shown} with the most pictures of ${all}; the table has them all.`;

export const TOTALS = {
  pictures: ["Pictures", "in the library"],
  thisWeek: ["This week", "in seven days"],
  picked: ["Picked", (n) => formatCount(n, "picture")],
  bytes: ["On the disk", (trash) => (trash ? `and ${bytesWords(trash)} in the trash` : "originals")],
};

const EACH = { day: "a day", week: "a week", month: "a month" };

export const CHARTS = {
  pictures: {
    title: (step) => `Pictures ${EACH[step]}`,
    about: "By arrival.",
    empty: "No picture came in these days.",
    series: ["Generated", "Imported"],
    summary: (total, best, when) => `${formatCount(total, "picture")} in all; the most, ${formatNumber(best)}, ${when}.`,
  },
  times: {
    title: "Time a picture",
    about: "By endpoint and size: the bar is the median, the line goes on to the slowest tenth.",
    empty: "Nothing was made in these days.",
    head: ["Endpoint", "Size", "Pictures", "Median", "90 % within"],
    tip: ["Median", "90 % within", "Pictures"],
  },
  waits: {
    title: (step) => `Wait in the queue, ${EACH[step]}`,
    about: "From asking to the start: the line is the median, the band goes up to the slowest tenth.",
    empty: "Nothing was made in these days.",
    series: ["Median", "90 % within"],
    summary: (longest, when) => `The longest median wait was ${secondsWords(longest)}, ${when}.`,
  },
  busy: {
    title: (step) => `Engine at work, ${EACH[step]}`,
    about: "The share of the time in which the engine of this machine was making pictures.",
    empty: "The engine made nothing in these days.",
    series: ["At work"],
    summary: (most, when) => `At most ${shareWords(most)}, ${when}.`,
  },
  endpoints: {
    title: "Kept, by endpoint",
    about: "Of the pictures somebody decided on (picked, rejected, rated, reviewed or deleted), those that were picked, accepted, or rated four stars or more.",
    empty: "Nobody has decided on a picture of these days yet.",
    head: ["Endpoint", "Kept", "Decided on", "Share"],
  },
  presets: {
    title: "Kept, by preset",
    about: "The same, by the preset that the job named.",
    empty: "Nobody has decided on a picture of these days whose job named a preset.",
    head: ["Preset", "Kept", "Decided on", "Share"],
  },
  disk: {
    title: "Disk by month of arrival",
    about: "Bytes of the originals; the last twelve months at least.",
    empty: "There is nothing on the disk.",
    series: ["In the library", "In the trash"],
    summary: (total) => `${bytesWords(total)} in all.`,
  },
};
export const PERIOD = { day: "Day", week: "Week", month: "Month" };
