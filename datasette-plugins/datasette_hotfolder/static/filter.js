// Which pictures are looked at, and in which order: the filter as a value, in the address and in words.

import { conditionWords } from "./words_filter.js";

const CHOICES = {
  minRating: ["1", "2", "3", "4", "5"],
  rating: ["0", "1", "2", "3", "4", "5"],
  status: ["selected", "rejected", "none"],
  label: ["red", "yellow", "green", "blue", "purple", "none"],
  origin: ["generation", "import"],
  type: ["image", "video", "png", "jpeg", "webp", "tiff", "gif", "heic", "bmp", "avif"],
  orientation: ["landscape", "portrait", "square"],
  refs: ["yes", "no"],
  review: ["awaiting", "accepted"],
  deleted: ["only"],
  sort: ["date", "rating", "name", "size", "relevance", "manual"],
  order: ["asc", "desc"],
};
const LONGEST = { endpoint: 200, owner: 200, preset: 200, collection: 100, q: 500 };
const DAYS = ["from", "to"];
const ORDER = ["sort", "order"];
const NEEDED = { relevance: "q", manual: "collection" }; // what a sort makes no sense without
const KEYWORDS_MAX = 16;
const CONDITIONS = ["minRating", "rating", "status", "label", "origin", "type", "orientation", "refs", "review", "endpoint", "owner", "preset", ...DAYS, "keyword", "collection", "deleted", "q"];
const NAMES = [...CONDITIONS, ...ORDER];

export const valuesOf = (name) => CHOICES[name] ?? [];

/** The filter an address asks for; what it does not know it leaves out. */
export function filterFromSearch(search) {
  const given = new URLSearchParams(search);
  const values = NAMES.map((name) => [name, name === "keyword" ? given.getAll(name) : given.get(name)]);
  return normal(Object.fromEntries(values));
}

/** A filter with every name: texts, null for what is not asked, and a list of keywords; what means nothing is left out. */
export function normal(given) {
  const filter = Object.fromEntries(NAMES.map((name) => [name, valueOf(name, given[name])]));
  if (filter.rating !== null) filter.minRating = null;
  if (filter.from && filter.to && filter.from > filter.to) [filter.from, filter.to] = [filter.to, filter.from];
  return { ...filter, ...orderOf(filter) };
}

function valueOf(name, value) {
  if (name === "keyword") return keywordsOf(value);
  if (value === null || value === undefined) return null;
  const text = String(value).trim();
  if (name in CHOICES) return CHOICES[name].includes(text) ? text : null;
  if (DAYS.includes(name)) return isDay(text) ? text : null;
  return text && text.length <= LONGEST[name] ? text : null;
}

function keywordsOf(value) {
  const texts = [value ?? []].flat().map((each) => String(each).trim());
  return [...new Set(texts.filter(Boolean))].slice(0, KEYWORDS_MAX);
}

function isDay(text) {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) return false;
  const day = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** Sort and order as far as they differ from the usual, and only where they make sense. */
function orderOf(filter) {
  const { sort, order } = filter;
  if (sort in NEEDED) return { sort: filter[NEEDED[sort]] === null ? null : sort, order: null };
  const usual = sort === "name" ? "asc" : "desc";
  return { sort: sort === "date" ? null : sort, order: order === usual ? null : order };
}

/** "?minRating=3&keyword=sea&keyword=dusk", or nothing for everything. */
export function searchFromFilter(filter) {
  const chosen = NAMES.flatMap((name) => [filter[name] ?? []].flat().map((value) => [name, value]));
  return chosen.length ? `?${new URLSearchParams(chosen)}` : "";
}

/** What a filter asks of a picture, one after the other: {name, value}; the order is none of it. */
export function conditionsOf(filter) {
  return CONDITIONS.flatMap((name) => [filter[name] ?? []].flat().map((value) => ({ name, value })));
}

export const isEmptyFilter = (filter) => conditionsOf(filter).length === 0;

export const isSameFilter = (one, other) => searchFromFilter(one) === searchFromFilter(other);

/** The conditions alone, as a saved filter keeps them: a query string without "?". */
export const queryOf = (filter) => searchFromFilter({ ...filter, sort: null, order: null }).slice(1);

/** The filter with this value in place of another; null takes the condition away, a keyword comes to the others. */
export function withValue(filter, name, value) {
  if (name === "keyword") return normal({ ...filter, keyword: [...filter.keyword, value] });
  const other = name === "minRating" ? { rating: null } : name === "rating" ? { minRating: null } : {};
  return normal({ ...filter, ...(value === null ? {} : other), [name]: value });
}

/** The filter without this condition. */
export function without(filter, { name, value }) {
  if (name !== "keyword") return withValue(filter, name, null);
  return normal({ ...filter, keyword: filter.keyword.filter((each) => each !== value) });
}

/** Whether a filter has this condition. */
export const hasCondition = (filter, name, value) => [filter[name] ?? []].flat().includes(value);

/** The filter after a click on a chip: a chosen value is taken back, another takes its place. */
export function toggled(filter, name, value) {
  return hasCondition(filter, name, value) ? without(filter, { name, value }) : withValue(filter, name, value);
}

/** "3 and up, Picked, by anna": a filter as people say it; `names` has the names of collections by id. */
export function filterWords(filter, names) {
  return conditionsOf(filter).map(({ name, value }) => conditionWords(name, value, names)).join(", ");
}
