// Speaks JSON with the server; every failure becomes an ApiError with a sentence for people.

import { formatSeconds } from "./format.js";

/** What went wrong: HTTP status (0 = no connection), code, message and perhaps a hint, or when to try again. */
export class ApiError extends Error {
  constructor(status, { code = "http", message, hint = null } = {}, retryAfterS = null) {
    super(message || `The server answered ${status}.`);
    this.status = status;
    this.code = code;
    this.hint = hint ?? againWords(status, retryAfterS);
  }

  /** Message and hint as one text. */
  get words() {
    return this.hint ? `${this.message} ${this.hint}` : this.message;
  }
}

function againWords(status, retryAfterS) {
  if (retryAfterS > 0) return `Try again in ${formatSeconds(retryAfterS)}.`;
  return status === 503 ? "Try again in a moment." : null;
}

const UNREACHABLE = { code: "network", message: "The server cannot be reached." };

/** Whether an error only says that we ourselves gave up a request. */
export const isAbort = (error) => error.name === "AbortError";

const KEPT_ALIVE_MOST = 30_000; // letters: browsers finish so much after a page was left, and refuse more

/** The API below a URL prefix. */
export class Api {
  constructor(base) {
    this.base = base;
  }

  get(path, { signal } = {}) {
    return this.#send(path, { signal });
  }

  post(path, body) {
    const headers = { "Content-Type": "application/json" };
    const text = body ? JSON.stringify(body) : undefined;
    return this.#send(path, { method: "POST", headers, body: text, keepalive: (text?.length ?? 0) < KEPT_ALIVE_MOST });
  }

  delete(path, body) {
    const headers = body ? { "Content-Type": "application/json" } : undefined;
    return this.#send(path, { method: "DELETE", headers, body: body && JSON.stringify(body), keepalive: true });
  }

  async #send(path, options) {
    const answer = await this.#fetch(path, options);
    const content = await answer.json().catch((error) => {
      if (isAbort(error)) throw error;
      return null;
    });
    if (!answer.ok) throw new ApiError(answer.status, content?.error ?? {}, Number(answer.headers.get("Retry-After")));
    if (content === null) throw new ApiError(answer.status, { message: "The server's answer was cut short." });
    return content;
  }

  async #fetch(path, options) {
    try {
      return await fetch(this.base + path, { credentials: "same-origin", cache: "no-store", ...options });
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new ApiError(0, UNREACHABLE);
    }
  }
}

/** The path of one picture in the API. */
export const mediaPath = (mediaId) => `/-/api/media/${encodeURIComponent(mediaId)}`;

/** The path of one job in the API. */
export const jobPath = (jobId) => `/-/api/jobs/${encodeURIComponent(jobId)}`;
