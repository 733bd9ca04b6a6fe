// Where cells stand: columns and rows of squares (pure).

const GAP_PX = 8;
const ABOVE_PX = 4;
const BELOW_PX = 16;
const ALONE = 0.8; // a cell that is to be so much of the width stands alone; else there are two at least

/** The squares of `total` pictures in a grid of this width, each at least `cell` pixels wide. */
export class GridLayout {
  constructor(width, cell, total) {
    const least = Math.max(1, Math.min(cell, cell > ALONE * width ? width : (width - GAP_PX) / 2));
    this.width = width;
    this.total = total;
    this.columns = Math.max(1, Math.floor((width + GAP_PX) / (least + GAP_PX)));
    this.size = Math.max(1, Math.floor((width - GAP_PX * (this.columns - 1)) / this.columns));
    this.pitch = this.size + GAP_PX;
    this.rows = Math.ceil(total / this.columns);
    this.height = this.rows ? ABOVE_PX + this.rows * this.pitch - GAP_PX + BELOW_PX : 0;
  }

  /** The pixels above the row of a place. */
  topOf(place) {
    return ABOVE_PX + Math.floor(place / this.columns) * this.pitch;
  }

  /** What is left over of the width is spread between the columns. */
  leftOf(place) {
    const column = place % this.columns;
    return Math.round((column * (this.width + GAP_PX)) / this.columns);
  }

  /** How far down to scroll so that the row of a place is the first. */
  scrollTopOf(place) {
    return this.topOf(place) - ABOVE_PX;
  }

  /** The places in the rows between two heights, the last one included; the gap above a row belongs to it. */
  placesBetween(top, bottom) {
    const row = (height) => Math.floor((height - ABOVE_PX + GAP_PX) / this.pitch);
    const first = Math.max(0, row(top)) * this.columns;
    const last = Math.min(this.total, (row(bottom) + 1) * this.columns) - 1;
    return { first: Math.max(0, Math.min(first, last)), last };
  }
}
