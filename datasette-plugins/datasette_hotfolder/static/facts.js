// What is known about a picture, as sections of named facts (pure).

import { formatBytes, formatInstant, formatSeconds } from "./format.js";

const MADE_BY = { procedural: "procedural, no AI model" };
const LONGEST_PARAM = 200;

/** Facts of the picture itself: pairs of name and text. */
export function pictureFacts(media) {
  return present([
    ["Size", `${media.width} × ${media.height}`],
    ["Type", `${(media.mimeType ?? "").replace("image/", "").toUpperCase()}, ${formatBytes(media.bytes)}`],
    ["Arrived", formatInstant(media.createdAt)],
    ["Label", media.label],
  ]);
}

/** Facts of the run that made it. */
export function generationFacts(generation) {
  const { endpointKey, seed, steps, totalTimeMs, engineKind, jobFile } = generation;
  return present([
    ["Model", endpointKey],
    ["Seed", seed],
    ["Steps", steps],
    ...paramFacts(generation.params ?? {}),
    ["Time", totalTimeMs === null || totalTimeMs === undefined ? null : formatSeconds(totalTimeMs / 1000)],
    ["Engine", MADE_BY[engineKind] ?? engineKind],
    ["Job", jobFile],
  ]);
}

/** Facts of its file. */
export function fileFacts(media) {
  return present([
    ["Name", media.fileName],
    ["Was", media.originalName],
    ["From", media.originalPath],
    ["Path", media.path],
    ["SHA-256", media.sha256?.slice(0, 16)],
  ]);
}

const SHOWN_ELSEWHERE = new Set(["prompt", "negativePrompt", "seed", "steps", "width", "height"]);

function paramFacts(params) {
  const plain = Object.entries(params).filter(([name, value]) => !SHOWN_ELSEWHERE.has(name) && value !== null);
  return plain.map(([name, value]) => [asWords(name), asText(value).slice(0, LONGEST_PARAM)]);
}

/** "cfgScale" is "Cfg scale". */
function asWords(name) {
  const words = name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const asText = (value) => (typeof value === "object" ? JSON.stringify(value) : String(value));

function present(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return known.map(([name, value]) => [name, String(value)]);
}
