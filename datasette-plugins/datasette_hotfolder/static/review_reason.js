// Who submitted the picture that waits for a review, and why it waits: beside what can be done to it.

import { element } from "./element.js";
import { REVIEW } from "./words_care.js";

const PAUSE_MS = 60; // who holds an arrow down passes pictures by: nothing is asked about those
const AT_MOST = 100;

/** Follows the current picture while a review is shown; gives the element that tells of it. */
export function followReviewReason({ api, set, can }) {
  const node = element("p", { class: "review-why", role: "status", hidden: true });
  const known = new Map(); // media id -> what the server said
  let timer = null;

  function follow() {
    clearTimeout(timer);
    const media = can.look && set.filter.review === "awaiting" ? set.current : null;
    const told = media && known.get(media.mediaId);
    if (told || !media) return draw(told);
    timer = setTimeout(() => ask(media.mediaId), PAUSE_MS);
  }

  async function ask(mediaId) {
    const told = await api.get(`/-/api/review/${encodeURIComponent(mediaId)}`).catch(() => null); // the next one may be told
    if (!told) return set.current?.mediaId === mediaId && draw(null);
    if (known.size >= AT_MOST) known.delete(known.keys().next().value);
    known.set(mediaId, told);
    if (set.current?.mediaId === mediaId) draw(told);
  }

  function draw(told) {
    node.hidden = !told;
    if (!told) return node.replaceChildren();
    const from = [REVIEW.by(told.owner), REVIEW.job(told.jobFile)].filter(Boolean).join(" ");
    const reasons = told.warnings.length ? told.warnings.map((each) => element("em", {}, each)) : [REVIEW.asked];
    node.replaceChildren(element("b", {}, from), ". ", ...reasons.flatMap((each) => [each, " "]));
  }

  for (const type of ["current", "reset", "removed", "prepended"]) set.addEventListener(type, follow);
  follow();
  return node;
}
