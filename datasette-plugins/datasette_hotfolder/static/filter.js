// Which pictures are looked at: the filter as a value, in the address and in words.

const CHOICES = {
  minRating: ["1", "2", "3", "4", "5"],
  rating: ["0", "1", "2", "3", "4", "5"],
  status: ["selected", "rejected", "none"],
  origin: ["generation", "import"],
};
const NAMES = Object.keys(CHOICES);

/** The filter an address asks for; what it does not know it leaves out. */
export function filterFromSearch(search) {
  const given = new URLSearchParams(search);
  return normal(Object.fromEntries(NAMES.map((name) => [name, given.get(name)])));
}

/** A filter with every name, and text values; what means nothing becomes null. */
export function normal(filter) {
  const known = (name) => (CHOICES[name].includes(String(filter[name])) ? String(filter[name]) : null);
  return Object.fromEntries(NAMES.map((name) => [name, known(name)]));
}

/** "?minRating=3&status=selected", or nothing for everything. */
export function searchFromFilter(filter) {
  const chosen = NAMES.filter((name) => filter[name] !== null).map((name) => [name, filter[name]]);
  return chosen.length ? `?${new URLSearchParams(chosen)}` : "";
}

export const isEmptyFilter = (filter) => NAMES.every((name) => filter[name] === null);

export const isSameFilter = (one, other) => searchFromFilter(one) === searchFromFilter(other);

/** The filter after a click on a chip: a chosen value is taken back, another takes its place. */
export function toggled(filter, name, value) {
  const changed = { ...filter, [name]: filter[name] === value ? null : value };
  return name === "minRating" ? { ...changed, rating: null } : changed;
}

/** "3 and up", "exactly 2", "any rating". */
export function ratingWords({ minRating, rating }) {
  if (rating !== null) return rating === "0" ? "no stars" : `exactly ${rating}`;
  if (minRating === null) return "any rating";
  return minRating === "5" ? "5 stars" : `${minRating} and up`;
}
