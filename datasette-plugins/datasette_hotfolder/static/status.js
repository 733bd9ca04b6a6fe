// The bar at the foot of every page: engine, the job at work, the queue, the connection.

import { jobPath } from "./api.js";
import { byId, setText } from "./element.js";
import { EndedJobs } from "./ended_jobs.js";
import { engineLight, engineWords } from "./engine_words.js";
import { formatNumber } from "./format.js";
import { named } from "./job_names.js";
import { advance, drawBar, etaWords, imageWords, keepFurther, stageWords } from "./progress.js";
import { throttled } from "./throttle.js";
import { elapsedWords } from "./words_queue.js";

const ASK_EVERY_MS = 1_000;
const JOB_EVERY_MS = 2_000; // events tell its steps, but only the server what is left
const LOOK_EVERY_MS = 30_000; // a service that was killed tells nothing
const SECOND_MS = 1_000;
const LOOKED_AT = new Set(["job.received", "job.changed", "engine.status", "control.changed", "generation.changed", "import.ended"]);

/**
 * Keeps the status bar true; `status` is the object of /-/api/status when the page has it already, `actor` who is logged in, or null.
 * Tells "status" (detail: that object), "job" (detail: the job at work, and when it was asked for) and "now" (detail:
 * the job that is shown, or null).
 */
export class StatusBar extends EventTarget {
  #api;
  #status;
  #job = null;
  #connection = "connected";
  #ask = throttled(() => document.visibilityState === "visible" && this.#refresh(), ASK_EVERY_MS);
  #askJob = throttled(() => document.visibilityState === "visible" && this.#refreshJob(), JOB_EVERY_MS);

  constructor(api, stream, status, actor) {
    super();
    this.#api = api;
    this.#status = status ?? null;
    stream.addEventListener("events", ({ detail }) => detail.forEach((event) => this.#hear(event)));
    stream.addEventListener("reset", () => this.#ask());
    stream.addEventListener("connection", ({ detail }) => this.#reconnect(detail));
    document.addEventListener("visibilitychange", () => this.#ask());
    setInterval(() => this.#ask(), LOOK_EVERY_MS);
    setInterval(() => this.#job && document.visibilityState === "visible" && this.#drawTime(), SECOND_MS);
    if (actor) new EndedJobs(api, stream, this, actor);
    this.#draw();
    this.#ask();
  }

  #hear({ topic, subjectId, data }) {
    if (topic === "job.changed" && subjectId === this.#job?.jobId) this.#follow(data.status);
    if (topic === "generation.progress") this.#progress(data);
    else if (LOOKED_AT.has(topic) || (topic === "library.updated" && (data.review || data.deleted))) this.#ask();
  }

  /** A tab that nobody sees asks nothing, but knows when the job that it shows is at work no more. */
  #follow(status) {
    if (!status || isAtWork({ status })) return;
    this.#job = null;
    this.#draw();
  }

  #progress(data) {
    if (this.#job?.jobId !== data.jobId) return this.#ask();
    this.#job = { ...this.#job, progress: advance(this.#job.progress ?? { totalImages: this.#job.totalPictures }, data) };
    this.#draw();
    this.#askJob();
  }

  #reconnect(connection) {
    this.#connection = connection;
    if (connection === "connected") this.#ask();
    this.#draw();
  }

  async #refresh() {
    try {
      this.#status = await this.#api.get("/-/api/status");
      this.#job = this.#status.queue.running ? await this.#findJob() : null;
    } catch {
      return; // the event stream says that there is no connection
    }
    this.dispatchEvent(new CustomEvent("status", { detail: this.#status }));
    this.#draw();
  }

  async #refreshJob() {
    try {
      this.#job = await this.#findJob();
    } catch {
      return; // the next step asks again
    }
    this.#draw();
  }

  async #findJob() {
    if (this.#job) {
      const askedAt = performance.now();
      const job = await this.#api.get(jobPath(this.#job.jobId));
      this.dispatchEvent(new CustomEvent("job", { detail: { job, askedAt } }));
      if (isAtWork(job)) return keepFurther(this.#job, job);
    }
    const { items } = await this.#api.get("/-/api/jobs?state=active&limit=1");
    return items.find(isAtWork) ?? null;
  }

  #draw() {
    const { state, words, title } = this.#engine();
    const engine = byId("engine");
    engine.dataset.state = state;
    engine.title = title ?? "";
    setText(byId("engine-words"), words);
    const waiting = this.#status?.queue.waiting ?? 0;
    const arriving = this.#status?.imports?.waiting ?? 0;
    byId("in-queue").hidden = !waiting && !arriving;
    const news = [waiting && `${formatNumber(waiting)} in queue`, arriving && `${formatNumber(arriving)} pictures coming in`];
    setText(byId("in-queue"), news.filter(Boolean).join(", "));
    this.#drawJob();
  }

  #engine() {
    if (this.#connection === "lost") return { state: "lost", words: "Not connected", title: "Trying again by itself" };
    if (this.#connection === "refused")
      return { state: "lost", words: "Not allowed to listen", title: "Log in with the link of “hotfolder login”, then reload" };
    if (!this.#status) return { state: "unknown", words: "…" };
    if (!this.#status.sidecar.running)
      return { state: "stopped", words: "Service not running", title: "Start it with “hotfolder up”" };
    return describeEngine(this.#status.engine);
  }

  #drawJob() {
    const job = this.#job;
    byId("now").hidden = !job;
    this.dispatchEvent(new CustomEvent("now", { detail: job }));
    if (!job) return;
    const progress = job.progress ?? {};
    const name = named(job).title ?? job.jobFile;
    setText(byId("now-title"), name);
    setText(byId("now-stage"), [imageWords(progress), stageWords(progress)].filter(Boolean).join(", "));
    drawBar(byId("now").querySelector(".bar"), progress.percentage);
    byId("now").title = [name, etaWords(progress)].filter(Boolean).join("\n");
    this.#drawTime();
  }

  #drawTime() {
    setText(byId("now-eta"), elapsedWords(this.#job));
  }
}

const isAtWork = (job) => job.status === "running" || job.status === "cancelling";

function describeEngine(engine) {
  const words = engineWords(engine);
  const shown = engine?.modelInfo ? `${words} · ${engine.modelInfo}` : words;
  return { state: engineLight(engine), words: shown, title: engine ? `${engine.kind}: ${words}` : "" };
}
