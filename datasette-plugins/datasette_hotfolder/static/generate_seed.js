// The seed in the form: a new one each time, or one that is kept.

import { byId } from "./element.js";
import { SEED_FREE } from "./words_generate.js";

const SEED_MOST = 2 ** 31 - 1;

/** null is a new seed each time; `changed()` is told of every change by hand. */
export class Seed {
  #input = byId("generate-seed");
  #lock = byId("generate-lock");

  constructor(changed) {
    this.#input.placeholder = SEED_FREE;
    const give = (seed) => {
      this.value = seed;
      changed();
    };
    this.#input.addEventListener("input", () => give(readSeed(this.#input.value)));
    byId("generate-dice").addEventListener("click", () => give(drawSeed()));
    this.#lock.addEventListener("click", () => give(this.value === null ? drawSeed() : null));
  }

  offer(isOffered) {
    byId("generate-seed-part").hidden = !isOffered;
  }

  get value() {
    return readSeed(this.#input.value);
  }

  set value(seed) {
    this.#input.value = seed ?? "";
    this.#lock.setAttribute("aria-pressed", seed !== null);
  }
}

/** Digits alone count; -1 and nothing are a new seed each time. */
function readSeed(text) {
  const digits = text.replace(/\D/g, "");
  return digits && !text.trim().startsWith("-") ? Number(digits) : null;
}

const drawSeed = () => crypto.getRandomValues(new Uint32Array(1))[0] % SEED_MOST;
