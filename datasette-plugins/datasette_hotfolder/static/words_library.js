// What the light table says.

import { formatCount } from "./format.js";

export const MENU = "What to do with the picture";
export const OPEN = "Open in the loupe";
export const DOWNLOAD = "Download";
export const UNMARK = "Neither";
export const RELOAD = "Into the form";
export const USE_AS_REFERENCE = "Use as reference";
export const UPSCALE = "Upscale";
export const QUEUED = "Queued.";
export const TO_THE_QUEUE = "Queue";
export const IMPORT_LOGIN = "This needs a login with the scope “submit”.";
export const ADVANCES = "Each mark goes on to the next picture.";
export const STAYS = "A mark stays at its picture.";
export const ADD_KEYWORDS = { title: "Keywords", label: "Keywords, with commas between them", hint: "A minus before a keyword takes it away.", confirm: "Set" };
export const ADD_TO = { title: "Add to a collection", label: "Name of the collection", hint: "A new name makes a new collection.", confirm: "Add" };

export const starWords = (stars) => (stars ? "★".repeat(stars) : "No stars");
export const purgeQuestion = (n) => ({
  title: "Delete for good",
  text: `${formatCount(n, "picture")} and all files that belong to ${n === 1 ? "it" : "them"} will be gone. This cannot be undone.`,
  confirm: "Delete",
});
