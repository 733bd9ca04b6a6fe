// The strip at the foot of the loupe: all pictures of the filter, a frame for each one in sight.

import { arrange } from "./arrange.js";
import { byId, element } from "./element.js";
import { nameOf } from "./grid.js";
import { NO_PICTURE_YET } from "./words_loupe.js";

const STEP_PX = 63; // a frame and the gap beside it
const BEYOND = 12; // frames drawn on either side of what is in sight
const SPAN = 20_000; // frames the strip can scroll through before it is moved on: browsers bound the size of elements
const NOT_A_DRAG_PX = 4;

/** Follows the current picture of a set; a click makes another one `choose(media)`. */
export class Filmstrip {
  #set;
  #strip = byId("filmstrip");
  #track = element("div", { class: "track" });
  #frames = new Map(); // place -> its frame
  #base = 0; // the place of the track's first frame
  #dragged = null; // {x, moved} while a mouse drags the strip
  #drawing = 0;

  constructor(set, choose) {
    this.#set = set;
    this.#strip.append(this.#track);
    this.#strip.addEventListener("scroll", () => this.#drawSoon(), { passive: true });
    this.#strip.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#strip.addEventListener("click", ({ target }) => this.#click(target, choose));
    this.#strip.addEventListener("pointerdown", (event) => event.pointerType === "mouse" && (this.#dragged = { x: event.clientX, moved: 0 }));
    this.#strip.addEventListener("pointermove", (event) => this.#drag(event));
    for (const type of ["pointerup", "pointercancel"]) addEventListener(type, () => setTimeout(() => (this.#dragged = null)));
    set.addEventListener("loaded", () => this.draw());
    set.addEventListener("prepended", ({ detail }) => this.#shift(detail.count));
    for (const type of ["removed", "returned"]) set.addEventListener(type, () => this.draw());
    new ResizeObserver(() => this.centre()).observe(this.#strip);
  }

  /** Puts the current picture into the middle. */
  centre() {
    if (!this.#isShown) return;
    const place = Math.max(0, this.#set.currentPlace);
    this.#anchor(place);
    this.#strip.scrollLeft = this.#offsetOf(place);
    this.draw();
  }

  /** Draws the frames that are in sight, and asks for the pictures they lack. */
  draw() {
    if (!this.#isShown) return;
    this.#track.style.inlineSize = `${this.#length * STEP_PX}px`;
    const [first, last] = this.#inSight();
    if (last < first) return this.#keep(new Map());
    this.#keep(new Map(Array.from({ length: last - first + 1 }, (_, each) => [first + each, this.#frame(first + each)])));
    this.#set.want(first, last, "filmstrip");
  }

  repaint(media) {
    const frame = this.#frames.get(this.#set.placeOf(media.mediaId));
    if (frame) paint(frame, media, media.mediaId === this.#set.current?.mediaId);
  }

  get #isShown() {
    return this.#strip.clientWidth > 0;
  }

  get #length() {
    return Math.max(0, Math.min(SPAN, this.#set.length - this.#base));
  }

  /** The strip's padding lets the first and the last frame stand in the middle too. */
  #offsetOf(place) {
    return (place - this.#base) * STEP_PX;
  }

  #anchor(place) {
    const isNear = place >= this.#base && place < this.#base + SPAN;
    if (!isNear) this.#base = Math.max(0, place - SPAN / 2);
  }

  #inSight() {
    const middle = this.#base + Math.round(this.#strip.scrollLeft / STEP_PX);
    const reach = Math.ceil(this.#strip.clientWidth / STEP_PX / 2) + BEYOND;
    return [Math.max(this.#base, middle - reach), Math.min(this.#base + this.#length - 1, middle + reach)];
  }

  #keep(frames) {
    this.#frames.forEach((frame) => [...frames.values()].includes(frame) || frame.remove());
    this.#frames = frames;
    arrange(this.#track, frames.values());
  }

  /** The frame of a place, made anew when another picture stands there now. */
  #frame(place) {
    const media = this.#set.at(place) ?? null;
    const known = this.#frames.get(place);
    const frame = known && known.dataset.frame === (media?.mediaId ?? "") ? known : build(media);
    frame.style.translate = `${this.#offsetOf(place)}px 0`;
    frame.dataset.place = place;
    if (media) paint(frame, media, media.mediaId === this.#set.current?.mediaId);
    return frame;
  }

  #drawSoon() {
    this.#drawing ||= requestAnimationFrame(() => {
      this.#drawing = 0;
      this.#moveOn();
      this.draw();
    });
  }

  /** At the track's end, while the set goes on, the track is laid anew around what is in the middle. */
  #moveOn() {
    const place = this.#base + Math.round(this.#strip.scrollLeft / STEP_PX);
    const isAtEdge = (place - this.#base < BEYOND && this.#base > 0) || (this.#base + SPAN - place < BEYOND && this.#base + SPAN < this.#set.length);
    if (!isAtEdge) return;
    this.#base = Math.max(0, place - SPAN / 2);
    this.draw();
    this.#strip.scrollLeft = this.#offsetOf(place);
  }

  /** Pictures came before the others: what is in sight stays. */
  #shift(count) {
    if (!this.#isShown) return;
    this.#frames.forEach((frame) => frame.remove());
    this.#frames.clear();
    if (this.#base) this.#base += count;
    this.draw();
    if (!this.#base) this.#strip.scrollLeft += count * STEP_PX;
    this.draw();
  }

  #wheel(event) {
    event.preventDefault();
    this.#strip.scrollLeft += event.deltaY + event.deltaX;
  }

  #drag({ clientX }) {
    if (!this.#dragged) return;
    this.#strip.scrollLeft -= clientX - this.#dragged.x;
    this.#dragged = { x: clientX, moved: this.#dragged.moved + Math.abs(clientX - this.#dragged.x) };
  }

  async #click(target, choose) {
    const frame = target.closest("[data-place]");
    if (!frame || this.#dragged?.moved > NOT_A_DRAG_PX) return;
    const media = await this.#set.fetch(Number(frame.dataset.place));
    if (media) choose(media);
  }
}

function build(media) {
  const attributes = { type: "button", class: "frame", tabindex: -1, "data-frame": media?.mediaId ?? "", draggable: false };
  if (!media) return element("button", { ...attributes, "aria-label": NO_PICTURE_YET });
  const image = element("img", { src: media.thumbnailUrl, alt: "", width: 400, height: 400, decoding: "async", draggable: false });
  return element("button", { ...attributes, "aria-label": nameOf(media) }, image);
}

function paint(frame, media, isCurrent) {
  frame.dataset.rating = media.rating;
  frame.dataset.status = media.status ?? "";
  if (isCurrent) frame.setAttribute("aria-current", "true");
  else frame.removeAttribute("aria-current");
}
