// One of one's own jobs beside the form: how far it is, its pictures, what went wrong.

import { element, setText } from "./element.js";
import { formatSeconds } from "./format.js";
import { drawBar, etaWords, stageWords } from "./progress.js";
import { problemWords, sentence, statusWords } from "./words_generate.js";

const WORKING = new Set(["running", "cancelling"]);
const ENDED = new Set(["completed", "failed", "cancelled", "partially_completed"]);

export const isAtWork = ({ status }) => WORKING.has(status);
export const hasEnded = ({ status }) => ENDED.has(status);

/** A list item for a job; `cancel` and `dismiss` are called by its buttons, `base` stands before its links. */
export class NowRow {
  #base;
  #words;
  #parts;
  #pictures = new Map(); // media id -> its link
  node;
  job;

  constructor(job, { words, base, cancel, dismiss }) {
    this.#base = base;
    this.#words = words;
    this.#parts = rowParts(this.#words, { cancel, dismiss });
    const { title, count, buttons, bar, line, error, pictures } = this.#parts;
    const head = element("div", { class: "now-head" }, title, count, ...buttons);
    this.node = element("li", { class: "now-job", "data-job-id": job.jobId }, head, bar, line, error, pictures);
    this.update(job);
  }

  update(job) {
    this.job = job;
    this.node.dataset.status = job.status;
    const { title, count, cancel, dismiss, bar } = this.#parts;
    setText(title, this.#words);
    setText(count, countWords(job));
    cancel.hidden = !job.canCancel;
    dismiss.hidden = !hasEnded(job);
    bar.hidden = hasEnded(job);
    drawBar(bar, isAtWork(job) ? (job.progress?.percentage ?? 0) : 0);
    this.#drawError(job.error);
    this.#drawPictures(job.pictures ?? []);
    this.tick();
  }

  /** The line below, which goes on with time. */
  tick() {
    setText(this.#parts.line, lineWords(this.job));
  }

  #drawError(error) {
    const problems = (error?.problems ?? []).map(problemWords);
    const words = error ? [sentence(error.message), sentence(error.hint), ...problems].filter(Boolean) : [];
    this.#parts.error.hidden = !words.length;
    setText(this.#parts.error, [...new Set(words)].join("\n"));
  }

  #drawPictures(pictures) {
    const fresh = pictures.filter(({ mediaId }) => !this.#pictures.has(mediaId));
    for (const { mediaId, thumbnailUrl } of fresh.toReversed()) {
      const image = element("img", { src: thumbnailUrl, alt: "", width: 48, height: 48, decoding: "async" });
      const link = element("a", { href: `${this.#base}#${encodeURIComponent(mediaId)}`, "aria-label": "Open this picture", title: "Open this picture" }, image);
      this.#pictures.set(mediaId, link);
      this.#parts.pictures.prepend(link);
    }
    this.#parts.pictures.hidden = !this.#pictures.size;
  }
}

function rowParts(words, { cancel, dismiss }) {
  const button = (text, label, click) => element("button", { type: "button", class: "icon", "aria-label": `${label} ${words}`, title: label, click, hidden: true }, text);
  const cancelButton = button("✕", "Cancel", cancel);
  const dismissButton = button("✕", "Take from this list", dismiss);
  return {
    title: element("span", { class: "now-words", title: words }),
    count: element("span", { class: "hint" }),
    cancel: cancelButton,
    dismiss: dismissButton,
    buttons: [cancelButton, dismissButton],
    bar: element("div", { class: "bar", role: "progressbar", "aria-label": `Progress of ${words}`, "aria-valuemin": 0, "aria-valuemax": 100 }, element("i")),
    line: element("p", { class: "hint" }),
    error: element("p", { class: "problem" }),
    pictures: element("div", { class: "now-pictures" }),
  };
}

function countWords({ status, progress, totalPictures }) {
  if (status === "running" && progress?.totalImages > 1) return `${Math.max(progress.currentImage ?? 1, 1)} of ${progress.totalImages}`;
  return totalPictures > 1 ? `${totalPictures} pictures` : "";
}

/** "sampling 3/4 · 6 s · about 9 s left", "waiting · 3 ahead", "done · 18 s". */
function lineWords(job) {
  const { status, progress, startedAt, completedAt, waitReason } = job;
  const ahead = progress?.queuePosition ? `${progress.queuePosition} ahead` : "";
  const took = startedAt ? ((completedAt ? Date.parse(completedAt) : Date.now()) - Date.parse(startedAt)) / 1000 : 0;
  const time = took > 0 ? formatSeconds(completedAt ? took : Math.floor(took)) : "";
  if (hasEnded(job)) return join(statusWords(status), time);
  if (!isAtWork(job)) return join(statusWords(status), waitReason, ahead, etaWords(progress ?? {}));
  return join((status === "running" && stageWords(progress ?? {})) || statusWords(status), time, etaWords(progress ?? {}));
}

const join = (...words) => words.filter(Boolean).join(" · ");
