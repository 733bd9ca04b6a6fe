// What this browser alone keeps: what stands in a form, and what was sent without an answer.

const PREFIX = "hotfolder.";

/** A kept value, or null; a browser that keeps nothing is no error. */
export function loadKept(name) {
  try {
    return JSON.parse(localStorage.getItem(PREFIX + name));
  } catch {
    return null;
  }
}

/** Keeps a value that can be written as JSON. */
export function keep(name, value) {
  try {
    localStorage.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // private windows may refuse, and what is full stays as it was
  }
}
