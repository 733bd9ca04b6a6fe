// What stands where pictures would be when there are none.

import { byId, element } from "./element.js";
import { conditionsOf } from "./filter.js";
import { REVIEW, TRASH } from "./words_care.js";
import { EMPTY } from "./words_grid.js";

/** Shows why a set is empty; `clear()` takes the filter away, `retry()` asks again. */
export function startEmptyState(set, { clear, retry }) {
  const place = byId("empty");
  const draw = () => {
    place.hidden = set.length > 0;
    if (!place.hidden) place.replaceChildren(...content(set, clear, retry));
  };
  for (const type of ["reset", "prepended", "removed", "returned"]) set.addEventListener(type, draw);
  draw();
}

function content(set, clear, retry) {
  if (set.error) return [element("h2", {}, EMPTY.broken), element("p", {}, set.error.words), button(EMPTY.retry, retry)];
  const { review, deleted } = conditionsOf(set.filter).length === 1 ? set.filter : {};
  if (deleted) return [element("h2", {}, TRASH.empty), element("p", {}, TRASH.emptyHint), button(REVIEW.toLibrary, clear)];
  if (review === "awaiting") return [element("h2", {}, REVIEW.empty), element("p", {}, REVIEW.emptyHint), button(REVIEW.toLibrary, clear)];
  if (set.libraryTotal) return [element("h2", {}, EMPTY.unfit), element("p", {}, EMPTY.unfitHint), button(EMPTY.clear, clear)];
  return [element("h2", {}, EMPTY.nothing), howTo(EMPTY.jobs), howTo(EMPTY.pictures)];
}

function howTo([before, folder, after]) {
  return element("p", {}, before, element("code", {}, folder), after);
}

function button(words, click) {
  return element("button", { type: "button", class: "button", click }, words);
}
