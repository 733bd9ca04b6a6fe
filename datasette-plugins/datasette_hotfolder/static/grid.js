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
const FAST = 0.3; // windows in one step: who goes on so fast sees no thumbnails
const REST_MS = 90;

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
  #sight = { media: null, place: 0, below: 0 }; // the first row in sight: a picture of it, its place, how far below the upper edge
  #isLaying = false;
  #isFocusing = false;
  #lastTop = 0;
  #fastAt = 0;
  #resting = null;

  constructor(set, selection, open) {
    super();
    this.#set = set;
    this.#selection = selection;
    this.#cells = new Cells(set, selection, this.#grid);
    this.#sheet = new LongSheet(this.#scroller, this.#grid, () => this.#move());
    this.#grid.classList.add("placed");
    this.#lay();
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

  /** Whether all pictures would be in sight at once if the grid were so many pixels wider. */
  fitsWith(more) {
    return this.#layIn(this.#layout.width + more).height <= this.#sheet.window;
  }

  /** The first picture in sight; null at the top, where news are looked at. */
  get inSight() {
    return this.isAtTop ? null : this.#sight.media;
  }

  /** How far down the window is, in pictures: from 0 to their number. */
  get placeInSight() {
    const end = Math.max(1, this.#layout.height - this.#sheet.window);
    return (this.#sheet.top / end) * this.#layout.total;
  }

  /** The place of the first row in sight. */
  get firstPlace() {
    return this.#layout.placesBetween(this.#sheet.top, this.#sheet.top).first;
  }

  /** How large a cell is at least; what is looked at stays where it is. */
  setCellSize(cellPx) {
    this.#cellPx = cellPx;
    this.#grid.style.setProperty("--cell", `${cellPx}px`);
    this.#keep(this.#currentInSight() ?? this.#sight);
  }

  /** Scrolls as little as needed to show the current cell whole. */
  reveal() {
    const place = this.#set.currentPlace;
    if (place < 0) return;
    const top = this.#layout.topOf(place);
    const least = top + this.#layout.size + EDGE_PX - this.#sheet.window;
    const scrolled = Math.min(Math.max(this.#sheet.top, least), top - EDGE_PX);
    if (scrolled !== this.#sheet.top) this.#sheet.scrollTo(scrolled);
  }

  scrollToTop() {
    this.#sheet.scrollTo(0);
  }

  /** Brings the row of a place to the top of the window. */
  scrollToPlace(place) {
    this.#sheet.scrollTo(this.#layout.scrollTopOf(place));
  }

  /** Brings this share of the way down into sight, from 0 to 1. */
  scrollToShare(share) {
    this.#sheet.scrollTo(share * Math.max(0, this.#layout.height - this.#sheet.window));
  }

  focusCurrent() {
    this.#isFocusing = true;
    this.cellOf(this.#set.current?.mediaId)?.focus({ preventScroll: true });
    this.#isFocusing = false;
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
    this.#grid.addEventListener("focusin", () => this.#isFocusing || this.#grid.matches(":active") || this.reveal()); // by Tab
    let isRenewal = false;
    set.addEventListener("renewing", () => (isRenewal = true));
    set.addEventListener("reset", () => {
      this.#reset(isRenewal);
      isRenewal = false;
    });
    set.addEventListener("loaded", () => this.#redraw());
    for (const type of ["prepended", "removed", "returned"]) set.addEventListener(type, () => this.#keepSight());
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
    this.#set.setCurrent(this.#selection.alone ?? media);
    this.focusCurrent();
  }

  #reset(isRenewal) {
    if (isRenewal) this.#keepSight();
    else this.#lay();
    if (!isRenewal && this.#set.currentPlace > 0) this.reveal();
    this.#cells.mark();
  }

  /** The current picture has its cell wherever it is; a focus that was in the grid goes with it. */
  #followCurrent() {
    const hadFocus = this.#grid.contains(document.activeElement);
    this.#redraw();
    this.#cells.mark();
    if (hadFocus) this.focusCurrent();
  }

  #resize() {
    const { clientHeight } = this.#scroller;
    const isSame = this.#layout.width === this.#grid.clientWidth && this.#sheet.window === clientHeight;
    if (!isSame && clientHeight) this.#keep(this.#currentInSight() ?? this.#sight);
  }

  /** After news; at the top it is the top that is looked at. */
  #keepSight() {
    const hadFocus = this.#grid.contains(document.activeElement);
    if (this.isAtTop) this.#lay();
    else this.#keep(this.#sight);
    if (hadFocus) this.focusCurrent();
  }

  /** Lays all out anew; what is named stays as far below the upper edge as it was. */
  #keep({ media, place, below }) {
    const found = media ? this.#set.nearestPlace(media) : -1;
    const kept = Math.min(found < 0 ? place : found, Math.max(0, this.#set.length - 1));
    this.#lay((layout) => layout.topOf(kept) - below);
  }

  #currentInSight() {
    const place = this.#set.currentPlace;
    const below = this.#layout.topOf(place) - this.#sheet.top;
    const isInSight = place >= 0 && below > -this.#layout.size && below < this.#sheet.window;
    return isInSight ? { media: this.#set.current, place, below } : null;
  }

  #layIn(width) {
    return new GridLayout(width, this.#cellPx, this.#set.length);
  }

  #lay(topIn = () => 0) {
    this.#layout = this.#layIn(this.#grid.clientWidth);
    this.#shown = "";
    this.#isLaying = true;
    this.#sheet.set(this.#layout.height, this.#scroller.clientHeight, topIn(this.#layout));
    this.#isLaying = false;
  }

  /** Another part is in sight. What is looked at is noted only when somebody went there. */
  #move() {
    const now = performance.now();
    const isFast = Math.abs(this.#sheet.top - this.#lastTop) > FAST * this.#sheet.window;
    const isRushing = isFast && now - this.#fastAt < REST_MS;
    this.#lastTop = this.#sheet.top;
    if (isFast) this.#fastAt = now;
    if (isRushing) this.#rest();
    if (!this.#isLaying) this.#look();
    this.#draw(!isRushing);
    this.dispatchEvent(new Event("moved"));
  }

  #rest() {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => this.#cells.showImages(), REST_MS);
  }

  #look() {
    const place = this.firstPlace;
    this.#sight = { media: this.#set.at(place) ?? null, place, below: this.#layout.topOf(place) - this.#sheet.top };
  }

  #redraw() {
    this.#shown = "";
    this.#draw(true);
  }

  #draw(withImages) {
    const { top, window, shift } = this.#sheet;
    const range = this.#layout.placesBetween(top - BESIDE * window, top + window * (1 + BESIDE));
    const shown = `${range.first} ${range.last} ${shift}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const { size } = this.#layout;
    const put = (place) => [this.#layout.leftOf(place), this.#sheet.place(this.#layout.topOf(place), size)];
    this.#cells.show(range, { size, put, withImages });
    const ahead = this.#layout.columns * Math.ceil((AHEAD * window) / this.#layout.pitch);
    this.#set.want(range.first - ahead, range.last + ahead, "grid");
  }
}
