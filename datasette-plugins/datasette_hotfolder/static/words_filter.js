// What the filters, the search and the collections say to people.

import { formatCount, formatNumber } from "./format.js";

export const TITLES = {
  minRating: "Rating, at least",
  rating: "Rating, exactly",
  status: "Pick",
  label: "Label",
  origin: "Where from",
  type: "Type",
  orientation: "Orientation",
  refs: "References",
  review: "Review",
  endpoint: "Made by",
  owner: "Owner",
  preset: "Preset",
  collection: "Collection",
  keyword: "Keywords",
  dates: "Arrived",
};

const VALUES = {
  minRating: { 1: "1 and up", 2: "2 and up", 3: "3 and up", 4: "4 and up", 5: "5 stars" },
  rating: { 0: "unrated", 1: "exactly 1", 2: "exactly 2", 3: "exactly 3", 4: "exactly 4", 5: "exactly 5" },
  status: { selected: "Picked", rejected: "Rejected", none: "Unmarked" },
  label: { red: "Red", yellow: "Yellow", green: "Green", blue: "Blue", purple: "Purple", none: "No label" },
  origin: { generation: "Generated", import: "Imported" },
  type: { image: "Any picture", video: "Video", png: "PNG", jpeg: "JPEG", webp: "WebP", tiff: "TIFF", gif: "GIF", heic: "HEIC", bmp: "BMP", avif: "AVIF" },
  orientation: { landscape: "Landscape", portrait: "Portrait", square: "Square" },
  refs: { yes: "With references", no: "Without" },
  review: { awaiting: "To be reviewed", accepted: "Accepted" },
  deleted: { only: "In the trash" },
};

const CHIPS = {
  refs: { yes: "with references", no: "without references" },
  label: { none: "no label" },
  owner: (value) => `by ${value}`,
  preset: (value) => `preset ${value}`,
  from: (value) => `since ${value}`,
  to: (value) => `until ${value}`,
  q: (value) => `“${value}”`,
};

/** What a value is called beside others of its kind: "Picked", "3 and up", "flux2-klein-4b". */
export function valueWords(name, value) {
  return VALUES[name]?.[value] ?? (name === "endpoint" ? endpointWords(value) : value);
}

/** What a value is called where the kind stands above it: "★ 3", "flux2-klein-4b". */
export function pillWords(name, value) {
  if (name === "minRating" || name === "rating") return value === "0" ? "unrated" : `★ ${value}`;
  return valueWords(name, value);
}

/** What a condition is called when it stands alone: "no label", "by anna", "since 2026-11-01". */
export function conditionWords(name, value, names = new Map()) {
  const chip = CHIPS[name];
  if (typeof chip === "function") return chip(value);
  return chip?.[value] ?? names.get(value) ?? valueWords(name, value);
}

/** "local.flux2-klein-4b.image" is "flux2-klein-4b". */
const endpointWords = (key) => key.replace(/^local\./, "").replace(/\.image$/, "");

/** "any rating", "3 and up", "unrated". */
export function ratingWords({ minRating, rating }) {
  if (rating !== null) return VALUES.rating[rating];
  return minRating === null ? "any rating" : VALUES.minRating[minRating];
}

/** "12,904 pictures", "342 of 12,904", "1,000+ matches". */
export function countWords({ total, isBounded, libraryTotal }, isEverything) {
  if (isBounded) return `${formatNumber(total)}+ matches`;
  return isEverything ? formatCount(libraryTotal, "picture") : `${formatNumber(total)} of ${formatNumber(libraryTotal)}`;
}

export const withoutWords = (words, { total, totalIsBounded }) => `Without ${words}: ${formatNumber(total)}${totalIsBounded ? "+" : ""}`;

export const SORTS = {
  date: "Newest first",
  "date asc": "Oldest first",
  rating: "Best rated first",
  "rating asc": "Least rated first",
  name: "Name, A to Z",
  "name desc": "Name, Z to A",
  size: "Largest first",
  "size asc": "Smallest first",
  relevance: "Best match first",
  manual: "In its own order",
};

export const removeWords = (words) => `Take away: ${words}`;

export const PERIODS = { today: "Today", week: "7 days", month: "This month", year: "This year" };

export const FILTER = {
  panel: "Filter",
  done: "Done",
  clear: "Clear all",
  from: "from",
  to: "to",
  addKeyword: "Add a keyword",
  noCounts: (words) => `The counts could not be had: ${words}`,
  without: "Or without one of its conditions:",
};

export const SEARCH = {
  label: "Search prompts, names, keywords",
  title: "Search prompts, names, titles, descriptions and keywords (S)",
};

export const COLLECTIONS = {
  menu: "Collections",
  empty: "A collection holds pictures you choose; a saved filter holds whatever fits it.",
  make: "New collection…",
  save: "Save this filter…",
  saveNothing: "Filter first: what is shown is everything.",
  mayNot: "To make collections, run “hotfolder login” and open the link it prints.",
  live: "saved filter",
  liveCount: (n) => `live · ${formatNumber(n)}`,
  add: "Add",
  rename: "Rename",
  remove: "Delete",
  undo: "Undo",
  name: "Name",
  cancel: "Cancel",
  keep: "Save",
  makeTitle: "New collection",
  saveTitle: "Save this filter",
  saveHint: (words) => `It will hold whatever fits: ${words}.`,
  renameTitle: (name) => `Rename “${name}”`,
  addTo: (name) => `Add what is chosen to “${name}”`,
  renameLabel: (name) => `Rename “${name}”`,
  removeLabel: (name) => `Delete “${name}”; its pictures stay in the library`,
  removed: (name) => `“${name}” is deleted.`,
  added: (count, name) => (count ? `${formatCount(count, "picture")} added to “${name}”.` : `That is in “${name}” already.`),
  made: (name) => `“${name}” is made.`,
  saved: (name) => `The filter is saved as “${name}”.`,
  failed: (words) => `The collections could not be had: ${words}`,
  notDone: (words) => `Not done: ${words}`,
};
