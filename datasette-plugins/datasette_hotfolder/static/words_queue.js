// What the queue page and the messages about jobs say.

import { formatCount, formatInstant, formatNumber, formatSeconds } from "./format.js";
import { etaWords } from "./progress.js";

const WAITING = new Set(["received", "held", "backlogged", "waiting_refs", "queued"]);

export const STATUS_WORDS = {
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

export const WISHES = [["hold", "Hold"], ["release", "Release"], ["requeue", "Requeue"], ["retry", "Retry"], ["cancel", "Cancel"]];

export const MOVE_HINT =
  "Drag, or press Alt+Up and Alt+Down in this row, to let it go before or after its neighbour. Its priority changes for that; jobs of one priority go in the order in which they came.";

/** Why a job has not begun, besides those before it. */
export function waitWords({ status, waitsFor, waitReason, held, notBefore, priority, deadWork }) {
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

/** What is known of a job, in one line. */
export function factWords(job) {
  const { progress, createdAt, startedAt, completedAt, owner, endpointKey } = job;
  if (completedAt) {
    const took = startedAt ? formatSeconds((Date.parse(completedAt) - Date.parse(startedAt)) / 1000) : "";
    return join(pictureWords(job), took, formatInstant(completedAt), owner);
  }
  const ahead = progress?.queuePosition ?? null;
  const place = ahead === null ? "" : ahead ? `${formatCount(ahead, "picture")} ahead` : "next";
  const left = job.status === "queued" ? etaWords(progress ?? {}) : ""; // of one at work it stands beside its bar
  return join(place, left, pictureWords(job), endpointKey, formatInstant(createdAt), owner);
}

/** How many pictures there are, or were asked for when the job did not get to its end. */
function pictureWords({ status, totalPictures }) {
  if (!totalPictures) return "";
  const stopped = status === "cancelled" || status === "failed" || status === "partially_completed";
  return stopped ? `${formatNumber(totalPictures)} asked for` : formatCount(totalPictures, "picture");
}

/** "12 s": how long a job has been at work; nothing before it has begun. */
export function elapsedWords({ startedAt }, now = Date.now()) {
  const begun = Date.parse(startedAt ?? "");
  return Number.isNaN(begun) ? "" : formatSeconds(Math.max(0, Math.floor((now - begun) / 1000)));
}

/** "line 3, column 5": where in the job file a problem is; its path where it has no line. */
export function placeWords({ line, column, path }) {
  if (line) return column ? `line ${line}, column ${column}` : `line ${line}`;
  return path ?? "";
}

/** Where a job stands after it was moved; `passed` others went along with its neighbour. */
export function movedWords(job, place, passed, side) {
  const name = nameOf(job);
  const also = passed ? ` It went ${side} ${formatCount(passed, "other")} too: they have one priority.` : "";
  return `“${name}” is now number ${place}, with priority ${job.priority}.${also}`;
}

export const notMovedWords = (job) => `“${nameOf(job)}” cannot get there: no priority is that far.`;

/** How a job ended: the words of a message, its kind, and what the link in it says. */
export function endedWords(job) {
  const name = `“${nameOf(job)}”`;
  const see = seeWords(job);
  if (job.status === "completed") return { words: `${name} is done: ${formatCount(job.totalPictures, "picture")}.`, kind: "info", see };
  if (job.status === "partially_completed") return { words: `${name} is partly done.${reason(job)}`, kind: "warning", see };
  if (job.status === "cancelled") return { words: `${name} was cancelled.`, kind: "info", see };
  return { words: `${name} failed.${reason(job)}`, kind: "failure", see };
}

function seeWords({ status, pictures }) {
  if (!pictures.length) return status === "failed" ? "See why" : "See the queue";
  return pictures.length === 1 ? "See it" : "See them";
}

/** Several jobs in one message: "6 jobs of yours have ended, 1 of them failed." */
export function allEndedWords(jobs) {
  const failed = jobs.filter(({ status }) => status === "failed").length;
  const bad = failed ? `, ${formatNumber(failed)} of them failed` : "";
  return { words: `${formatNumber(jobs.length)} jobs of yours have ended${bad}.`, kind: failed ? "warning" : "info", see: "See the queue" };
}

const reason = ({ error }) => (error?.message ? ` ${error.message}` : "");

/** What people call a job. */
export const nameOf = ({ title, jobFile }) => title ?? jobFile;

/** "12 lines", "3 of 12 lines". */
export const logCountWords = (shown, all) => (shown === all ? formatCount(all, "line") : `${formatNumber(shown)} of ${formatCount(all, "line")}`);

export const LOG_WORDS = { pause: "Pause", go: "Go on", none: "No line of the log is there yet.", unfit: "No line has this text." };

/** "klein-4b", "klein-4b (1 file missing)": a model set to choose. */
export function modelSetWords({ name, files }) {
  const missing = files.filter(({ found }) => !found).length;
  return missing ? `${name} (${formatCount(missing, "file")} missing)` : name;
}

export const ENGINE_PANEL_WORDS = {
  load: "Load",
  unload: "Unload",
  choose: "Model set",
  asking: "Looking which models there are …",
  noSets: "The settings name no model set (models.sets).",
  loadTitle: "Have this model loaded between two pictures",
  unloadTitle: "Free what the model holds, between two pictures",
  later: "The service does not run: it is done at its next start.",
};

const join = (...words) => words.filter(Boolean).join(" · ");
