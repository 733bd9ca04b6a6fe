// The loupe: one picture as large as the window, its neighbours ready.

import { byId, setText } from "./element.js";
import { Filmstrip } from "./filmstrip.js";
import { formatNumber } from "./format.js";
import { nameOf } from "./grid.js";
import { Originals } from "./originals.js";

const LOAD_AHEAD = 20;
const PASSING_MS = 60; // who holds an arrow down passes pictures by: their originals are not asked for
const NOT_A_CLICK_MS = 350; // the second half of the double click that opened the loupe

/** Shows the current picture of a set while it is open. */
export class Loupe {
  #set;
  #view = byId("loupe");
  #image = byId("loupe-image");
  #filmstrip;
  #originals = new Originals();
  #openedAt = 0;
  #shown = null;

  constructor(set) {
    this.#set = set;
    this.#filmstrip = new Filmstrip(set);
    set.addEventListener("current", () => this.isOpen && this.#show());
    set.addEventListener("changed", ({ detail }) => this.isOpen && this.#repaint(detail));
    set.addEventListener("reset", () => this.refresh());
    for (const type of ["appended", "prepended", "removed", "counts"]) set.addEventListener(type, () => this.isOpen && this.#drawPlace());
    byId("loupe-previous").addEventListener("click", (event) => this.#turn(event, -1));
    byId("loupe-next").addEventListener("click", (event) => this.#turn(event, 1));
    addEventListener("resize", () => this.isOpen && this.#filmstrip.draw());
  }

  get isOpen() {
    return !this.#view.hidden;
  }

  open() {
    this.#view.hidden = false;
    this.#openedAt = performance.now();
    document.body.classList.add("in-loupe");
    byId("table").inert = true;
    this.#view.focus({ preventScroll: true });
    this.#show();
  }

  close() {
    this.#view.hidden = true;
    this.#shown = null;
    document.body.classList.remove("in-loupe");
    byId("table").inert = false;
    this.#originals.keepOnly([]);
    this.#image.removeAttribute("src");
  }

  /** Shows the same picture again: what is known of it may be newer, and a failed original may load now. */
  refresh() {
    if (this.isOpen) this.#show();
  }

  #turn({ detail, timeStamp }, step) {
    const isLeftOver = detail > 1 && timeStamp - this.#openedAt < NOT_A_CLICK_MS;
    if (!isLeftOver) this.#set.move(step);
  }

  #show() {
    const media = this.#set.current;
    if (!media) return;
    if (media.mediaId !== this.#shown?.mediaId) this.#drawPlaceholder(media);
    this.#shown = media;
    this.#drawPlace();
    this.#repaint(media);
    this.#sharpen(media);
    const left = this.#set.items.length - this.#set.currentPlace;
    if (this.#set.hasMore && left <= LOAD_AHEAD) this.#set.loadMore();
  }

  /** The thumbnail, as large as the original will be, until that is decoded. */
  #drawPlaceholder(media) {
    this.#image.style.setProperty("--width", media.width || 1);
    this.#image.style.setProperty("--height", media.height || 1);
    this.#image.src = media.thumbnailUrl;
    this.#image.alt = nameOf(media);
    this.#image.dataset.sharp = "false";
    byId("stage-failed").hidden = true;
  }

  async #sharpen(media) {
    this.#originals.keepOnly([media, ...this.#neighbours()]);
    if (!this.#originals.has(media)) await new Promise((resolve) => setTimeout(resolve, PASSING_MS));
    if (this.#shown !== media) return;
    try {
      await this.#originals.load(media);
    } catch {
      const isAskedForAgain = this.#originals.has(media);
      if (this.#shown === media && !isAskedForAgain) byId("stage-failed").hidden = false;
      return;
    }
    if (this.#shown !== media) return;
    byId("stage-failed").hidden = true;
    this.#image.src = media.originalUrl;
    this.#image.dataset.sharp = "true";
    this.#neighbours().forEach((each) => this.#originals.load(each).catch(() => {})); // said when it is looked at
  }

  #neighbours() {
    const place = this.#set.currentPlace;
    return place < 0 ? [] : [this.#set.items[place + 1], this.#set.items[place - 1]].filter(Boolean);
  }

  #drawPlace() {
    const place = this.#set.currentPlace;
    const words = place < 0 ? "" : `${formatNumber(place + 1)} of ${formatNumber(Math.max(this.#set.total, this.#set.items.length))}`;
    setText(byId("loupe-place"), words);
    byId("loupe-previous").disabled = place <= 0;
    byId("loupe-next").disabled = place + 1 >= this.#set.items.length && !this.#set.hasMore;
    this.#filmstrip.draw();
  }

  #repaint(media) {
    this.#filmstrip.repaint(media);
    if (media !== this.#set.current) return;
    setText(byId("loupe-name"), nameOf(media));
    const marks = byId("loupe-marks");
    marks.dataset.rating = media.rating;
    marks.dataset.status = media.status ?? "";
    this.#view.dataset.status = media.status ?? "";
  }
}
