// One's own jobs beside the form, as they wait, are made and end.

import { jobPath } from "./api.js";
import { arrange } from "./arrange.js";
import { byId } from "./element.js";
import { hasEnded, isAtWork, NowRow } from "./generate_now_row.js";
import { keepName, named } from "./job_names.js";
import { advance, keepFurther } from "./progress.js";
import { throttled } from "./throttle.js";
import { toast } from "./toast.js";

const ROWS_MOST = 12;
const ASK_EVERY_MS = 400;
const TICK_MS = 1_000;

/** Follows the jobs of somebody; `context` has api, stream, statusBar and data. */
export class Now {
  #context;
  #rows = new Map(); // job id -> its row
  #changed = new Set();
  #ask = throttled(() => this.#refreshNext(), ASK_EVERY_MS);

  constructor(context) {
    this.#context = context;
    const { stream, statusBar } = context;
    stream.addEventListener("events", ({ detail }) => detail.forEach((event) => this.#hear(event)));
    stream.addEventListener("reset", () => this.load());
    stream.addEventListener("connection", ({ detail }) => detail === "connected" && this.load());
    statusBar.addEventListener("job", ({ detail }) => this.#rows.has(detail.job.jobId) && this.#put(detail.job));
    this.#show();
    setInterval(() => this.#rows.forEach((row) => isAtWork(row.job) && row.tick()), TICK_MS);
  }

  /** What waits or is at work already, also from other tabs; what is shown and no longer does is asked for. */
  async load() {
    const { api, data } = this.#context;
    try {
      const { items } = await api.get("/-/api/jobs?state=active&limit=50");
      const own = items.filter(({ owner }) => owner === data.actor.name).slice(0, ROWS_MOST);
      own.toReversed().forEach((job) => this.#put(job));
      this.#rows.forEach(({ job }, jobId) => hasEnded(job) || own.some((each) => each.jobId === jobId) || this.#look(jobId));
    } catch {
      // the status bar says that there is no connection
    }
  }

  /** A job that was just submitted. */
  add(job, words) {
    keepName(job.jobId, words);
    this.#put(job);
    this.#look(job.jobId); // it may have begun before the answer was here
  }

  #hear({ topic, subjectId, data }) {
    if (topic === "generation.progress") this.#advance(data);
    else if (topic === "job.changed" || topic === "job.received") this.#look(subjectId);
    else if (topic === "generation.changed" && data.jobId) this.#look(data.jobId);
  }

  #advance(facts) {
    const row = this.#rows.get(facts.jobId);
    if (row?.job.status !== "running") return this.#look(facts.jobId);
    row.update({ ...row.job, progress: advance(row.job.progress ?? { totalImages: row.job.totalPictures }, facts) });
  }

  #look(jobId) {
    if (!this.#rows.has(jobId)) return;
    this.#changed.add(jobId);
    this.#ask();
  }

  async #refreshNext() {
    const [jobId] = this.#changed;
    this.#changed.delete(jobId);
    if (this.#changed.size) this.#ask();
    if (!jobId || !this.#rows.has(jobId)) return;
    try {
      this.#put(await this.#context.api.get(jobPath(jobId)));
    } catch (error) {
      if (error.status === 404) this.#remove(jobId);
    }
  }

  #put(job) {
    const row = this.#rows.get(job.jobId);
    if (!row) return this.#open(job);
    row.update(keepFurther(row.job, job));
  }

  #open(job) {
    const { data, set } = this.#context;
    const act = { cancel: () => this.#cancel(job.jobId), dismiss: () => this.#remove(job.jobId) };
    const base = set ? "" : `${data.base}/-/library`; // beside the grid a picture opens in its loupe
    const row = new NowRow(job, { words: named(job).title ?? job.jobFile, base, ...act });
    this.#rows = new Map([[job.jobId, row], ...this.#rows]);
    this.#show();
  }

  #remove(jobId) {
    this.#rows.get(jobId)?.node.remove();
    this.#rows.delete(jobId);
    this.#show();
  }

  /** The newest first; of those that ended only a few stay. */
  #show() {
    const tooMany = [...this.#rows.values()].slice(ROWS_MOST).filter(({ job }) => hasEnded(job));
    for (const { job, node } of tooMany) {
      node.remove();
      this.#rows.delete(job.jobId);
    }
    arrange(byId("generate-jobs"), [...this.#rows.values()].map(({ node }) => node));
    byId("generate-none").hidden = this.#rows.size > 0;
    byId("generate-now").hidden = !this.#rows.size && Boolean(this.#context.set); // alone on its page it keeps its place
  }

  async #cancel(jobId) {
    try {
      this.#put(await this.#context.api.post(`${jobPath(jobId)}/cancel`));
    } catch (error) {
      toast(error.words, "failure");
    }
    this.#look(jobId);
  }
}
