// Title and description of one picture, changed in place.

import { byId, setText } from "./element.js";
import { nameOf } from "./words_grid.js";

/** `reword(media, changes)` is called with what was typed. */
export class InfoNaming {
  #mayRate;
  #reword;
  #media = null;
  #description = null; // undefined until it is known
  #form = byId("info-form");
  #button = byId("info-rename");

  constructor(mayRate, reword) {
    this.#mayRate = mayRate;
    this.#reword = reword;
    this.#button.addEventListener("click", () => this.#open());
    byId("info-form-cancel").addEventListener("click", () => this.#close());
    this.#form.addEventListener("submit", (event) => (event.preventDefault(), this.#save()));
    this.#form.addEventListener("keydown", (event) => this.#press(event));
  }

  /** Another picture ends what is being typed for this one. */
  show(media) {
    if (media.mediaId !== this.#media?.mediaId) {
      this.#close();
      this.#description = undefined;
      byId("info-description").hidden = true;
    }
    this.#media = media;
    this.#title(nameOf(media));
    this.#button.hidden = !this.#mayRate;
    this.#button.disabled = this.#description === undefined;
  }

  showWords(words) {
    this.#close();
    this.#media = null;
    this.#title(words);
    this.#button.hidden = true;
    byId("info-description").hidden = true;
  }

  /** What the list does not know. */
  showDescription(description) {
    this.#description = description;
    this.#button.disabled = false;
    setText(byId("info-description"), description ?? "");
    byId("info-description").hidden = !description || !this.#form.hidden;
  }

  #title(words) {
    setText(byId("info-title"), words);
    byId("info-title").title = words;
  }

  #open() {
    byId("info-form-title").value = this.#media.title ?? "";
    byId("info-form-title").placeholder = nameOf({ ...this.#media, title: null });
    byId("info-form-description").value = this.#description ?? "";
    this.#setOpen(true);
    byId("info-form-title").select();
  }

  #close() {
    const hadFocus = this.#form.contains(document.activeElement);
    this.#setOpen(false);
    if (hadFocus) this.#button.focus();
  }

  #setOpen(isOpen) {
    this.#form.hidden = !isOpen;
    byId("info-description").hidden = isOpen || !this.#description;
    this.#button.setAttribute("aria-expanded", isOpen);
  }

  #press(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    this.#close();
  }

  #save() {
    const [title, description] = ["info-form-title", "info-form-description"].map((id) => byId(id).value.trim() || null);
    const media = { ...this.#media, description: this.#description };
    this.#close();
    this.#reword(media, { title, description });
  }
}
