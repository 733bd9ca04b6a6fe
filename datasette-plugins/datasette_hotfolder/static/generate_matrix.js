// The lists of values in the form, every combination of which is made.

import { byId, element } from "./element.js";
import { MATRIX_PARAMETER, MATRIX_VALUES } from "./words_generate.js";

/** Rows of a parameter and its values; `changed()` is told of every change by hand. */
export class Matrix {
  #changed;
  #names = []; // of parameters, with their titles
  #rows = [];

  constructor(changed) {
    this.#changed = changed;
    byId("generate-matrix-add").addEventListener("click", () => {
      const free = this.#names.find(([name]) => !this.#rows.some((row) => row.name === name));
      if (free) this.#add(free[0], "").values.focus();
    });
  }

  /** The parameters that this endpoint has. */
  offer({ requestSchema }) {
    this.#names = Object.entries(requestSchema.properties).map(([name, schema]) => [name, schema.title ?? name]);
    const { value } = this;
    this.value = value;
  }

  get value() {
    return this.#rows.map(({ name, values }) => ({ name, text: values.value }));
  }

  set value(rows) {
    this.#rows = [];
    byId("generate-matrix").replaceChildren();
    const known = new Set(this.#names.map(([name]) => name));
    for (const { name, text } of rows) if (known.has(name)) this.#add(name, text);
    this.#showAdd();
  }

  #add(name, text) {
    const row = new MatrixRow(this.#names, name, text, { changed: () => this.#renamed(), remove: () => this.#remove(row) });
    this.#rows.push(row);
    byId("generate-matrix").append(row.node);
    this.#showAdd();
    return row;
  }

  #remove(row) {
    this.#rows.splice(this.#rows.indexOf(row), 1);
    row.node.remove();
    this.#showAdd();
    byId("generate-matrix-add").focus();
    this.#changed();
  }

  #renamed() {
    this.#showAdd();
    this.#changed();
  }

  #showAdd() {
    byId("generate-matrix-add").hidden = this.#rows.length >= this.#names.length;
  }
}

class MatrixRow {
  #select;
  node;
  values;

  constructor(names, name, text, { changed, remove }) {
    this.#select = element("select", { class: "field", "aria-label": MATRIX_PARAMETER }, ...names.map(([value, title]) => element("option", { value }, title)));
    this.values = element("textarea", { class: "field", rows: 2, "aria-label": MATRIX_VALUES, placeholder: "One a line", title: "One value a line; numbers also 1, 2, 3" });
    const button = element("button", { type: "button", class: "icon", "aria-label": "Remove these values", title: "Remove these values", click: remove }, "✕");
    const follow = () => ((this.node.dataset.path = `matrix.${this.name}`), changed());
    this.node = element("div", { class: "matrix-row", "data-path": `matrix.${name}`, input: follow }, this.#select, button, this.values);
    this.#select.value = name;
    this.values.value = text;
  }

  get name() {
    return this.#select.value;
  }
}
