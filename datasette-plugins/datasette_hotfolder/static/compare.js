// Two to four pictures side by side, in one framing; one of them is active.

import { byId, element, setText } from "./element.js";
import { nameOf } from "./grid.js";
import { Originals } from "./originals.js";
import { Pane } from "./pane.js";
import { COMPARE_PLACE } from "./words_loupe.js";
import { Zoom } from "./zoom.js";

export const COMPARED_AT_MOST = 4;

/** Shows pictures of a set beside each other; tells "active" (another one, or another picture in it) and "emptied". */
export class Compare extends EventTarget {
  #set;
  #view = byId("compare");
  #zoom = new Zoom();
  #originals = new Originals(COMPARED_AT_MOST); // all of them are looked at
  #panes = [];
  #active = 0;
  #left = new Map(); // media id -> where its pane was

  constructor(set) {
    super();
    this.#set = set;
    set.addEventListener("changed", ({ detail }) => this.#repaint(detail));
    set.addEventListener("leaving", ({ detail }) => this.#remove(detail));
    set.addEventListener("returned", ({ detail }) => this.#return(detail));
    for (const type of ["pointerdown", "focusin"]) {
      this.#view.addEventListener(type, ({ target }) => this.#activate(this.#panes.findIndex((pane) => pane.root.contains(target))));
    }
  }

  get isOpen() {
    return this.#panes.length > 0;
  }

  get zoom() {
    return this.#zoom;
  }

  /** The pane whose picture the keys change. */
  get pane() {
    return this.#panes[this.#active];
  }

  get isCropped() {
    return this.#panes.some((pane) => pane.isCropped);
  }

  /** "Comparing 2 of 4". */
  get words() {
    return COMPARE_PLACE(this.#active, this.#panes.length);
  }

  has({ mediaId }) {
    return this.#panes.some(({ media }) => media.mediaId === mediaId);
  }

  paneAt({ x, y }) {
    return this.#panes.find(({ root }) => root.contains(document.elementFromPoint(x, y))) ?? this.pane;
  }

  open(pictures) {
    this.#zoom = new Zoom();
    this.#panes = pictures.map(() => this.#build());
    this.#view.replaceChildren(...this.#panes.map(({ root }) => root));
    this.#view.hidden = false;
    this.#count();
    this.#panes.forEach((pane, number) => this.#show(pane, pictures[number]));
    this.#active = -1;
    this.#activate(0);
  }

  close() {
    this.#panes.forEach((pane) => pane.clear());
    this.#panes = [];
    this.#left.clear();
    this.#originals.keepOnly([]);
    this.#view.hidden = true;
    this.#view.replaceChildren();
  }

  step(step) {
    this.#activate((this.#active + step + this.#panes.length) % this.#panes.length);
  }

  /** The active pane shows this picture instead; one that is shown already becomes the active one. */
  take(media) {
    const place = this.#panes.findIndex((pane) => pane.media.mediaId === media.mediaId);
    if (place >= 0) return this.#activate(place);
    this.#show(this.pane, media);
    this.#tell("active");
  }

  #build() {
    const pane = new Pane(this.#zoom, this.#originals);
    pane.root.append(element("p", { class: "pane-foot" }, element("span", { class: "pane-name" }), element("span", { class: "mark-words" })));
    pane.root.tabIndex = -1;
    pane.root.setAttribute("role", "group");
    return pane;
  }

  #show(pane, media) {
    pane.show(media);
    pane.root.setAttribute("aria-label", nameOf(media));
    this.#paint(pane, media);
    this.#originals.keepOnly(this.#panes.map((each) => each.media).filter(Boolean));
  }

  #activate(number) {
    if (number < 0 || number === this.#active) return;
    this.#active = number;
    this.#panes.forEach((pane, each) => (each === number ? pane.root.setAttribute("aria-current", "true") : pane.root.removeAttribute("aria-current")));
    this.#tell("active");
  }

  #repaint(changed) {
    this.#panes.filter(({ media }) => media?.mediaId === changed.mediaId).forEach((pane) => this.#paint(pane, changed));
  }

  #paint({ root }, media) {
    setText(root.querySelector(".pane-name"), nameOf(media));
    const marks = root.querySelector(".mark-words");
    for (const node of [root, marks]) node.dataset.status = media.status ?? "";
    marks.dataset.rating = media.rating;
    marks.dataset.label = media.label ?? "";
  }

  #remove({ mediaId }) {
    const place = this.#panes.findIndex(({ media }) => media.mediaId === mediaId);
    if (place < 0) return;
    const [gone] = this.#panes.splice(place, 1);
    gone.root.remove();
    this.#left.set(mediaId, place);
    if (this.#panes.length < 2) {
      this.#active = 0;
      return this.#tell("emptied");
    }
    this.#count();
    const next = Math.min(this.#active > place ? this.#active - 1 : this.#active, this.#panes.length - 1);
    this.#active = -1;
    this.#activate(next);
  }

  /** Who left while others were compared and is back has its pane again. */
  #return(media) {
    const place = this.#left.get(media?.mediaId);
    if (place === undefined || this.#panes.length >= COMPARED_AT_MOST) return;
    this.#left.delete(media.mediaId);
    const pane = this.#build();
    const at = Math.min(place, this.#panes.length);
    this.#view.insertBefore(pane.root, this.#panes[at]?.root ?? null);
    this.#panes.splice(at, 0, pane);
    this.#count();
    this.#show(pane, media);
    this.#active = -1;
    this.#activate(at);
  }

  #count() {
    this.#view.dataset.count = this.#panes.length;
  }

  #tell(type) {
    this.dispatchEvent(new CustomEvent(type));
  }
}
