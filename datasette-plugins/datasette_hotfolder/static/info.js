// The panel beside the pictures: what is known about the current one.

import { isAbort, mediaPath } from "./api.js";
import { byId, element } from "./element.js";
import { fileFacts, generationFacts, pictureFacts } from "./facts.js";
import { nameOf } from "./grid.js";

const PAUSE_MS = 120;
const MARKS = [
  ["selected", "Pick", "P"],
  ["rejected", "Reject", "X"],
];

/** Shows the current picture of a set; `change(changes)` is called for clicks on stars and marks. */
export class Info {
  #api;
  #set;
  #change;
  #panel = byId("info");
  #parts = null; // the elements of the picture shown that change
  #timer = null;
  #stopper = new AbortController();

  constructor(api, set, change) {
    this.#api = api;
    this.#set = set;
    this.#change = change;
    set.addEventListener("current", () => this.#show());
    set.addEventListener("reset", () => this.#show());
    set.addEventListener("changed", ({ detail }) => detail === set.current && this.#repaint());
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  toggle(open = !this.isOpen) {
    this.#panel.hidden = !open;
    for (const id of ["info-button", "loupe-info"]) byId(id).setAttribute("aria-expanded", open);
    this.#show();
  }

  #show() {
    clearTimeout(this.#timer);
    this.#stopper.abort();
    this.#stopper = new AbortController();
    const media = this.#set.current;
    if (!this.isOpen) return;
    if (!media) return this.#panel.replaceChildren(element("p", { class: "hint" }, "No picture is chosen."));
    this.#draw(media);
    this.#timer = setTimeout(() => this.#ask(media, this.#stopper.signal), PAUSE_MS);
  }

  /** At once what the list knows already. */
  #draw(media) {
    this.#parts = { stars: starButtons(this.#change), marks: markButtons(this.#change), more: element("div", { class: "more-facts" }) };
    this.#panel.replaceChildren(
      element("h2", { class: "info-title" }, nameOf(media)),
      element("img", { class: "info-preview", src: media.thumbnailUrl, alt: "", width: 400, height: 400 }),
      element("div", { class: "info-marks" }, this.#parts.stars, this.#parts.marks),
      list(pictureFacts(media)),
      this.#parts.more,
    );
    this.#repaint();
  }

  async #ask(media, signal) {
    const { more } = this.#parts;
    try {
      const details = await this.#api.get(mediaPath(media.mediaId), { signal });
      more.replaceChildren(...sections(details));
    } catch (error) {
      if (!isAbort(error)) more.replaceChildren(element("p", { class: "hint" }, error.words ?? String(error)));
    }
  }

  #repaint() {
    if (!this.#parts) return;
    const { rating, status } = this.#set.current;
    [...this.#parts.stars.children].forEach((star, index) => {
      star.classList.toggle("lit", index < rating);
      star.setAttribute("aria-pressed", index + 1 === rating);
    });
    for (const mark of this.#parts.marks.children) mark.setAttribute("aria-pressed", mark.dataset.mark === status);
  }
}

/** A click on the last lit star takes all of them away. */
function starButtons(change) {
  const stars = [1, 2, 3, 4, 5].map((value) => {
    const click = ({ currentTarget }) => change({ rating: currentTarget.getAttribute("aria-pressed") === "true" ? 0 : value });
    return element("button", { type: "button", "aria-label": value === 1 ? "1 star" : `${value} stars`, title: `${value}`, click }, "★");
  });
  return element("div", { class: "stars", role: "group", "aria-label": "Rating" }, ...stars);
}

function markButtons(change) {
  const marks = MARKS.map(([mark, words, key]) => {
    const click = ({ currentTarget }) => change({ status: currentTarget.getAttribute("aria-pressed") === "true" ? null : mark });
    return element("button", { type: "button", class: "chip", "data-mark": mark, title: `${words} (${key})`, click }, words);
  });
  return element("div", { class: "marks", role: "group", "aria-label": "Mark" }, ...marks);
}

function sections(details) {
  const { generation, inputs = [], keywords = [], description } = details;
  return [
    description && section("Description", element("p", { class: "prompt" }, description)),
    generation && section("Generation", ...prompts(generation), list(generationFacts(generation))),
    inputs.length && section("Made from", element("div", { class: "inputs" }, ...inputs.map(input))),
    keywords.length && section("Keywords", element("p", { class: "keywords" }, ...keywords.map((word) => element("span", {}, word)))),
    section("File", list(fileFacts(details))),
  ].filter(Boolean);
}

function prompts({ prompt, negativePrompt }) {
  const without = negativePrompt ? element("p", { class: "prompt without" }, element("b", {}, "without "), negativePrompt) : null;
  return [prompt ? element("p", { class: "prompt" }, prompt) : null, without];
}

function input({ position, role, originalName, mediaId, thumbnailUrl }) {
  const title = [role, originalName].filter(Boolean).join(": ") || `reference ${position + 1}`;
  const image = element("img", { src: thumbnailUrl, alt: title, title, width: 400, height: 400, loading: "lazy" });
  return mediaId ? element("a", { href: `#${encodeURIComponent(mediaId)}` }, image) : image;
}

function section(title, ...content) {
  return element("section", {}, element("h2", {}, title), ...content);
}

function list(facts) {
  return element("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", { title: value }, value)]));
}
