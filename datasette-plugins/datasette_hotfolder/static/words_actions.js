// What is said about things done to pictures.

import { formatCount } from "./format.js";

export const LOOK_LOGIN = "You are only looking. To download, run “hotfolder login” and open the link it prints.";
export const RATE_LOGIN = "You are only looking. To rate, run “hotfolder login” and open the link it prints.";
export const REVIEW_LOGIN = "This needs a login with the scope “review”.";
export const NOTHING_TO_UNDO = "There is nothing to undo.";
export const REWORDED = "other words";
export const TOO_FAR = "That is too far for one move: move them in steps.";
export const ORDERED = "another order";
export const ONE = "This picture";
export const ACCEPT = "Accept";
export const ACCEPT_INTO = "Accept into…";
export const DISCARD = "Discard";
export const PICK = "Pick";
export const REJECT = "Reject";
export const KEYWORDS = "Keywords…";
export const COLLECT = "Add to…";
export const DOWNLOAD = "Download";
export const DOWNLOAD_ALL = "With sidecars";
export const TRASH = "Trash";
export const TRASH_FROM_ALL = "Trash, out of the library";
export const RESTORE = "Restore";
export const PURGE = "Delete for good…";
const MARKS = { selected: "picked", rejected: "rejected" };

export const chosen = (n) => `${formatCount(n, "picture")} chosen`;
const pictures = (n) => formatCount(n, "picture");

export const refused = (reason) => `Not done: ${reason}`;
export const undone = (words) => `Undone: ${words}`;
export const notUndone = (reason) => `Not undone: ${reason}`;
export const trashed = (n) => `${pictures(n)} moved to the trash`;
/** Who looks at a collection may have meant to take pictures out of it alone. */
export const trashedHint = (n, isCollection) => `${trashed(n)}${isCollection ? ", out of the whole library" : ""}. Ctrl+Z brings ${n === 1 ? "it" : "them"} back.`;
export const restored = (n) => `${pictures(n)} back in the library`;
export const addedTo = (name) => `Added to ${name}`;
export const removeFrom = (name) => `Remove from ${name}`;
export const removedFrom = (name) => `Removed from ${name}`;

/** "4 stars on 12 pictures" */
export function changed({ rating, status, label, addKeywords = [], removeKeywords = [] }, n) {
  const on = `${n === 1 ? "a picture" : pictures(n)}`;
  if (rating !== undefined) return `${rating ? formatCount(rating, "star") : "no stars"} on ${on}`;
  if (status !== undefined) return `${on} ${MARKS[status] ?? "unmarked"}`;
  if (label !== undefined) return label ? `label ${label} on ${on}` : `no label on ${on}`;
  const parts = [addKeywords.length && `${addKeywords.join(", ")} added`, removeKeywords.length && `${removeKeywords.join(", ")} removed`];
  return `${parts.filter(Boolean).join(", ")}: ${on}`;
}

/** "; 3 pictures have no room for more keywords" */
export const fullOfKeywords = (n) => (n ? `; ${pictures(n)} ${n === 1 ? "has" : "have"} no room for more keywords` : "");

/** "12 pictures accepted" */
export function decided(decision, n, skipped) {
  const words = `${pictures(n)} ${decision === "accept" ? "accepted" : "discarded"}`;
  return skipped ? `${words}; ${pictures(skipped)} awaited no review` : words;
}
