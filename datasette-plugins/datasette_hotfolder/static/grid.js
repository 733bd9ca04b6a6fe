// The grid: as many pictures as one likes, of which only those near the window have cells; one is the current one.

import { Cells } from "./cells.js";
import { byId } from "./element.js";
import { GridLayout } from "./grid_layout.js";
import { LongSheet } from "./long_sheet.js";

export { nameOf } from "./words_grid.js";

const CELL_PX = 172;
const AT_TOP_PX = 24;
const BESIDE = 0.6; // windows above and below that have cells
const AHEAD = 2; // windows above and below whose pictures are loaded
const EDGE_PX = 8; // what stays free above and below a cell that is scrolled into sight
const RUSH = 0.3; // windows in one step: who scrolls on so fast sees no thumbnails
const RUSH_MS = 90;

/** Shows a set of pictures; `open()` is called when one is to be seen large. Tells "moved" when another part is in sight. */
export class Grid extends EventTarget {
  #set;
  #selection;
  #scroller = byId("scroller");
  #grid = byId("grid");
  #cells;
  #sheet;
  #layout;
  #cellPx = CELL_PX;
  #shown = ""; // what the cells were last placed for
  #sight = null; // the first row in sight: a picture of it, its place, and how far below the upper edge
  #rushedAt = 0;
  #rushTimer = null;
  #lastTop = 0;

  constructor(set, selection, open) {
    super();
    this.#set = set;
    this.#selection = selection;
    this.#cells = new Cells(set, selection, this.#grid);
    this.#sheet = new LongSheet(this.#scroller, this.#grid, () => this.#move());
    this.#layout = this.#measure();
    this.#grid.classList.add("placed");
    this.#lay(0);
    this.#cells.mark();
    this.#listen(open);
    new ResizeObserver(() => this.#resize()).observe(this.#scroller);
  }

  get columns() {
    return this.#layout.columns;
  }

  /** Rows that are in sight whole, at least one. */
  get rowsInSight() {
    return Math.max(1, Math.floor(this.#sheet.window / this.#layout.pitch));
  }

  get isAtTop() {
    return this.#sheet.top < AT_TOP_PX;
  }

  /** Whether all pictures are in sight at once. */
  get fits() {
    return this.#layout.height <= this.#sheet.window;
  }

  /** The first picture in sight; null at the top, where news are looked at. */
  get inSight() {
    return this.isAtTop ? null : (this.#sight?.media ?? null);
  }

  /** The place of the first row in sight. */
  get firstPlace() {
    return this.#sight?.place ?? 0;
  }

  /** How large a cell is at least; what is looked at stays where it is. */
  setCellSize(cellPx) {
    this.#cellPx = cellPx;
    this.#grid.style.setProperty("--cell", `${cellPx}px`);
    this.#keepInSight();
  }

  /** Scrolls as little as needed to show the current cell whole. */
  reveal() {
    const place = this.#set.currentPlace;
    if (place < 0) return;
    const top = this.#layout.topOf(place);
    const lowest = top - EDGE_PX;
    const highest = top + this.#layout.size + EDGE_PX - this.#sheet.window;
    const scrolled = Math.min(Math.max(this.#sheet.top, highest), lowest);
    if (scrolled !== this.#sheet.top) this.#sheet.scrollTo(scrolled);
    else this.#draw();
  }

  scrollToTop() {
    this.#sheet.scrollTo(0);
  }

  /** Brings the row of a place to the top of the window. */
  scrollToPlace(place) {
    this.#sheet.scrollTo(this.#layout.scrollTopOf(place));
  }

  focusCurrent() {
    this.#cells.find(this.#set.current?.mediaId)?.node.focus({ preventScroll: true });
  }

  /** The picture of an element in the grid. */
  mediaOf(target) {
    return this.#set.find(target.closest?.(".cell")?.dataset.mediaId);
  }

  /** The element of a picture, if it has one. */
  cellOf(mediaId) {
    return this.#cells.find(mediaId)?.node ?? null;
  }

  #listen(open) {
    const set = this.#set;
    this.#grid.addEventListener("click", (event) => this.#click(event));
    this.#grid.addEventListener("dblclick", ({ target }) => this.mediaOf(target) && open());
    this.#grid.addEventListener("load", ({ target }) => target.closest(".cell")?.classList.remove("broken"), true);
    this.#grid.addEventListener("error", ({ target }) => target.closest(".cell")?.classList.add("broken"), true);
    this.#grid.addEventListener("focusin", ({ target }) => target.matches(":focus-visible") && this.reveal());
    let isRenewing = false;
    set.addEventListener("renewing", () => (isRenewing = true));
    set.addEventListener("reset", () => {
      this.#reset(isRenewing);
      isRenewing = false;
    });
    set.addEventListener("loaded", () => this.#redraw());
    for (const type of ["prepended", "removed", "returned"]) set.addEventListener(type, () => this.#keepInSight());
    set.addEventListener("changed", ({ detail }) => this.#cells.paint(detail.mediaId));
    set.addEventListener("current", () => this.#followCurrent());
    this.#selection.addEventListener("changed", () => this.#cells.mark());
  }

  #click({ target, ctrlKey, metaKey, shiftKey }) {
    const media = this.mediaOf(target);
    if (!media) return;
    if (shiftKey) this.#selection.extendTo(this.#set.placeOf(media.mediaId));
    else if (ctrlKey || metaKey) this.#selection.toggle(media);
    else this.#selection.begin(media);
    this.#set.setCurrent(media);
    this.focusCurrent();
  }

  /** The cell of the current picture exists, wherever it is; whoever had the focus there goes on at the new one. */
  #followCurrent() {
    const hadFocus = this.#grid.contains(document.activeElement);
    this.#redraw();
    this.#cells.mark();
    if (hadFocus) this.focusCurrent();
  }

  #reset(isRenewal) {
    if (isRenewal) this.#keepInSight();
    else if (this.#set.currentPlace <= 0) this.#lay(0);
    else {
      this.#lay(0);
      this.reveal();
    }
    this.#cells.mark();
  }

  #resize() {
    const { width } = this.#layout;
    const isSame = width === this.#grid.clientWidth && this.#sheet.window === this.#scroller.clientHeight;
    if (!isSame && this.#scroller.clientHeight) this.#keepInSight();
  }

  /** Lays all out anew; what was first in sight, or the current picture if it was in sight, stays where it was. */
  #keepInSight() {
    const hadFocus = this.#grid.contains(document.activeElement);
    const anchor = this.isAtTop && !this.#isCurrentInSight() ? null : this.#anchor();
    this.#layout = this.#measure();
    this.#lay(anchor && !this.#wasAtVeryTop(anchor) ? this.#layout.topOf(this.#placeOf(anchor)) - anchor.below : 0);
    if (hadFocus && !this.#grid.contains(document.activeElement)) this.focusCurrent();
  }

  #measure() {
    return new GridLayout(this.#grid.clientWidth, this.#cellPx, this.#set.length);
  }

  #lay(top) {
    this.#layout = this.#measure();
    this.#shown = "";
    this.#sheet.set(this.#layout.height, this.#scroller.clientHeight, top);
  }
}
