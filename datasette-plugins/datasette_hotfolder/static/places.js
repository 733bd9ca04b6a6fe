// Places in the grid and places in the server's snapshot: they differ by what has left since (pure).

/** The places of `total` pictures of a snapshot, from 0; one that left gives its place to the next. */
export class Places {
  #total;
  #gone = []; // offsets in the snapshot, ascending

  constructor(total) {
    this.#total = total;
  }

  get length() {
    return this.#total - this.#gone.length;
  }

  /** The offset in the snapshot of what stands at a place. */
  offsetAt(place) {
    return place + this.#count((offset, index) => offset - index <= place);
  }

  /** The place of an offset, or of what follows it when it is gone. */
  placeOf(offset) {
    return offset - this.#count((each) => each < offset);
  }

  isGone(offset) {
    return this.#gone[this.#count((each) => each < offset)] === offset;
  }

  /** Closes the gap that a picture leaves. */
  take(offset) {
    if (!this.isGone(offset)) this.#gone.splice(this.#count((each) => each < offset), 0, offset);
  }

  /** Opens it again. */
  putBack(offset) {
    if (this.isGone(offset)) this.#gone.splice(this.#count((each) => each < offset), 1);
  }

  /** How many of what is gone pass a test that only the first ones pass, by halving. */
  #count(passes) {
    let low = 0;
    let high = this.#gone.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (passes(this.#gone[middle], middle)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
