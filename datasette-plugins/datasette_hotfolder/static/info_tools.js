// What can be done with a picture from the panel: made again, made otherwise, copied.

import { byId, element } from "./element.js";
import { copyText, jobAsJson, jobAsYaml } from "./job_text.js";
import { toast } from "./toast.js";
import { AWAITS_DETAILS, copiedWords, COPY, COPY_TITLES, MAY_NOT_SUBMIT, NO_GENERATION, TOOL_TITLES, TOOLS } from "./words_info.js";

const NEED_GENERATION = new Set(["runAgain", "varySeed", "reload"]);

/** Buttons that call hooks: `hooks[name](detail)`. */
export class InfoTools {
  #place;
  #mayUse;
  #detail = null;
  #buttons;

  constructor(place, { hooks, mayUse }) {
    this.#place = place;
    this.#mayUse = mayUse;
    const names = Object.keys(TOOLS).filter((name) => hooks[name]);
    this.#buttons = new Map(names.map((name) => [name, element("button", { type: "button", class: "button", click: () => hooks[name](this.#detail) }, TOOLS[name])]));
    place.append(...this.#buttons.values());
  }

  /** What is known of the picture; null while that is not here yet. */
  show(detail) {
    this.#detail = detail;
    this.#place.hidden = false;
    for (const [name, button] of this.#buttons) {
      const why = this.#whyNot(name);
      button.disabled = why !== null;
      button.title = why ?? TOOL_TITLES[name];
    }
  }

  hide() {
    this.#place.hidden = true;
  }

  #whyNot(name) {
    if (!this.#mayUse) return MAY_NOT_SUBMIT;
    if (!this.#detail) return AWAITS_DETAILS;
    return NEED_GENERATION.has(name) && !this.#detail.generation ? NO_GENERATION : null;
  }
}

/** Buttons that copy what a generated picture was made by. */
export function copyButtons({ generation }) {
  const texts = {
    prompt: generation.prompt,
    seed: generation.seed === null ? null : String(generation.seed),
    yaml: generation.again && jobAsYaml(generation.again),
    json: generation.again && jobAsJson(generation.again),
  };
  const buttons = Object.entries(texts).filter(([, text]) => text).map(([what, text]) => copyButton(what, text));
  return element("p", { class: "copies" }, element("span", {}, COPY.label), ...buttons);
}

function copyButton(what, text) {
  return element("button", { type: "button", class: "plain", title: COPY_TITLES[what], "data-copy": what, click: () => copy(text, what) }, COPY[what]);
}

/** Where scripts may not copy, the text is shown selected. */
async function copy(text, what) {
  if (await copyText(text)) return toast(copiedWords(COPY[what]));
  byId("copy-text").value = text;
  byId("copy-dialog").showModal();
  byId("copy-text").select();
}
