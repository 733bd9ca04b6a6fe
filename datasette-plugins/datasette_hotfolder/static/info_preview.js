// The picture at the head of the panel: its thumbnail at once, the whole of it when it is looked at for a moment.

import { byId, element } from "./element.js";

const REST_MS = 350;
const SHOWABLE = new Set(["image/png", "image/jpeg", "image/webp", "image/gif"]);
const LARGEST_BYTES = 12_000_000;
const COLLAGE = 9;

/** The thumbnail stands where the middle of the whole picture will be, so that nothing jumps. */
export class InfoPreview {
  #frame = byId("info-frame");
  #image = byId("info-preview");
  #collage = byId("info-collage");
  #timer = null;
  #whole = null; // the image being loaded

  /** One picture. */
  show(media) {
    this.#frame.hidden = false;
    this.#collage.hidden = true;
    if (this.#frame.dataset.address === media.originalUrl) return;
    this.#stop();
    const isWhole = isShowable(media);
    this.#frame.dataset.address = media.originalUrl;
    this.#frame.style.setProperty("--ratio", isWhole ? Math.max(0.05, media.width / media.height) || 1 : 1);
    this.#image.src = media.thumbnailUrl;
    if (isWhole) this.#timer = setTimeout(() => this.#sharpen(media.originalUrl), REST_MS);
  }

  /** Several: a few of their thumbnails. */
  showSeveral(pictures) {
    this.#stop();
    this.#frame.hidden = true;
    this.#frame.dataset.address = "";
    this.#collage.hidden = !pictures.length;
    this.#collage.replaceChildren(...pictures.slice(0, COLLAGE).map(({ thumbnailUrl }) => element("img", { src: thumbnailUrl, alt: "", width: 400, height: 400 })));
  }

  /** The loupe shows it anyway, and a hidden panel needs none. */
  async #sharpen(address) {
    if (!this.#frame.checkVisibility()) return;
    const whole = (this.#whole = new Image());
    whole.fetchPriority = "low";
    whole.src = address;
    const isDecoded = await whole.decode().then(() => true, () => false); // else the thumbnail stays
    if (isDecoded && this.#whole === whole) this.#image.src = address;
  }

  #stop() {
    clearTimeout(this.#timer);
    if (this.#whole) this.#whole.src = "";
    this.#whole = null;
  }
}

const isShowable = ({ mimeType, bytes, deletedAt }) => SHOWABLE.has(mimeType) && bytes <= LARGEST_BYTES && !deletedAt; // of what lies in the trash the thumbnail is there
