// What stands where pictures would be when there are none.

import { byId, element } from "./element.js";

/** Shows why a set is empty; `clear()` takes the filter away, `retry()` asks again. */
export function startEmptyState(set, { clear, retry }) {
  const place = byId("empty");
  const draw = () => {
    place.hidden = set.items.length > 0;
    if (!place.hidden) place.replaceChildren(...content(set, clear, retry));
  };
  for (const type of ["reset", "prepended", "removed"]) set.addEventListener(type, draw);
  draw();
}

function content(set, clear, retry) {
  if (set.error)
    return [element("h2", {}, "The pictures could not be loaded"), element("p", {}, set.error.words), button("Try again", retry)];
  if (set.libraryTotal)
    return [
      element("h2", {}, "No picture fits this filter"),
      element("p", {}, "What you are looking for may have other stars, or another mark."),
      button("Clear the filter", clear),
    ];
  return [element("h2", {}, "Nothing here yet"), ...howToBegin()];
}

function howToBegin() {
  const jobs = ["Drop a job file into ", element("code", {}, "inbox/"), ": a few lines of YAML that say what to draw. The picture appears here."];
  const pictures = ["Drop pictures you have into ", element("code", {}, "import/"), ": they are taken into the library as they are."];
  return [element("p", {}, ...jobs), element("p", {}, ...pictures)];
}

function button(words, click) {
  return element("button", { type: "button", class: "button", click }, words);
}
