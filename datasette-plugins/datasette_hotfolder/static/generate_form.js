// The form that asks for pictures: drawn from the chosen endpoint, read and filled as a draft.

import { Choice } from "./choice.js";
import { byId, element, setText } from "./element.js";
import { aboutWords, readAbout, writeAbout } from "./generate_about.js";
import { Field } from "./generate_fields.js";
import { buildJob, fieldNames, fillPlaces, takesSize } from "./generate_job.js";
import { Matrix } from "./generate_matrix.js";
import { Presets } from "./generate_presets.js";
import { Seed } from "./generate_seed.js";
import { SizePicker } from "./generate_sizes.js";
import { sizeFromParams, USUAL_SIZE } from "./sizes.js";

const ALWAYS_SHOWN = ["prompt", "negativePrompt"];
const COUNT = { name: "count", label: "Variations", options: ["1", "4", "8"], usual: "1" };
const OWN_COUNT = { type: "number", min: 1, max: 64, step: 1, placeholder: "n", "aria-label": "Another number of variations", title: "1 to 64" };

export const EMPTY_DRAFT = { endpointKey: null, values: {}, size: USUAL_SIZE, seed: null, count: 1, matrix: [], preset: null, vars: {}, refs: [], about: {} };

/** Tells "changed" whenever somebody changes something, and "endpoint" when somebody chooses another endpoint. */
export class Form extends EventTarget {
  #references;
  #fields = new Map(); // param -> its field
  #values = {}; // of params, also those that this endpoint does not have
  #count;
  #size = new SizePicker(() => this.#changed());
  #seed = new Seed(() => this.#changed());
  #matrix = new Matrix(() => this.#changed());
  #presets = new Presets({ chosen: (preset) => this.#begin(preset), changed: (before) => this.#refill(before) });
  endpoint = null;

