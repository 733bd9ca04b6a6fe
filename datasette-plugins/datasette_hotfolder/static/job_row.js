// One job in the queue: a row that changes in place.

import { arrange } from "./arrange.js";
import { element, setText } from "./element.js";
import { formatCount, formatInstant, formatNumber, formatSeconds } from "./format.js";
import { drawBar, etaWords, imageWords, stageWords } from "./progress.js";

const NO_SUBMIT = "You are only looking. To steer jobs, run “hotfolder login” and open the link it prints.";

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

/** A list item for a job; `act(jobId, "cancel" | "retry")` is called by its buttons. */
export class JobRow {
  #base;
  #parts;
  #pictures = new Map(); // media id -> its link
  node;
  job;

  constructor(job, { base, mayAct, act }) {
    this.#base = base;
    this.#parts = rowParts((action) => act(this.job.jobId, action), mayAct);
    const { title, file, state, facts, actions, progress, error, pictures } = this.#parts;
    const head = element("div", { class: "job-head" }, state, title, file, facts, actions);
    this.node = element("li", { class: "job", "data-job-id": job.jobId }, head, progress.node, error, pictures);
    this.update(job);
  }

  update(job) {
    this.job = job;
    this.node.dataset.status = job.status;
    const { title, file, state, facts } = this.#parts;
    setText(title, job.title ?? job.jobFile);
    setText(file, job.title ? job.jobFile : "");
    setText(state, STATUS_WORDS[job.status] ?? job.status);
    state.title = (job.waitsFor ?? []).join("\n");
    setText(facts, [waitWords(job), factWords(job)].filter(Boolean).join(" · "));
    this.#drawActions(job);
    this.#drawProgress(job);
    this.#drawError(job.error);
    this.#drawPictures(job);
  }

  #drawActions({ canCancel, canRetry }) {
    this.#parts.cancel.hidden = !canCancel;
    this.#parts.retry.hidden = !canRetry;
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

function waitWords({ waitsFor }) {
  if (!waitsFor?.length) return "";
  const more = waitsFor.length > 1 ? ` and ${formatNumber(waitsFor.length - 1)} more` : "";
  return `lacks ${waitsFor[0]}${more}`;
}

function rowParts(act, mayAct) {
  const cancel = actionButton("cancel", "Cancel", act, mayAct);
  const retry = actionButton("retry", "Retry", act, mayAct);
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
    actions: element("span", { class: "job-actions" }, cancel, retry),
    progress: { node: element("div", { class: "job-progress" }, bar, words), bar, words },
    error: element("p", { class: "job-error" }, message, " ", hint),
    pictures: element("div", { class: "job-pictures" }, more),
    more,
    cancel,
    retry,
    message,
    hint,
  };
}

function actionButton(action, words, act, mayAct) {
  const attributes = { type: "button", class: "button", "data-action": action, disabled: !mayAct, title: mayAct ? null : NO_SUBMIT };
  return element("button", { ...attributes, click: () => act(action) }, words);
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
