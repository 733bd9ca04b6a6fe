// One job in the queue: a row that changes in place.

import { jobPath } from "./api.js";
import { arrange } from "./arrange.js";
import { element, setText } from "./element.js";
import { formatNumber } from "./format.js";
import { JobReport } from "./job_report.js";
import { actionButton, oneAtATime, offer, stepButton } from "./offer.js";
import { drawBar, etaWords, imageWords, stageWords } from "./progress.js";
import { MOVE_HINT, STATUS_WORDS, WISHES, elapsedWords, factWords, nameOf, waitWords } from "./words_queue.js";

const PRIORITY_STEPS = { higher: 10, lower: -10 }; // as the folders !high and !low
const PRIORITY_MOST = 100;

/**
 * A list item for a job; `act(jobId, action, body)` is called by its buttons, which those have who may act on it. It
 * resolves to whether that was done. Members (`isMember`) may fetch its file.
 */
export class JobRow {
  #base;
  #parts;
  #pictures = new Map(); // media id -> its link
  #act;
  #mayAct;
  #wanted = null; // the priority last asked for, while the server is told of it
  node;
  job;

  constructor(job, { base, mayAct, isMember, act }) {
    this.#base = base;
    this.#act = (...wish) => act(this.job.jobId, ...wish);
    this.#mayAct = mayAct(job);
    this.#parts = rowParts(this.#mayAct ? this.#buttons(nameOf(job)) : new Map(), isMember ? fileLink(base, job) : null);
    const { place, title, file, state, facts, actions, progress, report, pictures } = this.#parts;
    const head = element("div", { class: "job-head" }, place, state, title, file, facts, actions);
    this.node = element("li", { class: "job", "data-job-id": job.jobId, tabindex: -1 }, head, progress.node, report.node, pictures);
    this.update(job);
  }

  /** Whether it may be given another place in line, by who looks at it. */
  get isMovable() {
    return this.#mayAct && this.job.status === "queued" && this.job.canPrioritize;
  }

  #buttons(name) {
    const steps = [["higher", "▲", "Higher"], ["lower", "▼", "Lower"]];
    const wish = oneAtATime(() => this.node, this.#act);
    return new Map([
      ...steps.map(([action, text, label]) => [action, stepButton(action, text, `${label} priority for ${name}`, () => this.#step(action))]),
      ...WISHES.map(([action, text]) => [action, actionButton(action, text, `${text} ${name}`, wish)]),
    ]);
  }

  /** Quick clicks count from the last one; the server is told of the sum when it has answered. */
  async #step(action) {
    const isTold = this.#wanted !== null;
    const wanted = (this.#wanted ?? this.job.priority) + PRIORITY_STEPS[action];
    this.#wanted = Math.max(-PRIORITY_MOST, Math.min(wanted, PRIORITY_MOST));
    if (isTold) return;
    let told;
    do {
      told = this.#wanted;
    } while ((await this.#act("priority", { priority: told })) && told !== this.#wanted);
    this.#wanted = null;
  }

  update(job) {
    this.job = job;
    this.node.dataset.status = job.status;
    const { title, file, state, facts, report } = this.#parts;
    setText(title, nameOf(job));
    title.title = nameOf(job);
    setText(file, job.title ? job.jobFile : "");
    setText(state, STATUS_WORDS[job.status] ?? job.status);
    state.title = (job.waitsFor ?? []).join("\n");
    setText(facts, [...waitWords(job), factWords(job)].filter(Boolean).join(" · "));
    facts.title = facts.textContent;
    offer(this.#parts.buttons, new Set(possibleActions(job)));
    this.#drawMovable();
    this.tick();
    report.update(job.error);
    this.#drawPictures(job);
  }

  /** Its number among those that wait for their turn; null for the others. */
  setPlace(number) {
    const { place } = this.#parts;
    place.hidden = number === null;
    setText(place, number === null ? "" : formatNumber(number));
  }

  #drawMovable() {
    const { place } = this.#parts;
    const isMovable = this.isMovable;
    place.draggable = isMovable;
    place.title = isMovable ? MOVE_HINT : "";
    this.node.tabIndex = isMovable ? 0 : -1;
    if (isMovable) this.node.setAttribute("aria-keyshortcuts", "Alt+ArrowUp Alt+ArrowDown");
    else this.node.removeAttribute("aria-keyshortcuts");
  }

  /** How far it is, and for how long it has been at work by now. */
  tick() {
    const { status, progress } = this.job;
    const { node, bar, words } = this.#parts.progress;
    node.hidden = status !== "running" && status !== "cancelling";
    if (node.hidden) return;
    const shown = progress ?? {};
    drawBar(bar, shown.percentage);
    const far = [imageWords(shown), stageWords(shown) || "starting", elapsedWords(this.job), etaWords(shown)];
    setText(words, far.filter(Boolean).join(" · "));
  }

  #drawPictures({ status, pictures, totalPictures }) {
    const place = this.#parts.pictures;
    const links = new Map(pictures.map((picture) => [picture.mediaId, this.#pictures.get(picture.mediaId) ?? this.#picture(picture)]));
    this.#pictures.forEach((link, mediaId) => links.has(mediaId) || link.remove());
    this.#pictures = links;
    arrange(place, links.values());
    const more = status === "completed" ? totalPictures - pictures.length : 0;
    setText(this.#parts.more, more > 0 ? `and ${formatNumber(more)} more` : "");
    place.hidden = !links.size;
  }

  #picture({ mediaId, thumbnailUrl }) {
    const image = element("img", { src: thumbnailUrl, alt: "", width: 400, height: 400, loading: "lazy", decoding: "async" });
    const href = `${this.#base}/-/library#${encodeURIComponent(mediaId)}`;
    return element("a", { href, "aria-label": "Open this picture", title: "Open this picture" }, image);
  }
}

/** What can be done with a job now; retrying one with dead work is to requeue it. */
function* possibleActions(job) {
  if (job.canPrioritize) yield* ["higher", "lower"];
  if (job.canHold) yield "hold";
  if (job.canRelease) yield "release";
  if (job.canRequeue) yield "requeue";
  else if (job.canRetry) yield "retry";
  if (job.canCancel) yield "cancel";
}

function fileLink(base, job) {
  const label = `Download the job file of ${nameOf(job)}`;
  return element("a", { class: "button", href: `${base}${jobPath(job.jobId)}/file`, download: true, "aria-label": label, title: label }, "File");
}

function rowParts(buttons, link) {
  const bar = element("div", { class: "bar", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, element("i"));
  const words = element("span", { class: "hint" });
  const more = element("span", { class: "hint" });
  return {
    place: element("span", { class: "job-place", hidden: true }),
    state: element("span", { class: "job-state" }),
    title: element("span", { class: "job-title" }),
    file: element("span", { class: "job-file" }),
    facts: element("span", { class: "job-facts" }),
    actions: element("span", { class: "job-actions" }, ...buttons.values(), link),
    buttons,
    progress: { node: element("div", { class: "job-progress" }, bar, words), bar, words },
    report: new JobReport(),
    pictures: element("div", { class: "job-pictures" }, more),
    more,
  };
}
