// The words of the grid.

import { formatCount, formatNumber } from "./format.js";

const MARK_WORDS = { selected: "picked", rejected: "rejected" };
const REVIEW_WORDS = { awaiting: "awaits its review" };

/** What a picture is called. */
export const nameOf = (media) => media.title || media.originalName || media.fileName;

/** A picture as it is read out: its name and what people think of it. */
export function cellWords(media) {
  const stars = media.rating ? `${media.rating} of 5 stars` : null;
  const label = media.label ? `label ${media.label}` : null;
  return [nameOf(media), stars, MARK_WORDS[media.status], label, REVIEW_WORDS[media.review]].filter(Boolean).join(", ");
}

export const LOADING = "not loaded yet";

export const arrivedWords = (n) => `↑ ${formatNumber(n)} new`;

export const draggedWords = (n) => formatCount(n, "picture");

export const tooManyWords = (n, most) =>
  `${formatCount(n, "picture")} are too many to choose by hand; ${formatNumber(most)} are possible. Take all of a filter with Ctrl+A instead.`;

export const NOT_ALL_CHOSEN = "Some of these pictures could not be loaded. They are not chosen.";

/** "14 October 2026" */
export const dayWords = (day) => DAY.format(new Date(`${day}T00:00:00Z`));

/** "Oct" */
export const monthWords = (day) => MONTH.format(new Date(`${day}T00:00:00Z`));

const DAY = new Intl.DateTimeFormat("en-GB", { dateStyle: "long", timeZone: "UTC" });
const MONTH = new Intl.DateTimeFormat("en", { month: "short", timeZone: "UTC" });

export const EMPTY = {
  broken: "The pictures could not be loaded",
  retry: "Try again",
  unfit: "No picture fits this filter",
  unfitHint: "What you are looking for may have other stars, or another mark.",
  clear: "Clear the filter",
  nothing: "Nothing here yet",
  jobs: ["Drop a job file into ", "inbox/", ": a few lines of YAML that say what to draw. The picture appears here."],
  pictures: ["Drop pictures you have into ", "import/", ": they are taken into the library as they are."],
};
