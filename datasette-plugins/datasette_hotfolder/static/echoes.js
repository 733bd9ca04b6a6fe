// News of what was done on this page: it comes late, when the next thing may have been done already.

const LATE_MS = 10_000;

/** Counts for each picture how often it left or came back here, so that the news of that changes nothing again. */
export class Echoes {
  #expected = new Map(); // media id -> when each is too late
  #isUnheard = false;

  /** A picture left or came back on this page. */
  expect(mediaId) {
    if (this.#isUnheard) return;
    const now = performance.now();
    const waiting = (this.#expected.get(mediaId) ?? []).filter((at) => at > now);
    this.#expected.set(mediaId, [...waiting, now + LATE_MS]);
  }

  /** Whether news of a picture tells what was done here; each is asked about once. */
  isOne(mediaId) {
    const waiting = (this.#expected.get(mediaId) ?? []).filter((at) => at > performance.now());
    if (waiting.length > 1) this.#expected.set(mediaId, waiting.slice(1));
    else this.#expected.delete(mediaId);
    return waiting.length > 0;
  }

  /** Does what news ask for: that has no echo. */
  unheard(run) {
    this.#isUnheard = true;
    try {
      return run();
    } finally {
      this.#isUnheard = false;
    }
  }
}
