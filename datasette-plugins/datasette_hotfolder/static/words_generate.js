// What the form that asks for pictures says.

import { formatCount, formatNumber, formatSeconds } from "./format.js";

export const LOOKING_ONLY = "Looking only: log in with the link of “hotfolder login” to generate.";
export const MAY_NOT_SUBMIT = "Your login may not submit jobs; the scope “submit” is needed.";
export const GENERATE = "Generate";
export const SENDING = "Sending …";
export const NO_ENDPOINTS = "There is no endpoint to generate with. “hotfolder endpoints list” tells why.";
export const RETRY = "Try again";
export const LEFT_OUT = "as the endpoint likes";
export const COPIED = "The job file is in the clipboard.";
export const NOT_COPIED = "The browser did not let the job file be copied; download it instead.";
export const STILL_UPLOADING = "A reference is still on its way into the library; generate when it is there.";
export const NOT_A_JOB = "This is no job file in JSON with one job in it. Drop other job files into inbox/.";
export const FILLED = "The form is filled from the job file.";
export const FIRST_OF_SEVERAL = "The file holds several jobs; the form shows the first.";
export const PICTURE_WITHOUT_RUN = "This picture was not generated here: there is nothing to fill the form with.";
export const LOST_REFERENCE = "A reference of this picture is no longer known; the others are there.";
export const NO_FOLDERS = "Folders cannot be dropped here; add them as import folders, or drop the pictures in them.";
export const NOTHING_TO_UPLOAD = "Nothing that was dropped is a file.";
export const DROP_TO_IMPORT = "Drop to import";
export const MATRIX_PARAMETER = "Parameter";
export const MATRIX_VALUES = "Values";
export const SEED_FREE = "a new one each time";
export const NO_PRESET = "No preset";
export const MODES = { "text-to-image": "text to image", "image-to-image": "image to image", "text-to-video": "text to video", "image-to-video": "image to video" };
export const NEEDS_REFERENCE = "needs a picture";
export const OUTPUTS = { image: "pictures", video: "videos" };

const STATUS = {
  received: "received",
  held: "held",
  backlogged: "held back",
  waiting_refs: "waits for pictures",
  queued: "waiting",
  running: "starting",
  cancelling: "stopping",
  completed: "done",
  failed: "failed",
  cancelled: "cancelled",
  partially_completed: "partly done",
};

export const statusWords = (status) => STATUS[status] ?? status;

/** "4 pictures, about 18 s, 4 of 96 credits", as far as it is known. */
export function costWords({ pictures, estimateS, cost, balance }) {
  const credits = balance === null || balance === undefined ? "" : ` of ${formatNumber(balance)}`;
  const words = [
    formatCount(pictures, "picture"),
    isKnown(estimateS) && `about ${estimateWords(estimateS)}`,
    isKnown(cost) && (credits ? `${formatNumber(cost)}${credits} credits` : formatCount(cost, "credit")),
  ];
  return words.filter(Boolean).join(", ");
}

/** No more exact than it is: "0.4 s", "18 s", "3 min". */
const estimateWords = (seconds) => (seconds < 100 || seconds > 7_200 ? formatSeconds(seconds) : `${Math.round(seconds / 60)} min`);

const isKnown = (value) => value !== null && value !== undefined;

export const sizeWords = (pixels) => (pixels ? `${pixels.width} × ${pixels.height} px` : "no size");

export const tooManyPictures = (count, most) => `${formatNumber(count)} pictures; a job may ask for ${formatNumber(most)}.`;

export const tooManyReferences = (endpoint, most) => `${endpoint} takes ${most ? `at most ${formatCount(most, "reference")}` : "no references"}.`;

export const referenceWords = (name, place, count) => `${name}, reference ${place} of ${count}; Shift and arrows move it, Delete removes it`;

export const uploadWords = (done, count, percentage) => `Importing ${done + 1 > count ? count : done + 1} of ${count} … ${percentage} %`;

export const uploadedWords = (count) => `${formatCount(count, "picture")} uploaded; ${count === 1 ? "it appears" : "they appear"} once imported.`;

export const refusedWords = (count) => `${formatCount(count, "file")} could not be uploaded:`;

export const moreWords = (count) => `and ${formatNumber(count)} more`;

/** What a number may be: "1 to 10". */
export function rangeWords({ minimum, maximum }) {
  if (isKnown(minimum) && isKnown(maximum)) return `${minimum} to ${maximum}`;
  if (isKnown(minimum)) return `at least ${minimum}`;
  return isKnown(maximum) ? `at most ${maximum}` : "";
}

/** What people who fill in a form understand better than the words that are meant for job files. */
const IN_A_FORM = [
  ["params.prompt", / is missing/, "Describe what you want to see first."],
  ["count", /; expected /, "1 to 64"],
];

/** A problem of a job, as the form says it. */
export function problemWords({ path, message, hint }) {
  const known = IN_A_FORM.find(([place, pattern]) => place === path && pattern.test(message));
  return known ? known[2] : [message, hint].map(sentence).filter(Boolean).join(" ");
}

/** With its full stop. */
export const sentence = (text) => (text && !/[.!?…:]$/.test(text) ? `${text}.` : text);
