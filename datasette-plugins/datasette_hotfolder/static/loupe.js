// The loupe: one picture as large as the window or larger, its neighbours ready, or several beside each other.

import { mediaPath } from "./api.js";
import { BeforeAfter } from "./before_after.js";
import { Compare, COMPARED_AT_MOST } from "./compare.js";
import { byId } from "./element.js";
import { Filmstrip } from "./filmstrip.js";
import { FullScreen } from "./full_screen.js";
import { Gestures } from "./gestures.js";
import { drawMarks, drawPlace, drawPressed, drawZoom } from "./loupe_bar.js";
import { startLoupeKeys } from "./loupe_keys.js";
import { Originals } from "./originals.js";
import { Pane } from "./pane.js";
import { recall, remember } from "./preferences.js";
import { toast } from "./toast.js";
import { COMPARES_AT_MOST, NOTHING_TO_COMPARE, PLACE_WORDS } from "./words_loupe.js";
import { Zoom } from "./zoom.js";

const NOT_A_CLICK_MS = 350; // the second half of the double click that opened the loupe
const DECODED_AT_MOST = 3; // the picture that is shown, the next and the previous one
const PAN_SHARE = 0.2; // of the view, by a key

/** Shows the current picture of a set while it is open. */
export class Loupe {
  #set;
  #api;
  #selection;
  #view = byId("loupe");
  #zoom = new Zoom();
  #originals = new Originals(DECODED_AT_MOST);
  #pane = new Pane(this.#zoom, this.#originals, { id: "loupe-image" });
  #filmstrip;
  #compare;
  #beforeAfter = null;
  #fullScreen = new FullScreen(this.#view);
  #keepsZoom = recall("keep-zoom") !== "no";
  #selected = []; // what was selected when the comparison began
  #openedAt = 0;

