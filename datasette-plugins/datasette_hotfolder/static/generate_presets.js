// The presets in the form: one is chosen, its places are filled in.

import { byId, element, setText } from "./element.js";
import { NO_PRESET } from "./words_generate.js";

/** `chosen(preset)` is told of another choice, `changed(before)` of other words for its places. */
export class Presets {
  #presets = [];
  #inputs = new Map(); // place -> its field
  #chosen;
  #changed;

  constructor({ chosen, changed }) {
    this.#chosen = chosen;
    this.#changed = changed;
    byId("generate-preset").addEventListener("change", () => {
      this.#show({});
      this.#chosen(this.preset);
    });
  }

  /** The presets there are; without any there is nothing to choose. */
  offer(presets) {
    this.#presets = presets;
    const options = presets.map(({ name, title, problem }) => element("option", { value: name, title: problem, disabled: Boolean(problem) }, title || name));
    byId("generate-preset").replaceChildren(element("option", { value: "" }, NO_PRESET), ...options);
    byId("generate-preset-part").hidden = !presets.length;
  }

  get preset() {
    return this.#presets.find(({ name }) => name === byId("generate-preset").value) ?? null;
  }

  get vars() {
    return Object.fromEntries([...this.#inputs].map(([name, input]) => [name, input.value.trim()]));
  }

  /** Shows a preset that was chosen earlier, if it is still there. */
  set({ preset, vars }) {
    byId("generate-preset").value = this.#presets.some(({ name }) => name === preset) ? preset : "";
    this.#show(vars ?? {});
  }

  #show(vars) {
    const { preset } = this;
    const words = preset?.description ?? "";
    byId("generate-preset-words").hidden = !words;
    setText(byId("generate-preset-words"), words);
    this.#inputs = new Map((preset?.vars ?? []).map((name) => [name, this.#input(name, vars[name] ?? "")]));
    byId("generate-vars").replaceChildren(...[...this.#inputs].map(([name, input]) => varField(name, input)));
  }

  #input(name, text) {
    const input = element("input", { type: "text", class: "field", id: `generate-var-${name}` });
    let before = null;
    input.addEventListener("beforeinput", () => (before = this.vars));
    input.addEventListener("input", () => this.#changed(before ?? this.vars));
    input.value = text;
    return input;
  }
}

function varField(name, input) {
  return element("div", { class: "generate-field", "data-path": `vars.${name}` }, element("label", { for: input.id }, name), input);
}
