// What this browser remembers: how large the thumbnails are and whether the panel is open.

const PREFIX = "hotfolder.";

/** A remembered text, or null; a browser that remembers nothing is no error. */
export function recall(name) {
  try {
    return localStorage.getItem(PREFIX + name);
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    localStorage.setItem(PREFIX + name, value);
  } catch {
    // private windows may refuse
  }
}
