// What is remembered of how somebody works: by the server for those who are logged in, else by this browser.

const PREFIX = "hotfolder.";
const SAVE_AFTER_MS = 800;

let known = {};
let unsaved = {};
let save = null;
let timer = null;

/** Begins with what the server remembers; `send(preferences)` keeps what changes, and is null for visitors. */
export function startPreferences(preferences, send) {
  known = { ...preferences };
  save = send;
  addEventListener("pagehide", flush);
}

/** A remembered text, or null; a browser that remembers nothing is no error. */
export function recall(name) {
  if (typeof known[name] === "string") return known[name];
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function remember(name, value) {
  known[name] = String(value);
  unsaved[name] = String(value);
  clearTimeout(timer);
  if (save) timer = setTimeout(flush, SAVE_AFTER_MS);
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // private windows may refuse
  }
}

/** Sends at once what was remembered; what could not be sent is sent with the next change. */
export async function flush() {
  clearTimeout(timer);
  const sent = unsaved;
  if (!save || !Object.keys(sent).length) return;
  unsaved = {};
  try {
    await save(sent);
  } catch {
    unsaved = { ...sent, ...unsaved };
  }
}
