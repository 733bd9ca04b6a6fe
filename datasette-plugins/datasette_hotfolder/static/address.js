// The address of the library page: filter and loupe, so that Back, reload and a link mean the same.

import { filterFromSearch, isSameFilter, normal, searchFromFilter } from "./filter.js";

const PICTURE = "at";

/** What the address asks for: the filter, and the picture in the loupe or null. */
export function readAddress() {
  return { filter: filterFromSearch(location.search), mediaId: readHash() };
}

function readHash() {
  try {
    return decodeURIComponent(location.hash.slice(1)) || null;
  } catch {
    return null; // not an escape we wrote
  }
}

const address = (filter, mediaId) => location.pathname + searchFromFilter(filter) + (mediaId ? `#${encodeURIComponent(mediaId)}` : "");

/** The picture that a way back to the library goes on at, or null. */
export const readPicture = () => new URLSearchParams(location.search).get(PICTURE);

/** From now on the address says only what is looked at. */
export function forgetPicture() {
  if (readPicture()) history.replaceState(history.state, "", address(readAddress().filter, readHash()));
}

/** The way back to this view, without the path: the first picture needs no mention. */
export function wayBackTo(filter, mediaId, isInLoupe) {
  const search = searchFromFilter(filter);
  if (!mediaId) return search;
  const picture = encodeURIComponent(mediaId);
  return isInLoupe ? `${search}#${picture}` : `${search}${search ? "&" : "?"}${PICTURE}=${picture}`;
}

/** A new step of the history: another filter. While a text is typed, its letters are one step together. */
export function goToFilter(filter) {
  const isTyping = isSameButForText(filter, readAddress().filter);
  const change = isTyping && history.state?.typing ? "replaceState" : "pushState";
  history[change]({ typing: isTyping }, "", address(filter, null));
}

const isSameButForText = (one, other) => isSameFilter(normal({ ...one, q: null }), normal({ ...other, q: null }));

/** A new step of the history: the loupe, which Back closes. */
export function goToLoupe(filter, mediaId) {
  history.pushState({ loupe: true }, "", address(filter, mediaId));
}

/** The same step, another picture in the loupe. */
export function stayInLoupe(filter, mediaId) {
  history.replaceState(history.state, "", address(filter, mediaId));
}

/** Closes the loupe: back to the step it was opened from, or in place when a link opened it. */
export function leaveLoupe(filter) {
  if (history.state?.loupe) history.back();
  else history.replaceState({}, "", address(filter, null));
}
