// The sidecars of a picture as the text that lies on the disk, loaded on a click.

import { element } from "./element.js";
import { SIDECAR } from "./words_info.js";

const KINDS = [["json", "sidecar"], ["xmp", "xmp"]];

/** Shows in a place which sidecars there are. */
export class RawSidecar {
  #base;
  #mediaId = null;
  #stopper = new AbortController();
  #buttons;
  #text = element("pre", { class: "raw", tabindex: 0, "aria-live": "polite", hidden: true });

  constructor(place, base) {
    this.#base = base;
    this.#buttons = KINDS.map(([name, path]) => element("button", { type: "button", class: "plain", "data-sidecar": name, "aria-pressed": "false", click: () => this.#load(name, path) }, SIDECAR[name]));
    place.append(element("p", { class: "copies" }, ...this.#buttons), this.#text);
  }

  get isThere() {
    return this.#buttons.some((button) => !button.hidden);
  }

  /** Another picture takes the text of the one before away. */
  show({ mediaId, sidecar }) {
    KINDS.forEach(([name], place) => (this.#buttons[place].hidden = !sidecar?.[name]));
    if (mediaId === this.#mediaId) return;
    this.#mediaId = mediaId;
    this.#stopper.abort();
    this.#press(null);
    this.#text.hidden = true;
  }

  async #load(name, path) {
    this.#stopper.abort();
    const { signal } = (this.#stopper = new AbortController());
    this.#press(name);
    this.#write(SIDECAR.loading);
    const text = await this.#fetch(path, signal);
    if (!signal.aborted) this.#write(text);
  }

  async #fetch(path, signal) {
    try {
      const answer = await fetch(`${this.#base}/media/${encodeURIComponent(this.#mediaId)}/${path}`, { credentials: "same-origin", cache: "no-store", signal });
      return answer.ok ? await answer.text() : SIDECAR.none;
    } catch {
      return SIDECAR.failed;
    }
  }

  #press(name) {
    for (const button of this.#buttons) button.setAttribute("aria-pressed", button.dataset.sidecar === name);
  }

  #write(text) {
    this.#text.hidden = false;
    this.#text.textContent = text;
  }
}