  /** Without an `api` nothing is shown beside its source; without a `selection` C compares the current picture and the next. */
  constructor(set, { api = null, selection = null } = {}) {
    this.#set = set;
    this.#api = api;
    this.#selection = selection;
    byId("stage").prepend(this.#pane.root);
    this.#filmstrip = new Filmstrip(set, (media) => this.#choose(media));
    this.#compare = new Compare(set);
    if (api) this.#beforeAfter = new BeforeAfter(this.#pane, api);
    this.#listen();
    this.#listenToControls();
    drawPressed("keep", this.#keepsZoom);
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
    this.#zoom.fit();
    this.#show();
  }

  close() {
    this.#leaveCompare();
    this.#fullScreen.leave();
    this.#beforeAfter?.leave();
    this.#view.hidden = true;
    document.body.classList.remove("in-loupe");
    byId("table").inert = false;
    this.#originals.keepOnly([]);
    this.#pane.clear();
  }

  /** Shows the same picture again: what is known of it may be newer, and a failed original may load now. */
  refresh() {
    if (this.isOpen) this.#show();
  }

  /** Puts the selected pictures beside each other, or the current one and the next; the second time that ends. */
  async compare() {
    if (!this.isOpen || this.#leaveCompare()) return;
    const pictures = await this.#toCompare();
    if (!this.isOpen || this.#compare.isOpen) return;
    if (pictures.length < 2) return toast(NOTHING_TO_COMPARE, "info");
    this.#selected = this.#selection?.size ? this.#selection.ids() : [];
    this.#selection?.clear(); // so that keys change the active picture alone
    this.#beforeAfter?.leave();
    this.#originals.keepOnly([]);
    this.#pane.clear();
    this.#drawComparing(true);
    this.#compare.open(pictures);
    this.#compare.zoom.addEventListener("changed", () => this.#drawZoom());
    this.#drawZoom();
  }

  /** Leaves the full screen, the comparison or the picture before; false when there is nothing to leave but the loupe. */
  leave() {
    return this.#fullScreen.leave() || this.#leaveCompare() || Boolean(this.#beforeAfter?.leave());
  }

  /** An arrow key: true when it meant the next of the compared pictures. */
  arrow(step) {
    if (!this.#compare.isOpen) return false;
    this.#compare.step(step);
    return true;
  }

  /** From fit to 100 %, and from anything else to fit. */
  toggleZoom() {
    this.#shownPane.zoomToggle();
  }

  zoomIn() {
    this.#shownPane.zoomStep(1);
  }

  zoomOut() {
    this.#shownPane.zoomStep(-1);
  }

  toggleFullScreen() {
    this.#fullScreen.toggle();
  }

  #listen() {
    const whenOpen = (act) => (event) => this.isOpen && act(event);
    this.#set.addEventListener("current", whenOpen(() => this.#show()));
    this.#set.addEventListener("changed", whenOpen(({ detail }) => this.#repaint(detail)));
    this.#set.addEventListener("reset", whenOpen(() => (this.#show(), this.#filmstrip.centre())));
    for (const type of ["loaded", "prepended", "removed", "returned", "counts"]) this.#set.addEventListener(type, whenOpen(() => this.#drawPlace()));
    this.#pane.addEventListener("placed", () => this.#drawZoom());
    this.#compare.addEventListener("active", () => this.#followActive());
    this.#compare.addEventListener("emptied", () => (this.#set.setCurrent(this.#compare.pane.media), this.#leaveCompare()));
    this.#set.addEventListener("removed", ({ detail }) => detail && (this.#selected = this.#selected.filter((each) => each !== detail.mediaId)));
    this.#fullScreen.addEventListener("changed", () => drawPressed("full-screen", this.#fullScreen.isOn));
    this.#beforeAfter?.addEventListener("changed", () => drawPressed("before", this.#beforeAfter.mode !== "off"));
    new Gestures(this.#pane.root, this.#gestures(() => this.#pane, () => this.#pane.isCropped));
    new Gestures(byId("compare"), { ...this.#gestures((point) => this.#compare.paneAt(point), () => this.#compare.isCropped), nudge() {}, swipe() {} });
  }

  #listenToControls() {
    const keepZoom = () => this.#setKeepsZoom(!this.#keepsZoom);
    const beforeAfter = (act) => !this.#compare.isOpen && this.#beforeAfter && act(this.#beforeAfter);
    const divider = () => beforeAfter((each) => each.toggleDivider());
    const click = (id, act) => byId(`loupe-${id}`).addEventListener("click", act);
    click("zoom-in", () => this.zoomIn());
    click("zoom-out", () => this.zoomOut());
    click("zoom", () => this.toggleZoom());
    click("keep", keepZoom);
    click("before", divider);
    click("compare", () => this.compare());
    click("full-screen", () => this.toggleFullScreen());
    click("previous", (event) => this.#turn(event, -1));
    click("next", (event) => this.#turn(event, 1));
    startLoupeKeys(() => this.isOpen, () => [byId("generate"), this.#view, byId("info")], {
      keepZoom,
      divider,
      pressed: (now) => beforeAfter((each) => each.press(now)),
      released: (now) => beforeAfter((each) => each.release(now)),
      pan: (across, down) => this.#shownPane.panBy(across * PAN_SHARE, down * PAN_SHARE),
    });
  }

  #gestures(paneAt, mayPan) {
    const mayMove = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    return {
      mayPan,
      zoom: (factor, point) => paneAt(point).zoomBy(factor, point),
      pan: (dx, dy) => this.#shownPane.pan(dx, dy),
      toggle: (point) => performance.now() - this.#openedAt > NOT_A_CLICK_MS && paneAt(point).zoomToggle(point),
      nudge: (dx, dy) => mayMove && (this.#pane.root.style.translate = dx || dy ? `${dx}px ${dy}px` : ""),
      swipe: (way) => (way === "down" ? byId("loupe-close").click() : this.#set.move(way === "left" ? 1 : -1)),
    };
  }

  get #shownPane() {
    return this.#compare.isOpen ? this.#compare.pane : this.#pane;
  }

  #turn({ detail, timeStamp }, step) {
    const isLeftOver = detail > 1 && timeStamp - this.#openedAt < NOT_A_CLICK_MS;
    if (!isLeftOver) this.#set.move(step);
  }

  #choose(media) {
    if (this.#compare.isOpen) this.#compare.take(media);
    else this.#set.setCurrent(media);
  }

  #show() {
    const media = this.#set.current;
    if (!media) return;
    if (this.#compare.isOpen && media.mediaId !== this.#compare.pane.media.mediaId) this.#compare.take(media);
    const isAnother = media.mediaId !== this.#pane.media?.mediaId;
    if (isAnother && !this.#keepsZoom) this.#zoom.fit();
    this.#drawPlace();
    if (isAnother) this.#filmstrip.centre();
    this.#repaint(media);
    if (!this.#compare.isOpen) this.#showAlone(media);
  }

  async #showAlone(media) {
    this.#originals.keepOnly([media, ...this.#neighbours().filter(Boolean)]);
    const shown = this.#pane.show(media);
    this.#beforeAfter?.follow(media);
    if (!(await shown)) return;
    const place = this.#set.currentPlace;
    const around = await Promise.all(place < 0 ? [] : [place + 1, place - 1].map((each) => this.#fetch(each)));
    if (this.#pane.media !== media || this.#set.current !== media || !this.isOpen) return;
    this.#originals.keepOnly([media, ...around.filter(Boolean)]);
    around.forEach((each) => each && this.#originals.load(each).catch(() => {})); // said when it is looked at
  }

  #neighbours() {
    const place = this.#set.currentPlace;
    return place < 0 ? [] : [this.#set.at(place + 1), this.#set.at(place - 1)];
  }

  async #fetch(place) {
    if (place < 0 || place >= this.#set.length) return null;
    return this.#set.at(place) ?? (await this.#set.fetch(place).catch(() => null));
  }

  /** The selected pictures when they are two or more and known, else the current one and its neighbour. */
  async #toCompare() {
    const { current, currentPlace } = this.#set;
    const ids = this.#selection && !this.#selection.isAll && this.#selection.size > 1 ? this.#selection.ids() : [];
    if (ids.length > COMPARED_AT_MOST) toast(COMPARES_AT_MOST(ids.length), "info");
    const selected = await Promise.all(ids.slice(0, COMPARED_AT_MOST).map((mediaId) => this.#find(mediaId)));
    if (ids.length) return selected.filter(Boolean);
    const neighbour = currentPlace < 0 ? null : ((await this.#fetch(currentPlace + 1)) ?? (await this.#fetch(currentPlace - 1)));
    return [current, neighbour].filter(Boolean);
  }

  async #find(mediaId) {
    return this.#set.find(mediaId) ?? (await this.#api?.get(mediaPath(mediaId)).catch(() => null));
  }

  /** True when there was something to leave. */
  #leaveCompare() {
    if (!this.#compare.isOpen) return false;
    this.#compare.close();
    this.#drawComparing(false);
    if (this.#selected.length) this.#selection.set(this.#selected);
    this.#selected = [];
    this.#view.focus({ preventScroll: true });
    this.#show();
    this.#drawZoom();
    return true;
  }

  #followActive() {
    this.#set.setCurrent(this.#compare.pane.media);
    this.#drawZoom();
  }

  #drawComparing(isOn) {
    this.#view.toggleAttribute("data-comparing", isOn);
    drawPressed("compare", isOn);
  }

  #drawPlace() {
    const { currentPlace, length, total, isBounded } = this.#set;
    const words = this.#compare.isOpen ? this.#compare.words : PLACE_WORDS(currentPlace, Math.max(total, length), isBounded);
    drawPlace(words, currentPlace <= 0, currentPlace + 1 >= length);
    if (document.activeElement === document.body) this.#view.focus({ preventScroll: true }); // the button in focus went
    this.#filmstrip.draw();
  }

  #drawZoom() {
    if (this.isOpen) drawZoom(this.#shownPane.level, (this.#compare.isOpen ? this.#compare.zoom : this.#zoom).fits);
  }

  #setKeepsZoom(keeps) {
    this.#keepsZoom = keeps;
    remember("keep-zoom", keeps ? "yes" : "no");
    drawPressed("keep", keeps);
  }

  #repaint(media) {
    this.#filmstrip.repaint(media);
    if (media.mediaId !== this.#set.current?.mediaId) return;
    drawMarks(media);
    for (const node of [this.#view, this.#pane.root]) node.dataset.status = media.status ?? "";
  }
}
