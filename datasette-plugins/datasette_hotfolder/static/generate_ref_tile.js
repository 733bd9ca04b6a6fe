// One reference in the form: a small picture that is chosen, moved and removed.

import { element } from "./element.js";
import { referenceWords } from "./words_generate.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

/** A list item; `act` has choose, remove, move, step, drag and over, each told of the tile. */
export class RefTile {
  #button;
  #place = [1, 1];
  #isBusy;
  node;
  reference;

  constructor(reference, isBusy, act) {
    this.reference = reference;
    this.#button = element("button", { type: "button", class: "ref", draggable: "true", click: () => act.choose(this), keydown: (event) => this.#press(event, act) });
    this.node = element("li", {
      dragstart: (event) => {
        event.dataTransfer.setData("text/plain", reference.name ?? "");
        event.dataTransfer.effectAllowed = "move";
        act.drag(this);
      },
      dragenter: () => act.over(this),
      dragover: (event) => event.preventDefault(),
      drop: (event) => event.preventDefault(),
      dragend: () => act.drag(null),
    }, this.#button);
    this.node.focus = () => this.#button.focus();
    this.isBusy = isBusy;
    this.isChosen = false;
    this.#draw();
  }

  get isBusy() {
    return this.#isBusy;
  }

  set isBusy(isBusy) {
    this.#isBusy = isBusy;
    this.#button.ariaBusy = String(isBusy);
    if (!isBusy) this.#button.style.removeProperty("--sent");
  }

  set isChosen(isChosen) {
    this.#button.setAttribute("aria-expanded", isChosen);
  }

  /** More that is known of it. */
  take(more) {
    this.reference = { ...this.reference, ...more };
    this.#draw();
  }

  /** The part of its file that is sent. */
  progress(part) {
    this.#button.style.setProperty("--sent", `${Math.round(100 * part)}%`);
  }

  /** Its place among so many. */
  place(number, count) {
    this.#place = [number, count];
    this.#name();
  }

  #draw() {
    const { thumbnailUrl, name } = this.reference;
    const image = thumbnailUrl ? element("img", { src: thumbnailUrl, alt: "", draggable: "false" }) : element("span", { class: "ref-name" }, name ?? "");
    this.#button.replaceChildren(image);
    this.#button.toggleAttribute("data-role", Boolean(this.reference.role));
    this.#name();
  }

  #name() {
    const { name, role } = this.reference;
    this.#button.ariaLabel = referenceWords(role ? `${name}, ${role}` : name, ...this.#place);
    this.#button.title = `${role ? `${name} (${role})` : name}: Enter for its role, Shift and arrows move, Delete removes`;
  }

  #press(event, act) {
    const step = STEPS[event.key];
    if (event.key === "Delete" || event.key === "Backspace") act.remove(this);
    else if (step && event.shiftKey) act.move(this, step);
    else if (step) act.step(this, step);
    else return;
    event.preventDefault();
  }
}
