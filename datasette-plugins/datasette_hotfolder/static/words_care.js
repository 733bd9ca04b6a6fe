// The words of what is done for the library as a whole: its menu, keywords, import folders, duplicates, review and trash.

import { formatCount, formatNumber } from "./format.js";

const pictures = (n) => formatCount(n, "picture");

export const MENU = {
  label: "The library",
  import: "Import pictures…",
  collections: "Collections…",
  keywords: "Keywords…",
  folders: "Import folders…",
  duplicates: "Duplicates…",
  trash: "Trash",
  review: "Review",
};

export const COMMON = { again: "Try again", loading: "Loading …", cancel: "Cancel", more: "More" };
export const failedWords = (words) => `Not done: ${words}`;

export const KEYWORDS = {
  none: "No picture has a keyword yet.",
  unknown: (text) => `No keyword begins with “${text}”.`,
  mayNot: "To change keywords, log in with the scope “admin”.",
  first: (n) => `The ${formatNumber(n)} most used; type to find others.`,
  show: (keyword, n) => `Show ${pictures(n)} with “${keyword}”`,
  rename: "Rename",
  renameOf: (keyword) => `Rename “${keyword}”`,
  save: "Save",
  merge: "Merge…",
  mergeOf: (keyword) => `Merge “${keyword}” into another keyword`,
  into: "into",
  intoOf: (keyword) => `The keyword that takes the place of “${keyword}”`,
  mergeHint: (n) => `${pictures(n)} get it instead. This cannot be undone.`,
  doMerge: "Merge",
  noTarget: (text) => `There is no keyword “${text}”. Choose one that is there, or rename instead.`,
  remove: "Delete",
  removeOf: (keyword) => `Delete “${keyword}”`,
  consent: (keyword, n) => ({
    title: `Delete “${keyword}”`,
    text: `${n ? `${pictures(n)} lose${n === 1 ? "s" : ""} it; the pictures stay. ` : ""}This cannot be undone.`,
    confirm: "Delete",
  }),
  renamed: (from, to) => `“${from}” is “${to}” now.`,
  merged: (from, into, n) => `“${from}” is part of “${into}” now, which ${pictures(n)} ${n === 1 ? "has" : "have"}.`,
  removed: (keyword) => `“${keyword}” is deleted.`,
  busy: "Working …",
};

export const FOLDERS = {
  none: "No folder is watched yet. What you add below is taken in by itself, now and later.",
  states: { watched: "watched", missing: "not there now", refused: "not watched" },
  modes: { copy: "copied", move: "moved", reference: "referred to" },
  deep: "with the folders below",
  flat: "without the folders below",
  into: (name) => `into ${name}`,
  bySettings: "by hotfolder.yaml",
  counts: ({ taken, duplicates, waiting, refused }) =>
    [
      `${formatNumber(taken)} taken in`,
      duplicates && `${formatNumber(duplicates)} known already`,
      waiting && `${formatNumber(waiting)} waiting`,
      refused && `${formatNumber(refused)} refused`,
    ]
      .filter(Boolean)
      .join(" · "),
  refusal: ({ file, message }) => `Refused last: ${file}: ${message}`,
  missing: "It is watched as soon as it is there.",
  remove: "Remove",
  removeOf: (path) => `Watch ${path} no longer`,
  consent: (path) => ({
    title: "Remove the import folder",
    text: `${path} is watched no longer. What came from there stays in the library, and the files in it stay where they are.`,
    confirm: "Remove",
  }),
  added: (path) => `${path} is watched.`,
  removed: (path) => `${path} is watched no longer.`,
  adding: "Looking at it …",
  add: "Add the folder",
};

export const DUPLICATES = {
  same: "No two pictures hold the same.",
  near: "No two pictures look alike.",
  pending: (n) => `${pictures(n)} ${n === 1 ? "is" : "are"} not compared yet: the service does so by and by.`,
  keep: "Keep",
  keepOf: (name) => `Keep ${name}`,
  best: "Suggested: of the highest rating, then the largest, then the oldest",
  open: (name) => `Open ${name} in the loupe`,
  trash: (n) => (n === 1 ? "Put the other one into the trash" : `Put the other ${formatNumber(n)} into the trash`),
  dismiss: "Not duplicates",
  dismissTitle: "Suggest these together no more",
  group: (kind, n) => `${pictures(n)} that ${kind === "same" ? "hold the same" : "look alike"}`,
  trashed: (n) => `${pictures(n)} moved to the trash.`,
  undo: "Undo",
  dismissed: "They are not suggested together again.",
  starsOf: (n) => (n ? "★".repeat(n) : "no stars"),
  sizeOf: ({ width, height }) => `${width} × ${height}`,
};

export const REVIEW = {
  by: (owner) => (owner ? `Submitted by ${owner}` : "Submitted"),
  job: (jobFile) => (jobFile ? `with ${jobFile}` : ""),
  asked: "Its job asked for a review.",
  undone: (decision, n) => (decision === "accept" ? `${pictures(n)} accepted` : `${pictures(n)} discarded; in the library now, as accepted`),
  final: (decision) => (decision === "accept" ? "an accepted picture stays accepted. Delete puts it into the trash." : "look into the trash, from where pictures can be restored."),
  empty: "Nothing waits for a review",
  emptyHint: "Pictures of jobs that ask for a review, or that a rule flagged, wait here until somebody accepts or discards them.",
  toLibrary: "To the library",
};

export const TRASH = {
  empty: "The trash is empty",
  emptyHint: "What you delete lies here, and can be taken back until it is deleted for good.",
  restoreFirst: "It is in the trash: restore it first.",
  emptyIt: "Empty the trash…",
  consent: (n) => ({
    title: "Empty the trash",
    text: `${pictures(n)} and all files that belong to ${n === 1 ? "it" : "them"} will be gone. This cannot be undone.`,
    confirm: "Delete all",
  }),
  emptied: (n) => `${pictures(n)} deleted for good.`,
};
