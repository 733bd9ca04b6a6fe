// Another place in line for a job that waits: by drag, or with Alt+Up and Alt+Down, as a priority that leads there.

import { toast } from "./toast.js";
import { movedWords, notMovedWords } from "./words_queue.js";

const POINT_MS = 600_000; // what a point of priority is worth in waiting, unless `queue.aging_s` says otherwise
const MOST = 100;
const TRIES = 4; // where it is worth something else, further points lead there

/** The priority next to its own by which a job goes before or after another one (pure). */
export function priorityFor(job, neighbour, side) {
  const even = neighbour.priority + (Date.parse(job.createdAt) - Date.parse(neighbour.createdAt)) / POINT_MS;
  return side === "before" ? Math.floor(even) + 1 : Math.ceil(even) - 1;
}

/** What a move to a place among those in line means: next to whom it ends, or null when nothing changes (pure). */
export function neighbourAt(queued, from, to) {
  if (to < 0 || to >= queued.length || to === from) return null;
  return { neighbour: queued[to], side: to < from ? "before" : "after" };
}

/**
 * Moves rows of the list `place`; `jobs` is the JobList, `setPriority(jobId, priority)` resolves to whether that was
 * done, `renew()` loads the list anew, and `news` is read out.
 */
export class JobOrder {
  #place;
  #jobs;
  #setPriority;
  #renew;
  #news;
  #dragged = null; // job id
  #isMoving = false;

  constructor(place, { jobs, setPriority, renew, news }) {
    this.#place = place;
    this.#jobs = jobs;
    this.#setPriority = setPriority;
    this.#renew = renew;
    this.#news = news;
    place.addEventListener("keydown", (event) => this.#press(event));
    place.addEventListener("dragstart", (event) => this.#take(event));
    place.addEventListener("dragover", (event) => this.#hover(event));
    place.addEventListener("drop", (event) => this.#drop(event));
    place.addEventListener("dragend", () => this.#letGo());
  }

  #press(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const jobId = event.target.closest(".job")?.dataset.jobId;
    if (!step || !event.altKey || !jobId || !this.#jobs.isMovable(jobId)) return;
    event.preventDefault();
    const from = this.#placeOf(jobId);
    this.#move(jobId, from, from + step);
  }

  #take(event) {
    const row = event.target.closest(".job");
    if (!row || !this.#jobs.isMovable(row.dataset.jobId)) return;
    this.#dragged = row.dataset.jobId;
    row.dataset.dragged = "";
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", row.querySelector(".job-title").textContent);
    event.dataTransfer.setDragImage(row, 20, 20);
  }

  #hover(event) {
    const found = this.#findTarget(event);
    this.#mark(found);
    if (!found) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "move";
  }

  #drop(event) {
    const found = this.#findTarget(event);
    const jobId = this.#dragged;
    this.#letGo();
    if (!found) return;
    event.preventDefault();
    const from = this.#placeOf(jobId);
    const gap = found.place + (found.side === "after" ? 1 : 0);
    this.#move(jobId, from, gap > from ? gap - 1 : gap);
  }

  /** The row under the pointer, and on which side of it the dragged one would go. */
  #findTarget(event) {
    const row = this.#dragged && event.target.closest?.(".job");
    const place = row ? this.#placeOf(row.dataset.jobId) : -1;
    if (place < 0) return null;
    const { top, height } = row.getBoundingClientRect();
    return { row, place, side: event.clientY < top + height / 2 ? "before" : "after" };
  }

  #mark(found) {
    for (const each of this.#place.querySelectorAll("[data-drop]")) if (each !== found?.row) delete each.dataset.drop;
    if (found) found.row.dataset.drop = found.side;
  }

  #letGo() {
    this.#mark(null);
    for (const each of this.#place.querySelectorAll("[data-dragged]")) delete each.dataset.dragged;
    this.#dragged = null;
  }

  #placeOf(jobId) {
    return this.#jobs.queued().findIndex((each) => each.jobId === jobId);
  }

  async #move(jobId, from, to) {
    const queued = this.#jobs.queued();
    const found = neighbourAt(queued, from, to);
    if (!found || this.#isMoving) return;
    this.#isMoving = true;
    try {
      await this.#moveNextTo(queued[from], found, to);
    } finally {
      this.#isMoving = false;
    }
  }

  async #moveNextTo(job, { neighbour, side }, to) {
    const away = side === "before" ? 1 : -1;
    let wanted = priorityFor(job, neighbour, side);
    for (let tries = 0; tries < TRIES && Math.abs(wanted) <= MOST; tries++, wanted += away * 4 ** (tries - 1)) {
      if (!(await this.#setPriority(job.jobId, wanted)) || !(await this.#renew())) return;
      const [place, other] = [this.#placeOf(job.jobId), this.#placeOf(neighbour.jobId)];
      if (place < 0 || other < 0) return; // one of them has begun meanwhile
      if (side === "before" ? place < other : place > other) return this.#tell(job.jobId, place, Math.abs(to - place), side);
    }
    toast(notMovedWords(job), "warning");
  }

  #tell(jobId, place, passed, side) {
    const words = movedWords(this.#jobs.find(jobId), place + 1, passed, side);
    if (passed) toast(words);
    else this.#news.textContent = words;
    this.#jobs.reveal(jobId);
  }
}
