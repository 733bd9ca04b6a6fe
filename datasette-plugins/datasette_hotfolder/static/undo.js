// What can be taken back, the last first.

const AT_MOST = 100;

/** Holds what was done, in words, and how it is taken back. */
export class UndoStack {
  #done = [];

  push(words, run) {
    this.#done.push({ words, run });
    if (this.#done.length > AT_MOST) this.#done.shift();
  }

  /** The last thing done, or undefined; it is taken off. */
  pop() {
    return this.#done.pop();
  }
}
