// What the bar of the loupe says of the picture and of how it is shown.

import { byId, setText } from "./element.js";
import { nameOf } from "./grid.js";
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
