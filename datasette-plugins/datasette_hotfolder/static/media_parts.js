// Asks the server for parts of what fits a filter.

import { searchFromFilter } from "./filter.js";
import { PAGE_SIZE } from "./known_pages.js";

/** A page: `part` says of which snapshot (`view`), and from where (`offset`) or with which picture (`around`). */
export function askPart(api, filter, part, signal) {
  const query = new URLSearchParams(searchFromFilter(filter));
  query.set("limit", PAGE_SIZE);
  for (const [name, value] of Object.entries(part)) if (value !== null) query.set(name, value);
  return api.get(`/-/api/media?${query}`, { signal });
}

/** The first page of what fits a filter, and the one with a picture that fits it, too, but stands further down: {first, around}. */
export async function askKeeping(api, filter, kept, signal) {
  const first = await askPart(api, filter, { offset: 0 }, signal);
  const holds = ({ items }) => items.some((media) => media?.mediaId === kept.mediaId);
  const isWhole = !first.totalIsBounded && first.items.length >= first.total;
  if (!kept || !first.view || isWhole || holds(first)) return { first, around: null };
  const around = await askPart(api, filter, { view: first.view, around: kept.mediaId }, signal).catch(() => null);
  return { first, around: around && holds(around) ? around : null };
}

/** The first page of a new snapshot, and of the same snapshot the pages with some pictures: [{media, page}], and `first`. */
export async function askAround(api, filter, looked, signal) {
  const first = await askPart(api, filter, { offset: 0 }, signal);
  const ask = async (media) => ({ media, page: await askPart(api, filter, { view: first.view, around: media.mediaId }, signal) });
  return Object.assign(await Promise.all(looked.map(ask)), { first });
}
