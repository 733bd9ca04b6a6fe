// A menu at the pointer, or at what has the focus: for the keyboard, the mouse and a long press.

import { element } from "./element.js";

const LONG_PRESS_MS = 500;
const STILL_PX = 10;
const EDGE_PX = 6;
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/** Opens a menu for what `choose(target)` takes in; `items()` gives [{words, key, run, disabled, separator}]. */
export function startMenu(root, { label, choose, items }) {
  const menu = new Menu(label);
  let press = null;

  const open = (target, at) => {
    if (choose(target)) menu.open(items(), at);
  };
  const forget = () => clearTimeout(press?.timer);

  root.addEventListener("contextmenu", (event) => {
    const { target, clientX, clientY } = event;
    forget();
    event.preventDefault();
    if (!menu.isOpen) open(target, { left: clientX, top: clientY });
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "ContextMenu" && !(event.key === "F10" && event.shiftKey)) return;
    event.preventDefault();
    const { left, top, width, height } = event.target.getBoundingClientRect();
    open(event.target, { left: left + width / 2, top: top + height / 2 });
  });
  root.addEventListener("pointerdown", ({ pointerType, target, clientX: left, clientY: top }) => {
    forget();
    if (pointerType !== "touch") return;
    press = { left, top, timer: setTimeout(() => menu.isOpen || open(target, { left, top }), LONG_PRESS_MS) };
  });
  root.addEventListener("pointermove", ({ clientX, clientY }) => press && Math.hypot(clientX - press.left, clientY - press.top) > STILL_PX && forget());
  for (const type of ["pointerup", "pointercancel"]) root.addEventListener(type, forget);
}

/** One menu, built anew each time it is opened. */
export class Menu {
  #label;
  #node = null;
  #opener = null;

  constructor(label) {
    this.#label = label;
    addEventListener("resize", () => this.close());
    document.addEventListener("pointerdown", ({ target }) => this.#node?.contains(target) || this.close(), { capture: true });
  }

  get isOpen() {
    return this.#node !== null;
  }

  open(items, at) {
    this.close();
    if (!items.length) return;
    this.#opener = document.activeElement;
    this.#node = element("div", { class: "menu", role: "menu", "aria-label": this.#label, popover: "manual", keydown: (event) => this.#press(event) });
    this.#node.append(...items.map((item) => this.#entry(item)));
    this.#node.addEventListener("focusout", ({ relatedTarget }) => relatedTarget && !this.#node?.contains(relatedTarget) && this.close());
    this.#node.addEventListener("contextmenu", (event) => event.preventDefault());
    addEventListener("blur", () => this.close(), { once: true });
    document.body.append(this.#node);
    this.#node.showPopover();
    this.#place(at);
    this.#entries[0]?.focus({ preventScroll: true });
  }

  /** The focus goes back to where it was, unless it went elsewhere. */
  close() {
    const node = this.#node;
    if (!node) return;
    const hadFocus = node.contains(document.activeElement);
    this.#node = null;
    node.remove();
    if (hadFocus) this.#opener?.focus({ preventScroll: true });
  }

  get #entries() {
    return [...this.#node.querySelectorAll("button:not(:disabled)")];
  }

  #entry({ words, key, run, disabled = false, separator = false }) {
    if (separator) return element("hr", {});
    const click = () => {
      this.close();
      run();
    };
    const hint = key ? element("kbd", { "aria-hidden": "true" }, key) : null;
    return element("button", { type: "button", role: "menuitem", tabindex: -1, disabled, click }, element("span", {}, words), hint);
  }

  #place({ left, top }) {
    const { offsetWidth, offsetHeight, style } = this.#node;
    style.left = `${Math.max(EDGE_PX, Math.min(left, innerWidth - offsetWidth - EDGE_PX))}px`;
    style.top = `${Math.max(EDGE_PX, Math.min(top, innerHeight - offsetHeight - EDGE_PX))}px`;
  }

  #press(event) {
    const { key } = event;
    event.stopPropagation(); // what is pressed here is not meant for the pictures
    if (key === "Enter" || key === " ") return;
    event.preventDefault();
    if (key === "Escape" || key === "Tab") return this.close();
    this.#goTo(key);
  }

  #goTo(key) {
    const entries = this.#entries;
    const place = entries.indexOf(document.activeElement);
    if (key in STEPS) return entries.at((place + STEPS[key]) % entries.length)?.focus();
    if (key === "Home") return entries[0]?.focus();
    if (key === "End") return entries.at(-1)?.focus();
    const rest = [...entries.slice(place + 1), ...entries.slice(0, place + 1)];
    if (key.length === 1) rest.find(({ textContent }) => textContent.toLowerCase().startsWith(key.toLowerCase()))?.focus();
  }
}
