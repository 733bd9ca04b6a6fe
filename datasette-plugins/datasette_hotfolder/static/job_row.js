// One job in the queue: a row that changes in place.

import { arrange } from "./arrange.js";
import { element, setText } from "./element.js";
import { formatCount, formatInstant, formatNumber, formatSeconds } from "./format.js";
import { actionButton, oneAtATime, offer, stepButton } from "./offer.js";
import { drawBar, etaWords, imageWords, stageWords } from "./progress.js";

const PRIORITY_STEPS = { higher: 10, lower: -10 }; // as the folders !high and !low
const PRIORITY_MOST = 100;
const WAITING = new Set(["received", "held", "backlogged", "waiting_refs", "queued"]);

const WISHES = [["hold", "Hold"], ["release", "Release"], ["requeue", "Requeue"], ["retry", "Retry"], ["cancel", "Cancel"]];

const STATUS_WORDS = {
  received: "received",
  held: "held",
  backlogged: "held back",
  waiting_refs: "waiting for pictures",
  queued: "waiting",
  running: "at work",
  cancelling: "stopping",
  completed: "done",
  failed: "failed",
  cancelled: "cancelled",
  partially_completed: "partly done",
};

/**
 * A list item for a job; `act(jobId, action, body)` is called by its buttons, which those have who may act on it. It
 * resolves to whether that was done.
 */
export class JobRow {
  #base;
  #parts;
  #pictures = new Map(); // media id -> its link
  #act;
  #wanted = null; // the priority last asked for, while the server is told of it
  node;
  job;

  constructor(job, { base, mayAct, act }) {
    this.#base = base;
    this.#act = (...wish) => act(this.job.jobId, ...wish);
    this.#parts = rowParts(mayAct(job) ? this.#buttons(job.title ?? job.jobFile) : new Map());
    const { title, file, state, facts, actions, progress, error, pictures } = this.#parts;
    const head = element("div", { class: "job-head" }, state, title, file, facts, actions);
    this.node = element("li", { class: "job", "data-job-id": job.jobId, tabindex: -1 }, head, progress.node, error, pictures);
    this.update(job);
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
    const { title, file, state, facts } = this.#parts;
    setText(title, job.title ?? job.jobFile);
    setText(file, job.title ? job.jobFile : "");
    setText(state, STATUS_WORDS[job.status] ?? job.status);
    state.title = (job.waitsFor ?? []).join("\n");
    setText(facts, [...waitWords(job), factWords(job)].filter(Boolean).join(" · "));
    this.#drawActions(job);
    this.#drawProgress(job);
    this.#drawError(job.error);
    this.#drawPictures(job);
  }

  #drawActions(job) {
    offer(this.#parts.buttons, new Set(possibleActions(job)));
  }

  #drawProgress({ status, progress }) {
    const { node, bar, words } = this.#parts.progress;
    node.hidden = status !== "running" && status !== "cancelling";
    if (node.hidden) return;
    const shown = progress ?? {};
    drawBar(bar, shown.percentage);
    setText(words, [imageWords(shown), stageWords(shown), etaWords(shown)].filter(Boolean).join(" · ") || "starting");
  }

  #drawError(error) {
    const { error: place, message, hint } = this.#parts;
    place.hidden = !error;
    setText(message, error?.message ?? "");
    setText(hint, error?.hint ?? "");
    place.title = error?.code ?? "";
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
    return element("a", { href, "aria-label": "Open this picture" }, image);
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

/** Why a job has not begun, besides those before it. */
function waitWords({ status, waitsFor, waitReason, held, notBefore, priority, deadWork }) {
  const more = waitsFor?.length > 1 ? ` and ${formatNumber(waitsFor.length - 1)} more` : "";
  const waits = WAITING.has(status);
  return [
    waitsFor?.length ? `lacks ${waitsFor[0]}${more}` : "",
    waits ? waitReason : "",
    waits && held && status !== "held" ? "held as soon as it lacks nothing" : "",
    waits && notBefore ? `not before ${formatInstant(notBefore)}` : "",
    waits && priority ? `priority ${priority}` : "",
    deadWork ? `${formatNumber(deadWork)} dead` : "",
  ];
}

function rowParts(buttons) {
  const message = element("span");
  const hint = element("span", { class: "hint" });
  const bar = element("div", { class: "bar", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, element("i"));
  const words = element("span", { class: "hint" });
  const more = element("span", { class: "hint" });
  return {
    state: element("span", { class: "job-state" }),
    title: element("span", { class: "job-title" }),
    file: element("span", { class: "job-file" }),
    facts: element("span", { class: "job-facts" }),
    actions: element("span", { class: "job-actions" }, ...buttons.values()),
    buttons,
    progress: { node: element("div", { class: "job-progress" }, bar, words), bar, words },
    error: element("p", { class: "job-error" }, message, " ", hint),
    pictures: element("div", { class: "job-pictures" }, more),
    more,
    message,
    hint,
  };
}

function factWords(job) {
  const { progress, createdAt, startedAt, completedAt, owner, endpointKey } = job;
  if (completedAt) {
    const took = startedAt ? formatSeconds((Date.parse(completedAt) - Date.parse(startedAt)) / 1000) : "";
    return join(pictureWords(job), took, formatInstant(completedAt), owner);
  }
  const ahead = progress?.queuePosition ?? null;
  const place = ahead === null ? "" : ahead ? `${formatNumber(ahead)} ahead` : "next";
  const left = job.status === "queued" ? etaWords(progress ?? {}) : ""; // of one at work it stands beside its bar
  return join(place, left, pictureWords(job), endpointKey, formatInstant(createdAt), owner);
}

/** How many pictures there are, or were asked for when the job did not get to its end. */
function pictureWords({ status, totalPictures }) {
  if (!totalPictures) return "";
  const stopped = status === "cancelled" || status === "failed" || status === "partially_completed";
  return stopped ? `${formatNumber(totalPictures)} asked for` : formatCount(totalPictures, "picture");
}

const join = (...words) => words.filter(Boolean).join(" · ");
