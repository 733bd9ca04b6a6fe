// Scrolls a sheet of any height: by pixels as it is scrolled, by shares of it as its scrollbar is dragged.

import { Stretch } from "./stretch.js";

const JUMP_WINDOWS = 2; // who moves farther at once drags the scrollbar
const SETTLED_MS = 150;
const MOST_DRIFT_PX = 50_000;

/** `sheet` stands in `scroller`; `moved()` is called whenever another part of it comes into sight. */
export class LongSheet {
  #scroller;
  #sheet;
  #moved;
  #stretch = new Stretch(0);
  #window = 0; // its height
  #at = 0; // the scroll position as last seen
  #top = 0; // the pixels of the sheet above the window
  #timer = null;

  constructor(scroller, sheet, moved) {
    this.#scroller = scroller;
    this.#sheet = sheet;
    this.#moved = moved;
    scroller.addEventListener("scroll", () => this.#scroll(), { passive: true });
  }

  get top() {
    return this.#top;
  }

  get window() {
    return this.#window;
  }

  /** What to take from a height in the sheet to get the height of an element in it. */
  get shift() {
    return this.#top - this.#at;
  }

  /** The height of an element there, kept within what can be scrolled. */
  place(height, size) {
    return Math.max(0, Math.min(height - this.shift, this.#stretch.shown - size));
  }

  /** Another height of the sheet, of the window, and another part of it in sight. */
  set(length, window, top) {
    this.#window = window;
    if (length !== this.#stretch.length) {
      this.#stretch = new Stretch(length);
      this.#sheet.style.blockSize = `${this.#stretch.shown}px`;
    }
    this.scrollTo(top);
  }

  scrollTo(top) {
    this.#top = this.#within(top);
    this.#align();
    this.#moved();
  }

  #scroll() {
    const at = Math.max(0, Math.min(this.#scroller.scrollTop, this.#stretch.shown - this.#window)); // some browsers bounce
    const step = at - this.#at;
    if (!step) return;
    this.#at = at;
    const isJump = this.#stretch.isTrue || Math.abs(step) > JUMP_WINDOWS * this.#window;
    this.#top = this.#within(isJump ? this.#stretch.toWhole(at) : this.#top + step);
    if (this.#isAtAnEnd(at)) this.#align();
    this.#moved();
    if (!this.#stretch.isTrue) this.#settle();
  }

  /** The end of what can be scrolled has to be the end of the sheet, and the other way round. */
  #isAtAnEnd(at) {
    return !this.#stretch.isTrue && (at <= 0 || at >= this.#stretch.shown - this.#window - 1 || this.#top <= 0 || this.#top >= this.#end);
  }

  /** After much scrolling by pixels the scrollbar is put where it belongs. */
  #settle() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (Math.abs(this.#stretch.toShown(this.#top) - this.#at) < MOST_DRIFT_PX) return;
      this.#align();
      this.#moved();
    }, SETTLED_MS);
  }

  get #end() {
    return Math.max(0, this.#stretch.length - this.#window);
  }

  #within(top) {
    return Math.max(0, Math.min(top, this.#end));
  }

  #align() {
    this.#scroller.scrollTop = this.#stretch.toShown(this.#top);
    this.#at = this.#scroller.scrollTop;
    if (this.#stretch.isTrue) this.#top = this.#at;
  }
}
