// A pane: one picture in a framing, its thumbnail in the same place until the original is decoded.

import { element } from "./element.js";
import { nameOf } from "./grid.js";
import { clampMiddle, fitScale, middleAround, nextStop, place } from "./zoom.js";
import { FAILED_WORDS } from "./words_loupe.js";

const DRAGGED_TYPE = "application/x-hotfolder-media"; // as the grid's
const PASSING_MS = 60; // who holds an arrow down passes pictures by: their originals are not asked for
const WITHOUT_HOLES = new Set(["image/jpeg", "image/bmp"]);

/** Shows one picture at a time; tells "placed" whenever the picture stands elsewhere in it. */
export class Pane extends EventTarget {
  #zoom;
  #originals;
  #picture;
  #placeholder = [element("img", { alt: "", class: "spread" }), element("img", { alt: "" })];
  #failed = element("p", { class: "stage-failed", hidden: true });
  #size = { width: 0, height: 0 };
  #room = { width: 0, height: 0 };

  media = null;
  box = { left: 0, top: 0, width: 0, height: 0 };

  constructor(zoom, originals, attributes = {}) {
    super();
    this.#zoom = zoom;
    this.#originals = originals;
    this.#picture = element("div", { class: "picture", ...attributes }, element("div", { class: "placeholder" }, ...this.#placeholder));
    this.root = element("div", { class: "pane" }, this.#picture, this.#failed);
    this.#picture.addEventListener("dragstart", ({ dataTransfer }) => dataTransfer.setData(DRAGGED_TYPE, JSON.stringify([this.media.mediaId])));
    new ResizeObserver(() => this.#measure()).observe(this.root);
    zoom.addEventListener("changed", () => this.#place());
  }

  /** Device pixels that one pixel of the picture takes now. */
  get level() {
    return this.#scale() * devicePixelRatio;
  }

  get fitLevel() {
    return fitScale(this.#pixels(), this.#room) * devicePixelRatio;
  }

  /** Whether some of the picture is out of sight. */
  get isCropped() {
    return this.box.width > this.#size.width + 1 || this.box.height > this.#size.height + 1;
  }

  /** Shows a picture; true once it is sharp and still wanted. */
  async show(media) {
    if (media.mediaId !== this.media?.mediaId) this.#drawPlaceholder(media);
    this.media = media;
    this.#measure();
    if (!this.#originals.has(media)) await new Promise((resolve) => setTimeout(resolve, PASSING_MS));
    if (this.media !== media) return false;
    try {
      const image = await this.#originals.load(media);
      return this.media === media && this.#sharpen(image);
    } catch {
      this.#fail(media);
      return false;
    }
  }

  clear() {
    this.media = null;
    this.#picture.querySelector(":scope > img")?.remove();
    this.#placeholder.forEach((image) => image.removeAttribute("src"));
  }

  /** Larger or smaller by a factor; the point of the screen stays where it is, or the middle. */
  zoomBy(factor, point) {
    this.#zoomTo(this.level * factor, point);
  }

  /** To the next round level up or down. */
  zoomStep(step) {
    this.#zoomTo(nextStop(this.level, step, this.fitLevel));
  }

  /** From whatever it is to fit, from fit to 100 %. */
  zoomToggle(point) {
    if (this.#zoom.fits) this.#zoomTo(1, point);
    else this.#zoom.fit();
  }

  /** Moves the picture by so many CSS pixels. */
  pan(dx, dy) {
    const along = (middle, moved, shown, room) => clampMiddle(clampMiddle(middle, shown, room) - moved / shown, shown, room);
    const { x, y } = this.#zoom.middle;
    this.#zoom.moveTo({ x: along(x, dx, this.box.width, this.#size.width), y: along(y, dy, this.box.height, this.#size.height) });
  }

  /** Moves the view by a part of the pane, as a key does. */
  panBy(across, down) {
    this.pan(-across * this.#size.width, -down * this.#size.height);
  }

  #zoomTo(level, point) {
    const edge = this.root.getBoundingClientRect();
    const at = point ? { x: point.x - edge.left, y: point.y - edge.top } : { x: this.#size.width / 2, y: this.#size.height / 2 };
    this.#zoom.show(level, middleAround(at, this.box, this.#size, level / this.level), this.fitLevel);
  }

  #pixels() {
    return { width: this.media?.width || 1, height: this.media?.height || 1 };
  }

  #scale() {
    return this.#zoom.fits ? fitScale(this.#pixels(), this.#room) : this.#zoom.level / devicePixelRatio;
  }

  #measure() {
    const { paddingInlineStart, paddingBlockStart } = getComputedStyle(this.root);
    this.#size = { width: this.root.clientWidth, height: this.root.clientHeight };
    this.#room = { width: this.#size.width - 2 * parseFloat(paddingInlineStart), height: this.#size.height - 2 * parseFloat(paddingBlockStart) };
    this.#place();
  }

  #place() {
    if (!this.media || this.#room.width <= 0 || this.#room.height <= 0) return;
    this.box = place(this.#pixels(), this.#size, this.#scale(), this.#zoom.middle, devicePixelRatio);
    putInto(this.#picture, this.box);
    this.root.toggleAttribute("data-cropped", this.isCropped);
    this.#picture.draggable = !this.isCropped; // otherwise dragging pans
    this.dispatchEvent(new CustomEvent("placed"));
  }

  #drawPlaceholder(media) {
    this.#picture.querySelector(":scope > img")?.remove();
    this.#picture.dataset.sharp = "false";
    this.#picture.toggleAttribute("data-holes", !WITHOUT_HOLES.has(media.mimeType));
    this.#placeholder.forEach((image) => (image.src = media.thumbnailUrl));
    this.#placeholder[1].alt = nameOf(media);
    this.#failed.hidden = true;
  }

  #sharpen(image) {
    this.#failed.hidden = true;
    image.alt = nameOf(this.media);
    if (image.parentNode !== this.#picture) this.#picture.append(image);
    this.#picture.dataset.sharp = "true";
    return true;
  }

  #fail(media) {
    const isAskedForAgain = this.#originals.has(media);
    if (this.media !== media || isAskedForAgain) return;
    this.#picture.dataset.sharp = "failed";
    this.#failed.textContent = FAILED_WORDS(media);
    this.#failed.hidden = false;
  }
}

/** Puts an element where a picture stands in its pane. */
export function putInto(node, { left, top, width, height }) {
  node.style.translate = `${left}px ${top}px`;
  node.style.inlineSize = `${width}px`;
  node.style.blockSize = `${height}px`;
}
