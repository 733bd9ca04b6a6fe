// The three lists of jobs; rows move between them, but never under a moving pointer.

import { arrange } from "./arrange.js";
import { byId } from "./element.js";
import { JobRow } from "./job_row.js";

const POINTER_RESTS_MS = 1_500;
const RUNNING = new Set(["running", "cancelling"]);
const WAITING = new Set(["received", "queued"]);

/** Shows jobs as rows, each in the list it belongs to. */
export class JobList {
  #options;
  #rows = new Map(); // job id -> its row
  #pointerTimer = null;

  constructor(options) {
    this.#options = options;
    byId("jobs").addEventListener("pointermove", () => this.#wait(), { passive: true });
    byId("jobs").addEventListener("pointerleave", () => this.#settle());
  }

  find(jobId) {
    return this.#rows.get(jobId)?.job;
  }

  /** Shows exactly these jobs. */
  replace(jobs) {
    const kept = new Set(jobs.map(({ jobId }) => jobId));
    for (const jobId of this.#rows.keys()) if (!kept.has(jobId)) this.#drop(jobId);
    jobs.forEach((job) => this.#put(job));
    this.#settleSoon();
  }

  update(job) {
    this.#put(job);
    this.#settleSoon();
  }

  remove(jobId) {
    this.#drop(jobId);
    this.#settleSoon();
  }

  #put(job) {
    const row = this.#rows.get(job.jobId);
    if (row) row.update(job);
    else this.#rows.set(job.jobId, new JobRow(job, this.#options));
  }

  #drop(jobId) {
    this.#rows.get(jobId)?.node.remove();
    this.#rows.delete(jobId);
  }

  #wait() {
    clearTimeout(this.#pointerTimer);
    this.#pointerTimer = setTimeout(() => this.#settle(), POINTER_RESTS_MS);
  }

  #settleSoon() {
    if (this.#pointerTimer === null) this.#settle();
  }

  #settle() {
    clearTimeout(this.#pointerTimer);
    this.#pointerTimer = null;
    const rows = [...this.#rows.values()];
    const show = (id, fits, order) => arrange(byId(id), rows.filter(fits).sort(order).map(({ node }) => node));
    show("running", isRunning, byStart);
    show("waiting", isWaiting, byPlace);
    show("ended", (row) => !isRunning(row) && !isWaiting(row), byEnd);
  }
}

const isRunning = ({ job }) => RUNNING.has(job.status);
const isWaiting = ({ job }) => WAITING.has(job.status);
const compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
const placeOf = ({ job }) => job.progress?.queuePosition ?? Infinity;
const byStart = (one, other) => compare(one.job.startedAt ?? "", other.job.startedAt ?? "");
const byEnd = (one, other) => compare(other.job.completedAt ?? other.job.createdAt, one.job.completedAt ?? one.job.createdAt);
const byPlace = (one, other) => compare(placeOf(one), placeOf(other)) || compare(one.job.createdAt, other.job.createdAt);
