// What a key did, for a moment, over the picture.

import { byId } from "./element.js";
import { FLASHED, LABELS } from "./words_loupe.js";

const SHOWN_MS = 700;

/** Returns the function that shows a change of rating, mark or label in large letters, over the picture it was made to. */
export function startFlash() {
  const sign = byId("flash");
  let hiding = null;

  return function flash(changes) {
    const [kind, words] = describe(changes);
    if (!kind) return;
    (document.querySelector("#compare:not([hidden]) .pane[aria-current]") ?? byId("stage")).append(sign);
    sign.textContent = words;
    sign.dataset.kind = kind;
    sign.hidden = true;
    void sign.offsetWidth; // so that the animation begins anew
    sign.hidden = false;
    clearTimeout(hiding);
    hiding = setTimeout(() => (sign.hidden = true), SHOWN_MS);
  };
}

function describe({ rating, status, label }) {
  if (rating !== undefined) return ["rating", "★".repeat(rating) + "☆".repeat(5 - rating)];
  if (status !== undefined) return [status ?? "none", FLASHED[status ?? "none"]];
  return label === undefined ? [null, ""] : [`label-${label ?? "none"}`, LABELS[label ?? "none"]];
}
