// Loads pages by number: those that somebody wishes now, and no longer those that nobody does.

const PACE_MS = 50; // who drags the scrollbar passes many places in this time
const AGAIN_MS = 4_000;

/** `load(page, signal)` asks for a page; `failed(error)` is told once, until something loads again. */
export class PageLoader {
  #load;
  #failed;
  #wishes = new Map(); // who wishes -> the set of pages
  #asked = new Map(); // page -> {stopper, done, isAwaited}
  #timer = null;
  #isFailing = false;

  constructor(load, failed) {
    this.#load = load;
    this.#failed = failed;
  }

  get isBusy() {
    return this.#asked.size > 0;
  }

  /** What this one wishes from now on, in place of what it wished before. */
  wish(who, pages) {
    this.#wishes.set(who, pages);
    if (this.#timer === null) this.#pump();
  }

  /** Loads a page in any case; true when it came. */
  demand(page) {
    const asked = this.#asked.get(page) ?? this.#ask(page);
    asked.isAwaited = true;
    return asked.done;
  }

  /** Gives up everything. */
  stop() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#wishes.clear();
    this.#asked.forEach(({ stopper }) => stopper.abort());
    this.#asked.clear();
  }

  #pump() {
    const wished = new Set([...this.#wishes.values()].flatMap((pages) => [...pages]));
    for (const [page, asked] of this.#asked) if (!asked.isAwaited && !wished.has(page)) this.#giveUp(page, asked);
    const missing = [...wished].filter((page) => !this.#asked.has(page));
    missing.forEach((page) => this.#ask(page));
    if (missing.length) this.#pumpIn(PACE_MS);
  }

  #pumpIn(durationMs) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#pump();
    }, durationMs);
  }

  #giveUp(page, { stopper }) {
    this.#asked.delete(page);
    stopper.abort();
  }

  #ask(page) {
    const stopper = new AbortController();
    const asked = { stopper, isAwaited: false, done: null };
    this.#asked.set(page, asked);
    asked.done = this.#load(page, stopper.signal).then(
      () => this.#succeed(page, stopper.signal),
      (error) => this.#fail(page, stopper.signal, error),
    );
    return asked;
  }

  #succeed(page, signal) {
    if (signal.aborted) return false;
    this.#asked.delete(page);
    this.#wishes.forEach((pages) => pages.delete(page));
    this.#isFailing = false;
    return true;
  }

  /** What is wished is tried again after a while. */
  #fail(page, signal, error) {
    if (signal.aborted) return false;
    this.#asked.delete(page);
    this.#pumpIn(AGAIN_MS);
    if (!this.#isFailing) this.#failed(error);
    this.#isFailing = true;
    return false;
  }
}
