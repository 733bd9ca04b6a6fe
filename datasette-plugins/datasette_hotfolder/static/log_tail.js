// The end of the service's log, as it is written: asked for only while somebody looks at it.

import { element, setText } from "./element.js";
import { LOG_WORDS, logCountWords } from "./words_queue.js";

const ASK_EVERY_MS = 2_000;
const AT_MOST = 2_000;
const NEAR_END_PX = 24;
const LEVEL = / (ERROR|WARNING|CRITICAL) |"level": "(error|warning|critical)"/;

/** A log in the <details> `root`, with a field that filters it and a button that holds it. */
export class LogTail {
  #api;
  #root;
  #place;
  #filter;
  #pause;
  #count;
  #none;
  #lines = []; // text and its element, the oldest first
  #next = null;
  #isPaused = false;
  #isAsking = false;

  constructor(api, root) {
    const part = (name) => root.querySelector(`[data-part=${name}]`);
    [this.#api, this.#root] = [api, root];
    [this.#place, this.#filter, this.#pause] = [part("lines"), part("filter"), part("pause")];
    [this.#count, this.#none] = [part("count"), part("none")];
    this.#filter.addEventListener("input", () => this.#refilter());
    this.#pause.addEventListener("click", () => this.#hold(!this.#isPaused));
    root.addEventListener("toggle", () => this.#ask());
    document.addEventListener("visibilitychange", () => this.#ask());
    setInterval(() => this.#ask(), ASK_EVERY_MS);
    this.#show();
  }

  #hold(isPaused) {
    this.#isPaused = isPaused;
    setText(this.#pause, isPaused ? LOG_WORDS.go : LOG_WORDS.pause);
    if (!isPaused) this.#ask();
  }

  async #ask() {
    const isLookedAt = this.#root.open && document.visibilityState === "visible";
    if (!isLookedAt || this.#isPaused || this.#isAsking) return;
    this.#isAsking = true;
    try {
      this.#take(await this.#api.get(`/-/api/log${this.#next === null ? "" : `?after=${this.#next}`}`));
    } catch (error) {
      setText(this.#count, error.words); // the next look asks again
    } finally {
      this.#isAsking = false;
    }
  }

  #take({ lines, next, reset }) {
    this.#next = next;
    if (reset) this.#drop(this.#lines.length);
    const fresh = lines.slice(-AT_MOST).map((text) => ({ text, node: lineNode(text) }));
    const isAtEnd = this.#place.scrollHeight - this.#place.scrollTop - this.#place.clientHeight < NEAR_END_PX;
    this.#lines.push(...fresh);
    this.#place.append(...fresh.map(({ node }) => node));
    this.#drop(Math.max(0, this.#lines.length - AT_MOST));
    this.#show(fresh);
    if (isAtEnd) this.#place.scrollTop = this.#place.scrollHeight;
  }

  #drop(count) {
    for (const { node } of this.#lines.splice(0, count)) node.remove();
  }

  #refilter() {
    this.#show();
    this.#place.scrollTop = this.#place.scrollHeight;
  }

  #show(changed = this.#lines) {
    const wanted = this.#filter.value.trim().toLowerCase();
    for (const { text, node } of changed) node.hidden = !text.toLowerCase().includes(wanted);
    const shown = this.#lines.filter(({ node }) => !node.hidden).length;
    setText(this.#count, logCountWords(shown, this.#lines.length));
    setText(this.#none, this.#lines.length ? LOG_WORDS.unfit : LOG_WORDS.none);
    this.#none.hidden = shown > 0;
  }
}

function lineNode(text) {
  const level = LEVEL.exec(text);
  return element("div", { "data-level": level ? (level[1] ?? level[2]).toLowerCase() : null }, text);
}
