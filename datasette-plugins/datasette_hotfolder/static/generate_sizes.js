// The part of the form that says how large the pictures are.

import { Choice } from "./choice.js";
import { byId, setText } from "./element.js";
import { pixelsOf, RATIOS, RESOLUTIONS, turned, USUAL_SIZE } from "./sizes.js";
import { sizeWords } from "./words_generate.js";

/** Resolution and ratio, with the pixels that they come to. */
export class SizePicker {
  #resolution;
  #ratio;
  #multiple = 1;

  constructor(changed) {
    const tell = () => (this.#show(), changed());
    this.#resolution = new Choice(byId("generate-resolution"), {
      name: "resolution",
      label: "Long edge in pixels",
      options: RESOLUTIONS.map(String),
      usual: String(USUAL_SIZE.resolution),
      own: { type: "number", min: 64, max: 4096, step: 1, placeholder: "px", "aria-label": "Long edge of your own, in pixels", title: "Long edge in pixels" },
      changed: tell,
    });
    this.#ratio = new Choice(byId("generate-ratio"), {
      name: "ratio",
      label: "Aspect ratio",
      options: RATIOS,
      usual: USUAL_SIZE.ratio,
      own: { type: "text", placeholder: "W:H", "aria-label": "Aspect ratio of your own, as width:height", title: "Width to height, such as 21:9" },
      changed: tell,
    });
    byId("generate-turn").addEventListener("click", () => {
      this.#ratio.value = turned(this.#ratio.value);
      tell();
    });
  }

  /** Shown for endpoints that take a size, with the grid of their pixels. */
  offer(isOffered, multiple) {
    byId("generate-sizes").hidden = !isOffered;
    this.#multiple = multiple;
    this.#show();
  }

  get value() {
    return { resolution: Number(this.#resolution.value), ratio: this.#ratio.value };
  }

  set value({ resolution, ratio }) {
    this.#resolution.value = resolution;
    this.#ratio.value = ratio;
    this.#show();
  }

  #show() {
    setText(byId("generate-pixels"), sizeWords(pixelsOf(this.value, this.#multiple)));
  }
}
