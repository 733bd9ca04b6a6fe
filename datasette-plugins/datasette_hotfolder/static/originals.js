// Originals that are decoded before they are looked at: the one shown and its neighbours.

const AT_MOST = 3;

/** Loads originals, and gives up those nobody wants any more. */
export class Originals {
  #images = new Map(); // media id -> { image, decoded }

  has({ mediaId }) {
    return this.#images.has(mediaId);
  }

  /** Resolves when the original can be shown at once; fails when it cannot be shown. */
  load(media) {
    const known = this.#images.get(media.mediaId);
    if (known) return known.decoded;
    const image = new Image();
    image.src = media.originalUrl;
    const decoded = image.decode();
    this.#images.set(media.mediaId, { image, decoded });
    decoded.catch(() => this.#forget(media.mediaId, image)); // so that a later look tries again
    return decoded;
  }

  /** Drops all but these; a download under way ends. */
  keepOnly(wanted) {
    const kept = new Set(wanted.slice(0, AT_MOST).map(({ mediaId }) => mediaId));
    for (const [mediaId, { image }] of this.#images) {
      if (kept.has(mediaId)) continue;
      this.#images.delete(mediaId);
      image.src = ""; // without the attribute Chromium would keep the element for good
    }
  }

  #forget(mediaId, image) {
    if (this.#images.get(mediaId)?.image === image) this.#images.delete(mediaId);
  }
}
