// What a key did, for a moment, over the picture.

import { byId } from "./element.js";

const SHOWN_MS = 700;
const WORDS = { selected: "Picked", rejected: "Rejected" };

/** Returns the function that shows a change of rating or mark in large letters. */
export function startFlash() {
  const sign = byId("flash");
  let hiding = null;

  return function flash({ rating, status }) {
    sign.textContent = rating === undefined ? (WORDS[status] ?? "Unmarked") : "★".repeat(rating) + "☆".repeat(5 - rating);
    sign.dataset.kind = rating === undefined ? (status ?? "none") : "rating";
    sign.hidden = true;
    void sign.offsetWidth; // so that the animation begins anew
    sign.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => (sign.hidden = true), SHOWN_MS);
  };
}
