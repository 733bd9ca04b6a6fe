// A message when a job of yours ends: once in a browser, in the tab that is looked at; and how far one is, in the title.

import { jobPath } from "./api.js";
import { named } from "./job_names.js";
import { throttled } from "./throttle.js";
import { toast } from "./toast.js";
import { allEndedWords, endedWords } from "./words_queue.js";

const TELL_EVERY_MS = 1_000;
const ONE_BY_ONE = 3;
const REMEMBERED = 50;
const TOLD = "hotfolder.told";
const ENDED = new Set(["completed", "failed", "cancelled", "partially_completed"]);
const FAR = /^\d+ % · /;

/** Tells somebody who is logged in (`actor`) of their own jobs, whichever page they are on. */
export class EndedJobs {
  #api;
  #actor;
  #ended = new Set(); // ids of jobs, whosever they are, that have ended and were not looked at yet
  #tell = throttled(() => this.#tellVisible(), TELL_EVERY_MS);

  constructor(api, stream, statusBar, actor) {
    [this.#api, this.#actor] = [api, actor];
    stream.addEventListener("events", ({ detail }) => detail.forEach((event) => this.#hear(event)));
    document.addEventListener("visibilitychange", () => this.#tell());
    statusBar.addEventListener("now", ({ detail }) => this.#showFar(detail));
  }

  #hear({ topic, subjectId, actor, data }) {
    if (topic !== "job.changed" || !ENDED.has(data.status)) return;
    if (actor === this.#actor.name) return; // who ended it knows
    this.#ended.add(subjectId);
    if (this.#ended.size > REMEMBERED) this.#ended.delete(this.#ended.values().next().value);
    this.#tell();
  }

  /** A tab that nobody sees keeps what it heard until somebody does. */
  async #tellVisible() {
    if (document.visibilityState !== "visible" || !this.#ended.size) return;
    const ids = [...this.#ended];
    this.#ended.clear();
    try {
      const found = await this.#find(ids);
      const own = found.filter(({ owner, status }) => owner === this.#actor.name && ENDED.has(status));
      this.#show(own.length ? await claim(own.map(named)) : []);
    } catch {
      ids.forEach((jobId) => this.#ended.add(jobId)); // the next end, or the next look at this tab, tries again
    }
  }

  async #find(ids) {
    if (ids.length <= ONE_BY_ONE) return Promise.all(ids.map((jobId) => this.#api.get(jobPath(jobId))));
    const { items } = await this.#api.get(`/-/api/jobs?state=ended&limit=${REMEMBERED}`);
    return items.filter(({ jobId }) => ids.includes(jobId));
  }

  #show(jobs) {
    if (jobs.length > ONE_BY_ONE) return this.#toast(allEndedWords(jobs), "/-/queue");
    for (const job of jobs) {
      const [picture] = job.pictures;
      this.#toast(endedWords(job), picture ? `/-/library#${encodeURIComponent(picture.mediaId)}` : "/-/queue");
    }
  }

  #toast({ words, kind, see }, path) {
    toast(words, kind, { href: this.#api.base + path, text: see });
  }

  /** "42 % · Library · hotfolder" while a job of yours is at work. */
  #showFar(job) {
    const isOwn = job?.owner === this.#actor.name && typeof job.progress?.percentage === "number";
    const title = document.title.replace(FAR, "");
    const far = isOwn ? `${Math.floor(job.progress.percentage)} % · ${title}` : title;
    if (far !== document.title) document.title = far;
  }
}

/** Those of these jobs that no other tab of this browser has told of; two tabs never claim at a time. */
function claim(jobs) {
  const run = () => {
    const told = readTold();
    const fresh = jobs.filter((job) => !told.includes(ending(job)));
    writeTold([...told, ...fresh.map(ending)].slice(-REMEMBERED));
    return fresh;
  };
  return navigator.locks ? navigator.locks.request("hotfolder-told", run) : run();
}

/** What all tabs of this browser know; one that keeps nothing is told in every tab. */
function readTold() {
  try {
    return JSON.parse(localStorage.getItem(TOLD)) ?? [];
  } catch {
    return [];
  }
}

function writeTold(endings) {
  try {
    localStorage.setItem(TOLD, JSON.stringify(endings));
  } catch {
    // private windows may refuse
  }
}

/** A job that is tried again ends again. */
const ending = ({ jobId, completedAt }) => `${jobId} ${completedAt}`;
