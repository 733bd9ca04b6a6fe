// The strip of neighbours at the foot of the loupe.

import { arrange } from "./arrange.js";
import { byId, element } from "./element.js";
import { nameOf } from "./grid.js";

const EACH_SIDE = 24;

/** Shows the pictures around the current one; a click makes another one current. */
export class Filmstrip {
  #set;
  #strip = byId("filmstrip");
  #frames = new Map(); // media id -> its button

  constructor(set) {
    this.#set = set;
    this.#strip.addEventListener("click", ({ target }) => {
      const media = set.find(target.closest("[data-frame]")?.dataset.frame);
      if (media) set.setCurrent(media);
    });
  }

  /** Draws the strip around the current picture, which stands in the middle. */
  draw() {
    const place = this.#set.currentPlace;
    const shown = place < 0 ? [] : this.#set.items.slice(Math.max(0, place - EACH_SIDE), place + EACH_SIDE + 1);
    const frames = new Map(shown.map((media) => [media.mediaId, this.#frames.get(media.mediaId) ?? this.#frame(media)]));
    this.#frames.forEach((frame, mediaId) => frames.has(mediaId) || frame.remove());
    this.#frames = frames;
    arrange(this.#strip, frames.values());
    shown.forEach((media) => this.repaint(media));
    this.#centre();
  }

  repaint(media) {
    const frame = this.#frames.get(media.mediaId);
    if (!frame) return;
    frame.dataset.rating = media.rating;
    frame.dataset.status = media.status ?? "";
    if (media === this.#set.current) frame.setAttribute("aria-current", "true");
    else frame.removeAttribute("aria-current");
  }

  #frame(media) {
    const image = element("img", { src: media.thumbnailUrl, alt: "", width: 400, height: 400, decoding: "async" });
    const label = nameOf(media);
    return element("button", { type: "button", class: "frame", tabindex: -1, "aria-label": label, "data-frame": media.mediaId }, image);
  }

  #centre() {
    const frame = this.#frames.get(this.#set.current?.mediaId);
    if (frame) this.#strip.scrollLeft = frame.offsetLeft - (this.#strip.clientWidth - frame.offsetWidth) / 2;
  }
}
