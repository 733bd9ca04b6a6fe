// One control for one parameter, as its schema describes it.

import { element } from "./element.js";
import { LEFT_OUT, rangeWords } from "./words_generate.js";

const SLIDER_STEPS_MOST = 200;

/** Draws a parameter; `changed()` is told of every change by hand. Its value is undefined when it is left out. */
export class Field {
  #control;
  node;
  name;
  schema;

  constructor(name, schema, changed) {
    this.name = name;
    this.schema = schema;
    this.#control = controlOf(schema, `generate-param-${name}`);
    const { input, node } = this.#control;
    const label = element("label", { for: input.id }, schema.title ?? name);
    const describe = { title: [schema.description, rangeWords(numberRange(schema))].filter(Boolean).join(" ") };
    for (const [key, value] of Object.entries(describe)) value && (input.setAttribute(key, value), label.setAttribute(key, value));
    const kind = input.tagName === "TEXTAREA" ? "generate-field tall" : "generate-field";
    this.node = element("div", { class: kind, "data-path": `params.${name}`, input: changed }, label, node);
    this.value = undefined;
  }

  get value() {
    return this.#control.read();
  }

  set value(value) {
    this.#control.write(value ?? this.schema.default ?? undefined);
  }

  /** A text, in words for the line that says what differs from the usual; nothing when it does not. */
  get difference() {
    const { value } = this;
    const usual = value === undefined || JSON.stringify(value) === JSON.stringify(this.schema.default ?? undefined);
    return usual || (value === false && this.schema.default === undefined) ? "" : `${(this.schema.title ?? this.name).toLowerCase()} ${valueWords(value)}`;
  }

  focus() {
    this.#control.input.focus();
  }
}

const valueWords = (value) => (value === true ? "on" : value === false ? "off" : String(value).slice(0, 24));

const numberRange = (schema) => (schema.type === "integer" || schema.type === "number" ? schema : {});

function controlOf(schema, id) {
  if (schema.enum) return selectOf(schema, id);
  if (schema.type === "boolean") return checkOf(schema, id);
  if (schema.type === "integer" || schema.type === "number") return numberOf(schema, id);
  if (schema.type === "array") return listOf(schema, id);
  return textOf(schema, id);
}

function selectOf(schema, id) {
  const options = schema.enum.map((each) => element("option", { value: each }, String(each)));
  const none = schema.default === undefined || schema.default === null ? [element("option", { value: "" }, LEFT_OUT)] : [];
  const input = element("select", { id, class: "field" }, ...none, ...options);
  const read = () => schema.enum.find((each) => String(each) === input.value);
  return { input, node: input, read, write: (value) => (input.value = value ?? "") };
}

function checkOf(schema, id) {
  const input = element("input", { type: "checkbox", id });
  const node = element("span", { class: "check" }, input, element("span", { class: "hint" }, schema.description ?? ""));
  const isAsked = () => input.checked || schema.default !== undefined;
  return { input, node, read: () => (isAsked() ? input.checked : undefined), write: (value) => (input.checked = value === true) };
}

function numberOf(schema, id) {
  const step = schema.step ?? (schema.type === "integer" ? 1 : "any");
  const input = element("input", { type: "number", id, class: "field", min: schema.minimum, max: schema.maximum, step, placeholder: schema.ui?.placeholder ?? schema.default });
  const slider = hasSlider(schema, step) ? element("input", { type: "range", min: schema.minimum, max: schema.maximum, step, tabindex: -1, "aria-hidden": "true" }) : null;
  const follow = () => slider && (slider.value = input.value === "" ? (schema.default ?? schema.minimum) : input.value);
  input.addEventListener("input", follow);
  slider?.addEventListener("input", () => (input.value = slider.value));
  const write = (value) => ((input.value = value ?? ""), follow());
  return { input, node: element("span", { class: "number" }, slider, input), read: () => (input.value === "" ? undefined : Number(input.value)), write };
}

function hasSlider({ minimum, maximum }, step) {
  const isKnown = Number.isFinite(minimum) && Number.isFinite(maximum) && step !== "any";
  return isKnown && (maximum - minimum) / step <= SLIDER_STEPS_MOST;
}

function textOf({ ui, maximum }, id) {
  const attributes = { id, class: "field", placeholder: ui?.placeholder, maxlength: maximum };
  const isLong = ui?.component === "textarea";
  const input = isLong ? element("textarea", { ...attributes, rows: 3 }) : element("input", { type: "text", ...attributes });
  return { input, node: input, read: () => (input.value.trim() ? input.value : undefined), write: (value) => (input.value = value ?? "") };
}

function listOf({ items, ui }, id) {
  const input = element("textarea", { id, class: "field", rows: 2, placeholder: ui?.placeholder ?? "One a line" });
  const asItem = (line) => (items?.type === "number" || items?.type === "integer" ? Number(line) : line);
  const read = () => {
    const lines = input.value.split("\n").map((line) => line.trim()).filter(Boolean);
    return lines.length ? lines.map(asItem) : undefined;
  };
  return { input, node: input, read, write: (value) => (input.value = (value ?? []).join("\n")) };
}
