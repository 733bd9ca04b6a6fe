// What is wrong with a job, said at the fields that are wrong.

import { byId, element, setText } from "./element.js";
import { problemWords } from "./words_generate.js";

const CONTROLS = "input:not([type=file]):not([tabindex='-1']), select, textarea, .drop-button";

/** Shows problems ({path, message, hint}) at the places of a form that name their paths in `data-path`. */
export class Problems {
  #form;
  #touched = new Set(); // places whose value somebody changed: of others nothing is said before the first try
  #problems = [];
  #showsAll = false;

  constructor(form) {
    this.#form = form;
    form.addEventListener("input", ({ target }) => this.#touch(target));
  }

  /** What the latest check found. */
  show(problems) {
    this.#problems = problems;
    this.#draw();
  }

  /** After a try to submit all of them are shown, until a job is on its way. */
  showAll(showsAll) {
    this.#showsAll = showsAll;
    if (!showsAll) this.#touched.clear();
    this.#draw();
  }

  /** Leads to the first field, from above, with a problem. */
  focusFirst() {
    const place = this.#places().find((each) => each.hasAttribute("data-problem"));
    if (!place) return;
    for (let each = place.closest("details"); each; each = each.parentElement.closest("details")) each.open = true;
    const control = [...place.querySelectorAll(CONTROLS)].find((each) => each.checkVisibility());
    control?.focus();
    place.scrollIntoView({ block: "nearest" });
  }

  #touch(target) {
    const place = target.closest("[data-path]");
    if (place) this.#touched.add(place);
  }

  #draw() {
    const found = new Map(); // place -> its problems
    const others = [];
    for (const problem of this.#problems) {
      const place = this.#placeOf(problem.path ?? "");
      if (!place) others.push(problem);
      else if (this.#showsAll || this.#touched.has(place)) found.set(place, [...(found.get(place) ?? []), problem]);
    }
    for (const place of this.#places()) drawProblems(place, found.get(place) ?? []);
    byId("generate-problem").hidden = !others.length;
    setText(byId("generate-problem"), others.map(problemWords).join("\n"));
  }

  /** "matrix.steps.1" stands at matrix.steps, or else at matrix; only what is shown, or may be opened, is a place. */
  #placeOf(path) {
    const parts = path.split(".");
    for (let length = parts.length; length > 0; length--) {
      const wanted = parts.slice(0, length).join(".");
      const place = this.#places().find((each) => each.dataset.path.split(" ").includes(wanted) && this.#isOffered(each));
      if (place) return place;
    }
    return null;
  }

  /** Whether this form has it; the whole of it may be closed. */
  #isOffered(place) {
    const hidden = place.closest("[hidden]");
    return !hidden || !this.#form.contains(hidden);
  }

  #places() {
    return [...this.#form.querySelectorAll("[data-path]")];
  }
}

function drawProblems(place, problems) {
  const shown = place.querySelector(":scope > .problem");
  place.toggleAttribute("data-problem", problems.length > 0);
  for (const control of place.querySelectorAll(CONTROLS)) {
    if (control.closest("[data-path]") !== place) continue;
    if (problems.length) control.setAttribute("aria-invalid", "true");
    else control.removeAttribute("aria-invalid");
  }
  if (!problems.length) return shown?.remove();
  const node = shown ?? element("p", { class: "problem", role: "alert" });
  setText(node, problems.map(problemWords).join("\n"));
  if (!shown) place.append(node);
}
