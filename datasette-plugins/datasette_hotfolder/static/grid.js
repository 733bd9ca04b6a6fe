// The grid: a cell a picture, one of them current.

import { byId } from "./element.js";

const MARK_WORDS = { selected: ", picked", rejected: ", rejected" };
const REVIEW_WORDS = { awaiting: ", awaits its review" };

/** What a picture is called. */
export const nameOf = (media) => media.title || media.originalName || media.fileName;

/** Shows a set of pictures; `open()` is called when the current one is clicked. */
export class Grid {
  #set;
  #open;
  #grid = byId("grid");
  #scroller = byId("scroller");
  #template = byId("cell-template").content.querySelector(".cell");
  #cells = new Map(); // media id -> its cell
  #currentCell = null;
  #comeBack = null; // brings what was in sight back when the pictures were loaded anew

  constructor(set, open) {
    this.#set = set;
    this.#open = open;
    this.#takeOver();
    this.#grid.addEventListener("click", (event) => this.#click(event));
    this.#grid.addEventListener("load", ({ target }) => target.closest(".cell")?.classList.remove("broken"), true);
    this.#grid.addEventListener("error", ({ target }) => target.closest(".cell")?.classList.add("broken"), true);
    set.addEventListener("renewing", () => (this.#comeBack = this.#wayBack()));
    set.addEventListener("reset", () => this.#rebuild());
    set.addEventListener("appended", ({ detail }) => this.#grid.append(...detail.map((media) => this.#cell(media))));
    set.addEventListener("prepended", ({ detail }) => this.#prepend(detail));
    set.addEventListener("changed", ({ detail }) => this.#repaint(detail));
    set.addEventListener("removed", ({ detail }) => this.#remove(detail));
    set.addEventListener("current", ({ detail }) => this.#setCurrent(detail));
  }

  get columns() {
    return getComputedStyle(this.#grid).gridTemplateColumns.split(" ").length;
  }

  get isAtTop() {
    return this.#scroller.scrollTop < 24;
  }

  /** The first picture in sight; null at the top, where news are looked at. */
  get inSight() {
    return this.#findAnchor()?.media ?? null;
  }

  /** Scrolls as little as needed to show the current cell whole. */
  reveal() {
    this.#currentCell?.scrollIntoView({ block: "nearest" });
  }

  scrollToTop() {
    this.#scroller.scrollTo({ top: 0, behavior: "instant" });
  }

  focusCurrent() {
    this.#currentCell?.focus({ preventScroll: true });
  }

  /** The first page's cells came with the page. */
  #takeOver() {
    const cells = this.#grid.querySelectorAll(".cell");
    this.#set.items.forEach((media, place) => {
      const cell = cells[place] ?? this.#grid.appendChild(this.#template.cloneNode(true));
      this.#paint(this.#keep(cell, media), media);
      if (cell.firstElementChild.complete && !cell.firstElementChild.naturalWidth) this.#checkImage(cell);
    });
    this.#setCurrent(this.#set.current);
  }

  /** A thumbnail that failed before this script ran is asked for once more. */
  #checkImage(cell) {
    const image = cell.firstElementChild;
    const address = image.getAttribute("src");
    if (address) image.src = address;
  }

  #click({ target }) {
    const cell = target.closest(".cell");
    if (!cell) return;
    if (cell === this.#currentCell) this.#open();
    else this.#set.setCurrent(this.#set.find(cell.dataset.mediaId));
    this.focusCurrent();
  }

  #rebuild() {
    this.#cells.clear();
    this.#grid.replaceChildren(...this.#set.items.map((media) => this.#cell(media)));
    this.#setCurrent(this.#set.current);
    if (this.#comeBack) this.#comeBack();
    else if (this.#set.currentPlace <= 0) this.scrollToTop();
    else this.reveal();
    this.#comeBack = null;
  }

  #wayBack() {
    const anchor = this.#findAnchor();
    return anchor ? () => this.#scrollBack(anchor) : () => this.scrollToTop();
  }

  #findAnchor() {
    if (this.isAtTop) return null;
    const edge = this.#scroller.getBoundingClientRect().top;
    const cell = [...this.#grid.children].find((each) => each.getBoundingClientRect().bottom > edge);
    return cell ? { media: this.#set.find(cell.dataset.mediaId), top: cell.getBoundingClientRect().top } : null;
  }

  /** Puts what was in sight back to its place, or what stands there now; too far down, the top is the calm place. */
  #scrollBack({ media, top }) {
    const cell = this.#grid.children[this.#set.nearestPlace(media)];
    if (cell) this.#scroller.scrollTop += cell.getBoundingClientRect().top - top;
    else this.scrollToTop();
  }

  /** What is looked at stays where it is, unless the top is looked at. */
  #prepend(arrived) {
    const keepsTop = this.isAtTop;
    this.#grid.prepend(...arrived.map((media) => this.#cell(media)));
    if (keepsTop) this.scrollToTop();
  }

  #cell(media) {
    const cell = this.#keep(this.#template.cloneNode(true), media);
    cell.firstElementChild.src = media.thumbnailUrl;
    this.#paint(cell, media);
    return cell;
  }

  #keep(cell, media) {
    cell.dataset.mediaId = media.mediaId;
    this.#cells.set(media.mediaId, cell);
    return cell;
  }

  #repaint(media) {
    const cell = this.#cells.get(media.mediaId);
    if (cell) this.#paint(cell, media);
  }

  /** Whoever had the focus there goes on at the picture that took its place. */
  #remove({ mediaId }) {
    const cell = this.#cells.get(mediaId);
    if (!cell) return;
    const hadFocus = cell === document.activeElement;
    this.#cells.delete(mediaId);
    cell.remove();
    if (hadFocus) this.focusCurrent();
  }

  #paint(cell, media) {
    cell.dataset.rating = media.rating;
    cell.dataset.status = media.status ?? "";
    cell.dataset.origin = media.origin;
    cell.dataset.review = media.review;
    const stars = media.rating ? `, ${media.rating} of 5 stars` : "";
    cell.setAttribute("aria-label", `${nameOf(media)}${stars}${MARK_WORDS[media.status] ?? ""}${REVIEW_WORDS[media.review] ?? ""}`);
  }

  #setCurrent(media) {
    if (this.#currentCell) {
      this.#currentCell.removeAttribute("aria-current");
      this.#currentCell.tabIndex = -1;
    }
    this.#currentCell = this.#cells.get(media?.mediaId) ?? null;
    this.#currentCell?.setAttribute("aria-current", "true");
    if (this.#currentCell) this.#currentCell.tabIndex = 0;
  }
}
