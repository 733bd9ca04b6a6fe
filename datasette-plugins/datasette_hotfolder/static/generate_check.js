// Asks the server what a job would come to; the last answer wins.

const PAUSE_MS = 300;

/** Tells "checked" (detail: {text, problems, pictures, cost, balance, estimateS}) for the job last asked for. */
export class Check extends EventTarget {
  #api;
  #timer = null;
  #asked = 0;
  latest = null; // what was found, and of which job

  constructor(api) {
    super();
    this.#api = api;
  }

  /** Soon, when nothing changes meanwhile. */
  ask(job) {
    clearTimeout(this.#timer);
    this.#asked += 1; // what is under way is about a job that is no longer asked for
    this.#timer = setTimeout(() => this.askNow(job), PAUSE_MS);
  }

  /** At once; gives what was found, or null when that is not known. */
  async askNow(job) {
    clearTimeout(this.#timer);
    const number = ++this.#asked;
    const text = JSON.stringify(job);
    try {
      const found = { ...(await this.#api.post("/-/api/jobs/check", job)), text };
      if (number === this.#asked) this.#tell(found);
      return found;
    } catch {
      if (number === this.#asked) this.#tell(null);
      return null;
    }
  }

  #tell(found) {
    this.latest = found;
    this.dispatchEvent(new CustomEvent("checked", { detail: found }));
  }
}
