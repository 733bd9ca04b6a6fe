// Folders outside the library from which pictures come in: which there are, what became of their files, add and remove.

import { askForConsent } from "./ask.js";
import { byId, element, setText } from "./element.js";
import { throttled } from "./throttle.js";
import { COMMON, failedWords, FOLDERS as WORDS } from "./words_care.js";

const PATH = "/-/api/import-folders";
const ASK_EVERY_MS = 2_000; // the folders themselves are looked at, which may lie far away

/** Gives `open()`. */
export function startFolders(context) {
  const folders = new Folders(context);
  return { open: () => folders.open() };
}

class Folders {
  #api;
  #dialog = byId("folders-dialog");
  #list = byId("folders-list");
  #news = byId("folders-news");
  #hint = byId("folders-hint");
  #form = byId("folders-form");
  #ask = throttled(() => this.#dialog.open && this.#load(), ASK_EVERY_MS);

  constructor({ api, stream }) {
    this.#api = api;
    this.#form.addEventListener("submit", (event) => this.#add(event));
    this.#form.elements.path.addEventListener("input", () => this.#complain(""));
    stream.addEventListener("events", ({ detail }) => this.#dialog.open && detail.some(({ topic }) => topic.startsWith("import.")) && this.#ask());
  }

  open() {
    this.#say("");
    this.#complain("");
    if (!this.#list.children.length) setText(this.#hint, COMMON.loading);
    this.#dialog.showModal();
    this.#ask();
  }

  async #load() {
    try {
      this.#draw((await this.#api.get(PATH)).items);
    } catch (error) {
      setText(this.#hint, "");
      this.#fail(error, () => this.#ask());
    }
  }

  #draw(items) {
    if (this.#news.querySelector("button")) this.#say("");
    const focused = document.activeElement?.closest?.("#folders-list li")?.dataset.folderId;
    this.#list.replaceChildren(...items.map((each) => this.#row(each)));
    if (focused) (this.#list.querySelector(`[data-folder-id="${CSS.escape(focused)}"] button`) ?? this.#form.elements.path).focus();
    setText(this.#hint, items.length ? "" : WORDS.none);
  }

  #row(folder) {
    const { folderId, path, state, problem, origin, lastRefusal } = folder;
    const isOurs = origin !== "hotfolder.yaml";
    const remove = isOurs ? element("button", { type: "button", class: "plain", title: WORDS.removeOf(path), "aria-label": WORDS.removeOf(path), click: () => this.#remove(folder) }, WORDS.remove) : element("small", {}, WORDS.bySettings);
    return element(
      "li",
      { "data-folder-id": folderId, "data-state": state },
      element("div", { class: "care-line" }, element("i", { class: "dot" }), element("code", { title: path }, path), element("small", { class: "care-state" }, WORDS.states[state] ?? state), remove),
      element("p", { class: "hint" }, termsOf(folder)),
      element("p", { class: "hint" }, WORDS.counts(folder)),
      problem ? element("p", { class: "care-failure" }, problem) : null,
      state === "missing" ? element("p", { class: "care-warning" }, WORDS.missing) : null,
      lastRefusal ? element("p", { class: "hint" }, WORDS.refusal(lastRefusal)) : null,
    );
  }

  async #add(event) {
    event.preventDefault();
    const { path, mode, recursive, keywords, collection, add } = this.#form.elements;
    const folder = {
      path: path.value.trim(),
      mode: mode.value,
      recursive: recursive.checked,
      keywords: keywords.value.split(",").map((each) => each.trim()).filter(Boolean),
      collection: collection.value.trim() || null,
    };
    this.#complain("");
    add.disabled = true;
    setText(add, WORDS.adding);
    try {
      this.#draw((await this.#api.post(PATH, folder)).items);
      this.#say(WORDS.added(folder.path));
      this.#form.reset();
      path.focus();
    } catch (error) {
      this.#complain(error.words ?? String(error));
      path.focus();
    }
    add.disabled = false;
    setText(add, WORDS.add);
  }

  async #remove({ folderId, path }) {
    if (!(await askForConsent(WORDS.consent(path)))) return;
    try {
      this.#draw((await this.#api.delete(PATH, { folderId })).items);
      this.#say(WORDS.removed(path));
      this.#form.elements.path.focus();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What is wrong with the folder stands at its field. */
  #complain(words) {
    setText(byId("folders-path-failure"), words);
    this.#form.elements.path.setAttribute("aria-invalid", String(Boolean(words)));
  }

  #say(words) {
    this.#news.classList.remove("care-failure");
    this.#news.replaceChildren(words);
  }

  #fail(error, again = null) {
    this.#news.classList.add("care-failure");
    const retry = again ? element("button", { type: "button", class: "button", click: again }, COMMON.again) : "";
    this.#news.replaceChildren(failedWords(error.words ?? String(error)), " ", retry);
  }
}

/** "copied, with the folders below, into Summer, sea, dusk" */
function termsOf({ mode, recursive, keywords, collection }) {
  return [WORDS.modes[mode] ?? mode, recursive ? WORDS.deep : WORDS.flat, collection && WORDS.into(collection), ...keywords].filter(Boolean).join(", ");
}
