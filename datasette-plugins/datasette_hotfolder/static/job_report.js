// Why a job failed: what went wrong at once, and behind "Show report" every problem with its place, advice and code.

import { element, setText } from "./element.js";
import { placeWords } from "./words_queue.js";

/** The report of one job; hidden while it has none. */
export class JobReport {
  #message = element("span");
  #code = element("code");
  #hint = element("span", { class: "hint" });
  #summary = element("summary", {}, "Show report");
  #problems = element("ul", { class: "problems" });
  #details = element("details", { class: "report" }, this.#summary, this.#problems);
  #shown = "";
  node = element("div", { class: "job-error" }, element("p", {}, this.#message, " ", this.#code, this.#hint), this.#details);

  constructor() {
    this.#details.addEventListener("toggle", () => setText(this.#summary, this.#details.open ? "Hide report" : "Show report"));
  }

  /** An open report stays open, and is drawn anew only when it says something else. */
  update(error) {
    const said = JSON.stringify(error ?? null);
    if (said === this.#shown) return;
    this.#shown = said;
    this.node.hidden = !error;
    if (!error) return;
    setText(this.#message, error.message ?? "");
    setText(this.#hint, error.hint ?? "");
    setText(this.#code, error.problems.length ? "" : (error.code ?? ""));
    this.#details.hidden = !error.problems.length;
    this.#problems.replaceChildren(...error.problems.map(problemItem));
  }
}

function problemItem(problem) {
  const { code, path, line, message, hint } = problem;
  const place = placeWords(problem);
  return element(
    "li",
    {},
    place ? element("b", {}, place) : null,
    line && path ? element("code", {}, path) : null,
    element("span", {}, message),
    hint ? element("span", { class: "hint" }, hint) : null,
    code ? element("code", { class: "code" }, code) : null,
  );
}
