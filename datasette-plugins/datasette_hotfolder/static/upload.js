// Sends files to the server, and tells how far each is.

import { ApiError } from "./api.js";

const KNOWN_EVERY_MS = 400;
const KNOWN_LOOKS = 100;
const UNREACHABLE = { code: "network", message: "The server cannot be reached." };

/** Sends one file; gives {sha256, name, bytes}. `progress` is called with the part that is sent, 0 to 1. */
export function upload(base, file, progress = () => {}) {
  const { promise, resolve, reject } = Promise.withResolvers();
  const request = new XMLHttpRequest(); // fetch tells nothing of what is sent
  request.open("POST", `${base}/-/api/upload?name=${encodeURIComponent(file.name)}`);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.upload.addEventListener("progress", ({ loaded, total }) => progress(total ? loaded / total : 0));
  request.addEventListener("error", () => reject(new ApiError(0, UNREACHABLE)));
  request.addEventListener("load", () => {
    const content = parse(request.responseText);
    if (request.status < 300 && content) resolve(content);
    else reject(new ApiError(request.status, content?.error ?? {}, Number(request.getResponseHeader("Retry-After"))));
  });
  request.send(file);
  return promise;
}

/** Resolves once jobs may name this content, or when that takes too long: what was sent is imported first. */
export async function untilKnown(api, sha256, endpointKey) {
  const job = { endpointKey, params: {}, refs: [{ sha256 }] };
  const isUnknown = ({ path }) => path?.startsWith("refs");
  for (let look = 0; look < KNOWN_LOOKS; look++) {
    const { problems } = await api.post("/-/api/jobs/check", job);
    if (!problems.some(isUnknown)) return;
    await new Promise((resolve) => setTimeout(resolve, KNOWN_EVERY_MS));
  }
}

/** The files of a drop, and whether there were folders, which cannot be sent. */
export function droppedFiles(transfer) {
  const items = [...transfer.items].filter(({ kind }) => kind === "file");
  const isFolder = (item) => item.webkitGetAsEntry?.()?.isDirectory ?? false;
  const files = items.filter((item) => !isFolder(item)).map((item) => item.getAsFile());
  return { files: files.filter(Boolean), hasFolders: items.some(isFolder) };
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
