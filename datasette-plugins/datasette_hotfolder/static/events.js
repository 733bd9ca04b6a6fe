// The server's events: one long poll for all tabs of this browser, told to the others over a channel.

const WAIT_S = 20;
const GIVE_UP_MS = 40_000;
const ALONE_EVERY_MS = 2_000;
const LONGEST_PAUSE_S = 30;

/**
 * Tells "events" (detail: the new events, in order, none twice), "reset" (the server cannot tell all that
 * happened: its database is an older one, or keeps no longer what was missed) and "connection" (detail: "connected", "lost" or "refused"). The tab that holds the lock polls; the others listen and fetch what they missed.
 */
export class EventStream extends EventTarget {
  #api;
  #seen;
  #connection = "connected";
  #stopper = null;
  #channel = null;
  #catchingUp = null;

  constructor(api, seq) {
    super();
    this.#api = api;
    this.#seen = seq;
    addEventListener("pagehide", () => this.stop());
    addEventListener("pageshow", (event) => event.persisted && this.start());
  }

  /** Begins to listen; after `stop` it goes on where it was. */
  start() {
    if (this.#stopper) return;
    this.#stopper = new AbortController();
    const { signal } = this.#stopper;
    const run = navigator.locks ? this.#share(signal) : this.#pollAlone(signal);
    run.catch((error) => {
      if (!signal.aborted) throw error;
    });
  }

  stop() {
    this.#stopper?.abort();
    this.#stopper = null;
    this.#channel?.close();
    this.#channel = null;
  }

  async #share(signal) {
    const name = `hotfolder-events${this.#api.base}`;
    this.#channel = new BroadcastChannel(name);
    this.#channel.addEventListener("message", ({ data }) => this.#hear(data, signal));
    await this.#catchUp(signal);
    await navigator.locks.request(name, { signal }, () => this.#lead(signal));
  }

  /** What the polling tab says: events after `from`, or only how the connection is. */
  #hear({ connection, from, ...answer }, signal) {
    this.#setConnection(connection);
    if (!answer.events) return;
    if (from <= this.#seen || answer.reset) this.#take(answer);
    else this.#catchUp(signal);
  }

  /** Short requests for what this tab missed. */
  #catchUp(signal) {
    this.#catchingUp ??= this.#takeMissed(signal)
      .catch((error) => error.status === 0 && this.#setConnection("lost"))
      .finally(() => (this.#catchingUp = null));
    return this.#catchingUp;
  }

  /** An answer tells of so many events and no more; some of them are not for everybody. */
  async #takeMissed(signal) {
    let from;
    do {
      from = this.#seen;
      this.#take(await this.#ask(0, signal));
    } while (this.#seen > from);
  }

  async #lead(signal) {
    while (!signal.aborted) {
      const from = this.#seen;
      const answer = await this.#askUntilAnswered(WAIT_S, signal);
      if (!answer) return;
      this.#take(answer);
      this.#channel?.postMessage({ connection: "connected", from, ...answer });
    }
  }

  /** Without locks (plain http in a local network) each visible tab asks for itself, in short requests. */
  async #pollAlone(signal) {
    while (!signal.aborted) {
      const answer = await this.#askUntilAnswered(0, signal);
      if (!answer) return;
      this.#take(answer);
      await pause(ALONE_EVERY_MS, signal);
      await untilVisible(signal);
    }
  }

  /** The answer, however long the server is away; null when it does not let us listen. */
  async #askUntilAnswered(waitS, signal) {
    for (let pauseS = 1; ; pauseS = Math.min(2 * pauseS, LONGEST_PAUSE_S)) {
      try {
        const answer = await this.#ask(waitS, signal);
        this.#setConnection("connected");
        return answer;
      } catch (error) {
        if (signal.aborted) throw error;
        const refused = error.status === 401 || error.status === 403;
        this.#setConnection(refused ? "refused" : "lost");
        if (refused) return null;
        this.#channel?.postMessage({ connection: "lost" });
        await pause(1000 * pauseS, signal);
      }
    }
  }

  #ask(waitS, signal) {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(GIVE_UP_MS)]);
    return this.#api.get(`/-/api/events?after=${this.#seen}&wait=${waitS}`, { signal: limited });
  }

  #take({ events, seq, reset }) {
    if (reset) return this.#startAnew(seq);
    const fresh = events.filter((event) => event.seq > this.#seen);
    this.#seen = Math.max(this.#seen, seq);
    if (fresh.length) this.dispatchEvent(new CustomEvent("events", { detail: fresh }));
  }

  #startAnew(seq) {
    this.#seen = seq;
    this.dispatchEvent(new Event("reset"));
  }

  #setConnection(connection) {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.dispatchEvent(new CustomEvent("connection", { detail: connection }));
  }
}

/** Resolves after a while, or fails at once when the signal says so. */
function pause(durationMs, signal) {
  return orAborted(signal, (resolve) => setTimeout(resolve, durationMs));
}

function untilVisible(signal) {
  if (document.visibilityState === "visible") return Promise.resolve();
  return orAborted(signal, (resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

function orAborted(signal, begin) {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    begin(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    });
  });
}
