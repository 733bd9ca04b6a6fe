// The loupe on the whole screen; its controls go when nobody moves.

const IDLE_MS = 2_500;

/** Puts a view on the whole screen, or at least over the whole window where the browser refuses; tells "changed". */
export class FullScreen extends EventTarget {
  #view;
  #idling = null;

  constructor(view) {
    super();
    this.#view = view;
    document.addEventListener("fullscreenchange", () => document.fullscreenElement || this.#set(false));
    for (const type of ["pointermove", "pointerdown", "focusin"]) view.addEventListener(type, () => this.#wake());
  }

  get isOn() {
    return document.body.classList.contains("full-screen");
  }

  toggle() {
    if (this.isOn) this.leave();
    else this.#enter();
  }

  /** True when there was something to leave. */
  leave() {
    if (!this.isOn) return false;
    this.#set(false);
    if (document.fullscreenElement) document.exitFullscreen();
    return true;
  }

  #enter() {
    this.#set(true);
    document.documentElement.requestFullscreen?.({ navigationUI: "hide" }).catch(() => {}); // the window will do
  }

  #set(isOn) {
    if (isOn === this.isOn) return;
    document.body.classList.toggle("full-screen", isOn);
    this.#wake();
    this.dispatchEvent(new CustomEvent("changed"));
  }

  #wake() {
    clearTimeout(this.#idling);
    this.#view.removeAttribute("data-idle");
    if (this.isOn) this.#idling = setTimeout(() => this.#view.setAttribute("data-idle", ""), IDLE_MS);
  }
}
