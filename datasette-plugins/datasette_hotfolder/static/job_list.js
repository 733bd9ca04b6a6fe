// The three lists of jobs; rows move between them, but never under a moving pointer.

import { arrange } from "./arrange.js";
import { byId } from "./element.js";
import { JobRow } from "./job_row.js";
import { keepFurther } from "./progress.js";

const POINTER_RESTS_MS = 1_500;
const RUNNING = new Set(["running", "cancelling"]);
const WAITING = new Set(["received", "held", "backlogged", "waiting_refs", "queued"]);

/** Shows jobs as rows, each in the list it belongs to. */
export class JobList {
  #options;
  #rows = new Map(); // job id -> its row
  #askedAt = new Map(); // job id -> when was asked for what its row shows
  #places = new Map(); // job id -> its place in the server's list, where waiting ones stand in their order
  #pointerTimer = null;

  constructor(options) {
    this.#options = options;
    byId("jobs").addEventListener("pointermove", () => this.#wait(), { passive: true });
    byId("jobs").addEventListener("dragover", () => this.#wait(), { passive: true });
    byId("jobs").addEventListener("pointerleave", () => this.#settle());
  }

  find(jobId) {
    return this.#rows.get(jobId)?.job;
  }

  /** Those whose turn comes, in their order. */
  queued() {
    return this.#sorted("waiting").filter(isQueued).map(({ job }) => job);
  }

  /** Whether a job may be given another place in line. */
  isMovable(jobId) {
    return this.#rows.get(jobId)?.isMovable ?? false;
  }

  /** Puts every row in its place at once, and one of them in sight. */
  reveal(jobId) {
    this.#settle();
    this.#rows.get(jobId)?.node.scrollIntoView({ block: "nearest" });
  }

  /** A second has passed. */
  tick() {
    this.#rowsOf("running").forEach((row) => row.tick());
  }

  /** How many rows of a list are shown: of `running`, `waiting` or `ended`. */
  count(list) {
    return this.#rowsOf(list).length;
  }

  /** Shows these jobs and what is known to be younger than them; gives the ids of those at work which they lack. */
  replace(jobs, askedAt) {
    this.#places = new Map(jobs.map(({ jobId }, place) => [jobId, place]));
    const lacking = [...this.#rows.keys()].filter((jobId) => !this.#places.has(jobId) && this.#askedAt.get(jobId) <= askedAt);
    const atWork = lacking.filter((jobId) => isRunning(this.#rows.get(jobId)));
    lacking.filter((jobId) => !atWork.includes(jobId)).forEach((jobId) => this.#drop(jobId));
    jobs.forEach((job) => this.#put(job, askedAt));
    this.#settleSoon();
    return atWork;
  }

  /** Shows a job as it was when it was asked for, unless a younger answer is shown. */
  update(job, askedAt) {
    this.#put(job, askedAt);
    this.#settleSoon();
  }

  /** Shows how far a job has come. */
  advance(jobId, progress) {
    const row = this.#rows.get(jobId);
    row.update({ ...row.job, progress });
  }

  remove(jobId) {
    this.#drop(jobId);
    this.#settleSoon();
  }

  #put(job, askedAt) {
    const row = this.#rows.get(job.jobId);
    if (row && askedAt < this.#askedAt.get(job.jobId)) return;
    this.#askedAt.set(job.jobId, askedAt);
    if (row) row.update(keepFurther(row.job, job));
    else this.#rows.set(job.jobId, new JobRow(job, this.#options));
  }

  #drop(jobId) {
    this.#rows.get(jobId)?.node.remove();
    this.#rows.delete(jobId);
    this.#askedAt.delete(jobId);
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
    for (const list of Object.keys(KINDS)) arrange(byId(list), this.#sorted(list).map(({ node }) => node));
    this.#number();
  }

  #number() {
    let number = 0;
    for (const row of this.#sorted("waiting")) row.setPlace(isQueued(row) ? ++number : null);
    for (const row of [...this.#rowsOf("running"), ...this.#rowsOf("ended")]) row.setPlace(null);
  }

  #sorted(list) {
    const placeOf = ({ job }) => this.#places.get(job.jobId) ?? Infinity;
    const byPlace = (one, other) => compare(placeOf(one), placeOf(other)) || compare(one.job.createdAt, other.job.createdAt);
    return this.#rowsOf(list).sort({ running: byStart, waiting: byPlace, ended: byEnd }[list]);
  }

  #rowsOf(list) {
    return [...this.#rows.values()].filter(KINDS[list]);
  }
}

const isRunning = ({ job }) => RUNNING.has(job.status);
const isQueued = ({ job }) => job.status === "queued";
const isWaiting = ({ job }) => WAITING.has(job.status);
const KINDS = { running: isRunning, waiting: isWaiting, ended: (row) => !isRunning(row) && !isWaiting(row) };
const compare = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
const byStart = (one, other) => compare(one.job.startedAt ?? "", other.job.startedAt ?? "");
const byEnd = (one, other) => compare(other.job.completedAt ?? other.job.createdAt, one.job.completedAt ?? one.job.createdAt);
