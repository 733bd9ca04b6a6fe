// How far down a very long sheet is: browsers hold elements of some million pixels only (pure).

const LONGEST_PX = 16_000_000; // what all browsers can hold
const TRUE_PX = 1_000_000; // so far from both ends a pixel is a pixel

/** Turns pixels of a sheet into pixels that can be scrolled, and back; the same for sheets that are not too long. */
export class Stretch {
  constructor(length) {
    this.length = length;
    this.shown = Math.min(length, LONGEST_PX);
  }

  get isTrue() {
    return this.shown === this.length;
  }

  toWhole(shown) {
    return this.#convert(shown, this.shown, this.length);
  }

  toShown(whole) {
    return this.#convert(whole, this.length, this.shown);
  }

  /** The same near the beginning and near the end, and evenly in between. */
  #convert(at, from, to) {
    if (this.isTrue || at <= TRUE_PX) return at;
    if (at >= from - TRUE_PX) return to - (from - at);
    return TRUE_PX + ((at - TRUE_PX) * (to - 2 * TRUE_PX)) / (from - 2 * TRUE_PX);
  }
}
