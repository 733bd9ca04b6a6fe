// One job in the queue: a row that changes in place.

import { element, setText } from "./element.js";
import { formatCount, formatInstant, formatNumber, formatSeconds } from "./format.js";
import { drawBar, etaWords, imageWords, stageWords } from "./progress.js";

const NO_SUBMIT = "You are only looking. To steer jobs, run “hotfolder login” and open the link it prints.";

const STATUS_WORDS = {
  received: "received",
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
  #pictureIds = "";
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
    setText(facts, factWords(job));
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

  #drawPictures({ pictures, totalPictures }) {
    const ids = pictures.map(({ mediaId }) => mediaId).join(" ") + totalPictures;
    if (ids === this.#pictureIds) return;
    this.#pictureIds = ids;
    const more = totalPictures > pictures.length ? element("span", { class: "hint" }, `and ${formatNumber(totalPictures - pictures.length)} more`) : null;
    this.#parts.pictures.replaceChildren(...pictures.map((picture) => this.#picture(picture)), ...(more ? [more] : []));
  }

  #picture({ mediaId, thumbnailUrl }) {
    const image = element("img", { src: thumbnailUrl, alt: "", width: 400, height: 400, loading: "lazy", decoding: "async" });
    const href = `${this.#base}/-/library#${encodeURIComponent(mediaId)}`;
    return element("a", { href, "aria-label": "Open this picture" }, image);
  }
}

function rowParts(act, mayAct) {
  const cancel = actionButton("cancel", "Cancel", act, mayAct);
  const retry = actionButton("retry", "Retry", act, mayAct);
  const message = element("span");
  const hint = element("span", { class: "hint" });
  const bar = element("div", { class: "bar", role: "progressbar", "aria-label": "Progress", "aria-valuemin": 0, "aria-valuemax": 100 }, element("i"));
  const words = element("span", { class: "hint" });
  return {
    state: element("span", { class: "job-state" }),
    title: element("span", { class: "job-title" }),
    file: element("span", { class: "job-file" }),
    facts: element("span", { class: "job-facts" }),
    actions: element("span", { class: "job-actions" }, cancel, retry),
    progress: { node: element("div", { class: "job-progress" }, bar, words), bar, words },
    error: element("p", { class: "job-error" }, message, " ", hint),
    pictures: element("div", { class: "job-pictures" }),
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
  const { progress, createdAt, startedAt, completedAt, owner, endpointKey, totalPictures } = job;
  if (completedAt) {
    const took = startedAt ? formatSeconds((Date.parse(completedAt) - Date.parse(startedAt)) / 1000) : "";
    return join(totalPictures ? formatCount(totalPictures, "picture") : "", took, formatInstant(completedAt), owner);
  }
  const ahead = progress?.queuePosition;
  return join(ahead === null || ahead === undefined ? "" : ahead ? `${formatNumber(ahead)} ahead` : "next", endpointKey, formatInstant(createdAt), owner);
}

const join = (...words) => words.filter(Boolean).join(" · ");
