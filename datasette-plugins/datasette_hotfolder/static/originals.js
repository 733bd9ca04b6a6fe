// Originals that are decoded before they are looked at: those shown and their neighbours.

/** Loads originals, and gives up those nobody wants any more; it holds at most so many. */
export class Originals {
  #atMost;
  #images = new Map(); // media id -> { image, decoded }

  constructor(atMost) {
    this.#atMost = atMost;
  }

  has({ mediaId }) {
    return this.#images.has(mediaId);
  }

  get size() {
    return this.#images.size;
  }

  /** Resolves with an image that can be shown at once; fails when it cannot be shown. */
  load(media) {
    const known = this.#images.get(media.mediaId);
    if (known) return known.decoded;
    const image = new Image();
    image.draggable = false;
    image.decoding = "sync"; // it is decoded already: it appears whole, in the frame it is put into
    image.src = media.originalUrl;
    const decoded = image.decode().then(() => image);
    this.#images.set(media.mediaId, { image, decoded });
    decoded.catch(() => this.#forget(media.mediaId, image)); // so that a later look tries again
    return decoded;
  }

  /** Drops all but these; a download under way ends. */
  keepOnly(wanted) {
    const kept = new Set(wanted.slice(0, this.#atMost).map(({ mediaId }) => mediaId));
    for (const [mediaId, { image }] of this.#images) {
      if (kept.has(mediaId)) continue;
      this.#images.delete(mediaId);
      image.remove();
      image.src = ""; // without the attribute Chromium would keep the element for good
    }
  }

  #forget(mediaId, image) {
    if (this.#images.get(mediaId)?.image === image) this.#images.delete(mediaId);
  }
}
