// The sections of the panel: what is known of one picture, each folded or open as it was left.

import { byId, element } from "./element.js";
import { fileFacts, generationFacts } from "./facts.js";
import { formatInstant } from "./format.js";
import { nameOf } from "./words_grid.js";
import { copyButtons } from "./info_tools.js";
import { recall, remember } from "./preferences.js";
import { RawSidecar } from "./raw_sidecar.js";
import { changeWords, DELIVERY, EMPTY, LINEAGE, SOURCE_GONE } from "./words_info.js";

const CONTENT = { generation: generationContent, sources: sourcesContent, made: madeContent, file: fileContent, delivered: deliveredContent, history: historyContent };

/** Fills the sections; what they lead to lies below `base`. */
export class InfoSections {
  #place = byId("info-sections");
  #base;
  #sidecar;

  constructor(base) {
    this.#base = base;
    this.#sidecar = new RawSidecar(byId("info-sidecar"), base);
    for (const button of this.#place.querySelectorAll(".fold")) this.#startFold(button);
  }

  /** Shows what is known; what is shown of another picture until then counts no longer. */
  show(detail) {
    this.await(false);
    for (const [name, content] of Object.entries(CONTENT)) this.#fill(name, content(detail, this.#base));
    this.#sidecar.show(detail);
    this.#section("sidecar").hidden = !this.#sidecar.isThere;
  }

  /** What stands here is of the picture before: it is neither read out nor clicked. */
  await(isAwaiting) {
    this.#place.inert = isAwaiting;
    this.#place.ariaBusy = isAwaiting;
  }

  clear() {
    this.await(false);
    for (const section of this.#place.children) section.hidden = true;
  }

  #fill(name, content) {
    this.#section(name).hidden = !content.length;
    byId(`info-${name}`).replaceChildren(...content);
  }

  #section(name) {
    return this.#place.querySelector(`[data-section="${name}"]`);
  }

  #startFold(button) {
    const body = byId(button.getAttribute("aria-controls"));
    const set = (isOpen) => {
      button.setAttribute("aria-expanded", isOpen);
      body.hidden = !isOpen;
    };
    const kept = recall(body.id);
    if (kept !== null) set(kept === "open");
    button.addEventListener("click", () => {
      set(body.hidden);
      remember(body.id, body.hidden ? "folded" : "open");
    });
  }
}

/** A list of facts. */
export function list(facts) {
  return element("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", { title: value }, value)]));
}

function generationContent(detail) {
  const { generation, preset } = detail;
  if (!generation) return [];
  const { prompt, negativePrompt } = generation;
  const without = negativePrompt ? [element("p", { class: "prompt without" }, element("b", {}, "without "), negativePrompt)] : [];
  return [...(prompt ? [element("p", { class: "prompt" }, prompt)] : []), ...without, copyButtons(detail), list(generationFacts({ ...generation, preset }))];
}

function sourcesContent({ inputs, mediaId, made }, base) {
  if (!inputs?.length) return [];
  return [element("ul", { class: "inputs" }, ...inputs.map(source)), ...(made?.length ? [] : [lineageLink(mediaId, base)])];
}

function source({ position, role, originalName, mediaId, isPresent, thumbnailUrl }) {
  const named = [role, originalName].filter(Boolean).join(": ") || `reference ${position + 1}`;
  const title = isPresent ? named : `${named} (${SOURCE_GONE})`;
  const image = element("img", { src: thumbnailUrl, alt: title, title, width: 400, height: 400, loading: "lazy" });
  const caption = role ? [element("small", {}, role)] : [];
  return element("li", { class: isPresent ? null : "gone" }, isPresent ? element("a", { href: hash(mediaId) }, image, ...caption) : element("span", {}, image, ...caption));
}

function madeContent({ made, mediaId }, base) {
  if (!made?.length) return [];
  return [element("ul", { class: "inputs" }, ...made.map(madePicture)), lineageLink(mediaId, base)];
}

function madePicture(media) {
  const title = nameOf(media);
  return element("li", {}, element("a", { href: hash(media.mediaId) }, element("img", { src: media.thumbnailUrl, alt: title, title, width: 400, height: 400, loading: "lazy" })));
}

function fileContent(detail) {
  return [list(fileFacts(detail))];
}

/** Only what was made for a job is delivered. */
function deliveredContent({ generation, deliveries }) {
  if (!generation) return [];
  if (!deliveries?.length) return [element("p", { class: "hint" }, EMPTY.delivered)];
  return [element("dl", { class: "facts long" }, ...deliveries.flatMap(delivery))];
}

function delivery({ kind, path, at }) {
  return [element("dt", {}, DELIVERY[kind] ?? kind), element("dd", {}, path, element("small", {}, formatInstant(at)))];
}

function historyContent({ ratingHistory }) {
  if (!ratingHistory?.length) return [element("p", { class: "hint" }, EMPTY.history)];
  return [element("ol", { class: "history" }, ...ratingHistory.map(change))];
}

function change(rating) {
  const { actor, at } = rating;
  return element("li", {}, element("b", {}, actor ?? "somebody"), ` ${changeWords(rating)} `, element("time", { datetime: at }, formatInstant(at)));
}

function lineageLink(mediaId, base) {
  return element("p", { class: "lineage-link" }, element("a", { href: `${base}/-/lineage/${encodeURIComponent(mediaId)}`, title: "All it was made from, and all that was made from it" }, LINEAGE, " →"));
}

const hash = (mediaId) => `#${encodeURIComponent(mediaId)}`;
