// What can be taken back, the last first.

const AT_MOST = 100;

/** Holds what was done, in words, and how it is taken back. */
export class UndoStack {
  #done = [];

  /** Gives what takes it off again: for what was refused afterwards. */
  push(words, run) {
    const entry = { words, run };
    this.#done.push(entry);
    if (this.#done.length > AT_MOST) this.#done.shift();
    return () => (this.#done = this.#done.filter((each) => each !== entry));
  }

  /** The last thing done, or undefined; it is taken off. */
  pop() {
    return this.#done.pop();
  }
}
