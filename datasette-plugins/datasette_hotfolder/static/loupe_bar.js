// What the bar of the loupe says of the picture and of how it is shown.

import { byId, element, setText } from "./element.js";
import { nameOf } from "./grid.js";
import { ACCEPT, DISCARD } from "./words_actions.js";
import { ZOOM_WORDS } from "./words_loupe.js";

/** Which of the buttons that stay pressed is: "keep", "before", "compare" or "full-screen". */
export function drawPressed(name, isPressed) {
  byId(`loupe-${name}`).setAttribute("aria-pressed", isPressed);
}

export function drawZoom(level, fits) {
  setText(byId("loupe-zoom"), ZOOM_WORDS(level, fits));
  byId("loupe").toggleAttribute("data-zoomed", !fits);
}

export function drawMarks(media) {
  setText(byId("loupe-name"), nameOf(media));
  const marks = byId("loupe-marks");
  marks.dataset.rating = media.rating;
  marks.dataset.status = media.status ?? "";
  marks.dataset.label = media.label ?? "";
}

/** Where the picture stands, and whether one goes before or after it. */
export function drawPlace(words, isFirst, isLast) {
  setText(byId("loupe-place"), words);
  byId("loupe-previous").disabled = isFirst;
  byId("loupe-next").disabled = isLast;
}

/** Buttons that decide on the picture, there while a set shows what waits for a review. */
export function reviewButtons(actions, set) {
  const button = (words, key, click, kind = "") => element("button", { type: "button", class: `button ${kind}`, title: `${words} (${key})`, click }, words);
  const draw = () => (byId("loupe-review").hidden = set.filter.review !== "awaiting");
  byId("loupe-review").append(button(DISCARD, "D", () => actions.discard()), button(ACCEPT, "A", () => actions.accept(), "main"));
  set.addEventListener("reset", draw);
  draw();
}