  constructor(makeReferences) {
    super();
    this.#references = makeReferences(() => this.#changed());
    this.#count = new Choice(byId("generate-count"), { ...COUNT, own: OWN_COUNT, changed: () => this.#changed() });
    byId("generate-about").addEventListener("input", () => this.#changed());
    byId("generate-endpoint").addEventListener("change", ({ target }) => this.dispatchEvent(new CustomEvent("endpoint", { detail: target.value })));
  }

  get isUploading() {
    return this.#references.isBusy;
  }

  /** The presets there are. */
  offer(presets) {
    this.#presets.offer(presets);
  }

  /** Draws what an endpoint takes; what stands in the form stays as far as it fits. */
  show(endpoint) {
    this.#remember();
    this.endpoint = endpoint;
    byId("generate-endpoint").value = endpoint.endpointKey;
    this.#draw();
    this.#size.offer(takesSize(endpoint), endpoint.limits?.sizeMultiple ?? 1);
    this.#seed.offer("seed" in endpoint.requestSchema.properties);
    this.#matrix.offer(endpoint);
    this.#references.offer({ ...endpoint, limits: { refs: 0, ...endpoint.limits } });
    this.#showWords();
  }

  get draft() {
    this.#remember();
    return {
      endpointKey: this.endpoint.endpointKey,
      values: this.#values,
      size: this.#size.value,
      seed: this.#seed.value,
      count: Number(this.#count.value),
      matrix: this.#matrix.value,
      preset: this.#presets.preset?.name ?? null,
      vars: this.#presets.vars,
      refs: this.#references.value,
      about: readAbout(),
    };
  }

  /** Fills the form; the endpoint has to be shown already. */
  fill(draft) {
    this.#values = { ...draft.values };
    this.#fields.forEach((field, name) => (field.value = this.#values[name]));
    this.#size.value = draft.size;
    this.#seed.value = draft.seed;
    this.#count.value = draft.count;
    this.#matrix.value = draft.matrix;
    this.#presets.set(draft);
    this.#references.value = draft.refs;
    writeAbout(draft.about);
    this.#showWords();
  }

  /** The job that the form asks for. */
  buildJob() {
    return buildJob(this.draft, this.endpoint, this.#presets.preset);
  }

  /** Adds a picture of the library to the references. */
  addReference(media) {
    return this.#references.addMedia(media);
  }

  focusPrompt() {
    const first = this.#fields.get("prompt") ?? this.#fields.values().next().value;
    if (first) first.focus();
    else byId("generate-endpoint").focus();
  }

  /** What there is in words, for lists: the title, or how the prompt begins. */
  get words() {
    const { values, about } = this.draft;
    return about.title ?? (values.prompt || this.endpoint.displayName).trim().slice(0, 60);
  }

  #remember() {
    this.#fields.forEach((field, name) => (this.#values[name] = field.value));
  }

  #draw() {
    const { requestSchema } = this.endpoint;
    this.#fields = new Map(fieldNames(this.endpoint).map((name) => [name, new Field(name, requestSchema.properties[name], () => this.#changed())]));
    this.#fields.forEach((field, name) => (field.value = this.#values[name]));
    const isMain = this.#mainTest();
    const nodes = (names) => names.map((name) => this.#fields.get(name).node);
    const names = [...this.#fields.keys()];
    byId("generate-main").replaceChildren(...nodes(names.filter(isMain)));
    byId("generate-groups").replaceChildren(...this.#groups(names.filter((name) => !isMain(name)), nodes));
  }

  /** What is seen without opening anything: words, what has to be given, and all of an endpoint that reads no words. */
  #mainTest() {
    const { properties, required = [] } = this.endpoint.requestSchema;
    const readsWords = ALWAYS_SHOWN.some((name) => name in properties);
    return (name) => !readsWords || ALWAYS_SHOWN.includes(name) || required.includes(name);
  }

  #groups(names, nodes) {
    const { groups = [], controls = {} } = this.endpoint.uiSchema ?? {};
    const groupOf = (name) => controls[name]?.group ?? "";
    const known = [...groups].sort((one, other) => (one.order ?? 0) - (other.order ?? 0));
    const sections = known.map(({ id, label }) => [label, names.filter((name) => groupOf(name) === id)]);
    const others = names.filter((name) => !groups.some(({ id }) => id === groupOf(name)));
    return [...sections, ["Other", others]]
      .filter(([, members]) => members.length)
      .map(([label, members]) => element("section", {}, element("h2", {}, label), ...nodes(members)));
  }

  /** A preset fills the fields that it speaks of. */
  #begin(preset) {
    if (preset) {
      const multiple = this.endpoint.limits?.sizeMultiple ?? 1;
      for (const [name, value] of Object.entries(preset.params)) this.#put(name, fillPlaces(value, this.#presets.vars));
      const size = sizeFromParams(preset.params, multiple);
      if (size) this.#size.value = size;
      if (Number.isInteger(preset.params.seed) && preset.params.seed >= 0) this.#seed.value = preset.params.seed;
    }
    this.#changed();
  }

  /** Other words for the places of a preset, wherever its text stands as it was. */
  #refill(before) {
    const { preset, vars } = this.#presets;
    for (const [name, value] of Object.entries(preset.params)) {
      const isUntouched = this.#fields.get(name)?.value === fillPlaces(value, before);
      if (isUntouched) this.#put(name, fillPlaces(value, vars));
    }
    this.#changed();
  }

  #put(name, value) {
    const field = this.#fields.get(name);
    if (field) field.value = value;
    else this.#values[name] = value;
  }

  #changed() {
    this.#showWords();
    this.dispatchEvent(new Event("changed"));
  }

  #showWords() {
    if (!this.endpoint) return;
    const hidden = [...byId("generate-groups").querySelectorAll("[data-path]")].map(({ dataset }) => dataset.path.slice("params.".length));
    const differences = hidden.map((name) => this.#fields.get(name).difference).filter(Boolean);
    const axes = this.#matrix.value.filter(({ text }) => text.trim()).length;
    setText(byId("generate-more-words"), [...differences, axes && "matrix"].filter(Boolean).join(", "));
    setText(byId("generate-about-words"), aboutWords(readAbout()));
  }
}
