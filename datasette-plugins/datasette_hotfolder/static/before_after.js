// What a picture was made from, over the picture itself: all of it, or up to a divider.

import { mediaPath } from "./api.js";
import { element } from "./element.js";
import { toast } from "./toast.js";
import { putInto } from "./pane.js";
import { AFTER, BEFORE, BEFORE_FROM_THUMBNAIL, DIVIDER, NOT_MADE_FROM_ANOTHER } from "./words_loupe.js";

const HELD_MS = 300; // a key held longer shows the source only while it is held
const KEY_STEPS = { ArrowLeft: -2, ArrowRight: 2, ArrowDown: -2, ArrowUp: 2, Home: -100, End: 100, PageDown: -10, PageUp: 10 };

/** Lays the source of the pane's picture over it, in the same framing; tells "changed" when it comes or goes. */
export class BeforeAfter extends EventTarget {
  #api;
  #pane;
  #mode = "off"; // or "whole", or "divided"
  #share = 50; // of the picture in sight, left of the divider, in percent
  #shown = null; // the picture whose source is loaded
  #pressedAt = 0;
  #image = element("img", { alt: "", draggable: false });
  #source = element("div", { class: "source" }, this.#image);
  #layer = element("div", { class: "before", hidden: true }, this.#source);
  #divider = element("div", { class: "divider", role: "slider", tabindex: 0, "aria-label": DIVIDER, "aria-valuemin": 0, "aria-valuemax": 100, hidden: true });
  #before = element("span", { class: "side left", hidden: true }, BEFORE);
  #after = element("span", { class: "side right", hidden: true }, AFTER);

  constructor(pane, api) {
    super();
    this.#api = api;
    this.#pane = pane;
    pane.root.append(this.#layer, this.#before, this.#after, this.#divider);
    pane.addEventListener("placed", () => this.#place());
    this.#divider.addEventListener("keydown", (event) => this.#key(event));
    this.#divider.addEventListener("pointerdown", ({ pointerId }) => this.#divider.setPointerCapture(pointerId));
    this.#divider.addEventListener("pointermove", (event) => this.#divider.hasPointerCapture(event.pointerId) && this.#drag(event));
  }

  get mode() {
    return this.#mode;
  }

  /** The key went down: the source is shown, or no longer. */
  press(now) {
    this.#pressedAt = now;
    this.#setMode(this.#mode === "whole" ? "off" : "whole");
  }

  /** The key went up: the end of what was held, but a tap stays. */
  release(now) {
    if (this.#mode === "whole" && now - this.#pressedAt > HELD_MS) this.#setMode("off");
  }

  toggleDivider() {
    this.#setMode(this.#mode === "divided" ? "off" : "divided");
  }

  /** True when there was something to leave. */
  leave() {
    if (this.#mode === "off") return false;
    this.#setMode("off");
    return true;
  }

  /** Another picture is shown: the divider stays for those that have a source. */
  follow(media) {
    if (media.mediaId === this.#shown?.mediaId) return;
    this.#shown = null;
    this.#draw();
    if (this.#mode === "whole") this.#setMode("off");
    else if (this.#mode === "divided") this.#load(() => {});
  }

  #setMode(mode) {
    this.#mode = mode;
    this.#draw();
    this.dispatchEvent(new CustomEvent("changed"));
    if (mode === "off" || this.#shown) return;
    this.#load((words) => {
      toast(words, "info");
      this.#setMode("off");
    });
  }

  async #load(giveUp) {
    const { media } = this.#pane;
    try {
      const source = await findSource(this.#api, media);
      if (this.#pane.media !== media || this.#mode === "off") return;
      if (!source) return giveUp(NOT_MADE_FROM_ANOTHER);
      await this.#decode(source, media);
    } catch (error) {
      if (this.#pane.media === media) giveUp(error.words ?? String(error.message));
    }
  }

  async #decode({ address, words }, media) {
    this.#image.src = address;
    await this.#image.decode();
    if (this.#pane.media !== media) return;
    this.#before.textContent = words;
    this.#shown = media;
    this.#draw();
  }

  #draw() {
    const mode = this.#shown ? this.#mode : "off";
    this.#layer.hidden = this.#before.hidden = mode === "off";
    this.#divider.hidden = this.#after.hidden = mode !== "divided";
    this.#pane.root.dataset.before = mode;
    this.#place();
  }

  #place() {
    if (this.#layer.hidden) return;
    const { box } = this.#pane;
    const [left, right] = this.#inSight();
    const at = this.#mode === "divided" ? left + ((right - left) * this.#share) / 100 : right;
    putInto(this.#source, box);
    this.#layer.style.clipPath = `inset(0 ${Math.max(0, this.#pane.root.clientWidth - at)}px 0 0)`;
    this.#divider.style.translate = `${at}px 0`;
    this.#divider.setAttribute("aria-valuenow", Math.round(this.#share));
    this.#before.style.insetInlineStart = `${left + 10}px`;
    this.#after.style.insetInlineEnd = `${this.#pane.root.clientWidth - right + 10}px`;
  }

  /** The left and the right edge of what is seen of the picture. */
  #inSight() {
    const { left, width } = this.#pane.box;
    return [Math.max(0, left), Math.min(this.#pane.root.clientWidth, left + width)];
  }

  #drag({ clientX }) {
    const [left, right] = this.#inSight();
    this.#setShare(((clientX - this.#pane.root.getBoundingClientRect().left - left) / (right - left)) * 100);
  }

  #key(event) {
    if (!(event.key in KEY_STEPS) || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    this.#setShare(this.#share + KEY_STEPS[event.key] * (event.shiftKey ? 5 : 1));
  }

  #setShare(share) {
    this.#share = Math.min(100, Math.max(0, share));
    this.#place();
  }
}

/** The original of the first picture it was made from, or else the reference's thumbnail; null when there is none. */
async function findSource(api, media) {
  const { inputs = [] } = await api.get(mediaPath(media.mediaId));
  const [input] = inputs;
  if (!input) return null;
  if (!input.mediaId) return { address: input.thumbnailUrl, words: BEFORE_FROM_THUMBNAIL };
  const source = await api.get(mediaPath(input.mediaId));
  return { address: source.originalUrl, words: BEFORE };
}
