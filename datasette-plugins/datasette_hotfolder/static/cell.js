// One cell of the grid: shows a picture, or a calm square until it is known which.

import { LOADING, cellWords, nameOf } from "./words_grid.js";

/** Wraps an element of the grid; it shows other pictures as the grid is scrolled. */
export class Cell {
  #image;
  #left = null;
  #top = null;

  media = null;

  constructor(node) {
    this.node = node;
    this.#image = node.firstElementChild;
  }

  /** Takes over an element that shows this picture already. */
  adopt(media) {
    this.media = media;
    const address = this.#image.getAttribute("src");
    if (address && this.#image.complete && !this.#image.naturalWidth) this.#image.src = address; // failed before this script ran
    this.paint();
  }

  /** Shows another picture, or none yet. The old thumbnail is given up, and never seen in place of the new one. */
  show(media, withImage) {
    this.media = media;
    this.node.classList.remove("broken");
    this.#image.removeAttribute("src");
    const image = new Image(400, 400);
    image.alt = "";
    image.decoding = "async";
    image.draggable = false;
    this.#image.replaceWith(image);
    this.#image = image;
    if (withImage) this.showImage();
    this.paint();
  }

  /** Asks for the thumbnail, unless that was done. */
  showImage() {
    if (this.media && !this.#image.hasAttribute("src")) this.#image.src = this.media.thumbnailUrl;
  }

  /** What is known of the picture. */
  paint() {
    const { media, node } = this;
    const facts = media ?? {};
    node.dataset.mediaId = facts.mediaId ?? "";
    node.dataset.rating = facts.rating ?? 0;
    node.dataset.status = facts.status ?? "";
    node.dataset.label = facts.label ?? "";
    node.dataset.origin = facts.origin ?? "";
    node.dataset.review = facts.review ?? "";
    node.dataset.refs = facts.hasRefs ? "yes" : "";
    node.title = media ? nameOf(media) : "";
    node.setAttribute("aria-label", media ? cellWords(media) : LOADING);
  }

  /** Its place among all, counted for who hears it. */
  count(place, total) {
    setAttribute(this.node, "aria-posinset", place + 1);
    setAttribute(this.node, "aria-setsize", total);
  }

  put(left, top) {
    if (left === this.#left && top === this.#top) return;
    this.#left = left;
    this.#top = top;
    this.node.style.transform = `translate(${left}px, ${top}px)`;
  }

  mark({ isCurrent, isSelected }) {
    setAttribute(this.node, "aria-selected", isSelected);
    if (isCurrent) setAttribute(this.node, "aria-current", true);
    else this.node.removeAttribute("aria-current");
    this.node.tabIndex = isCurrent ? 0 : -1;
  }
}

function setAttribute(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}
