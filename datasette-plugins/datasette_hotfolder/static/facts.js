// What is known about pictures, as pairs of a name and a text (pure).

import { formatBytes, formatInstant, formatNumber, formatSeconds } from "./format.js";
import { bytesWords, sizeWords, VARIOUS, writtenWords } from "./words_info.js";

const MADE_BY = { procedural: "procedural, no AI model" };
const MODES = { "text-to-image": "text to image", "image-to-image": "image to image", "text-to-video": "text to video", "image-to-video": "image to video" };
const LONGEST_PARAM = 200;
const THIN_SPACE = "\u2009";

/** Facts of the run that made a picture. */
export function generationFacts(generation) {
  const { endpointKey, endpointName, modelName, params, seed, steps, attempts, warnings, owner, preset, jobFile } = generation;
  const { sampling_method: sampler } = params ?? {};
  return present([
    ["Model", modelName ?? endpointName ?? endpointKey],
    ["Endpoint", modelName && endpointName !== modelName ? (endpointName ?? endpointKey) : null],
    ["Mode", MODES[generation.mode] ?? generation.mode],
    ["Seed", seed === null || seed === undefined ? null : seedWords(seed)],
    ["Steps", steps],
    ["Sampler", sampler],
    ["Size", params?.width ? `${params.width} × ${params.height}` : null],
    ...paramFacts(params ?? {}),
    ["Time", durationWords(generation.totalTimeMs)],
    ["Waited", durationWords(generation.queueWaitMs)],
    ["Attempts", attempts > 1 ? attempts : null],
    ["Engine", MADE_BY[generation.engineKind] ?? generation.engineKind],
    ["Model file", generation.modelFile],
    ["Worker", generation.workerId],
    ...(warnings ?? []).map((warning) => ["Warning", warning]),
    ["Owner", owner],
    ["Preset", preset],
    ["Job", jobFile],
  ]);
}

/** Facts of its file. */
export function fileFacts(media) {
  return present([
    ["Name", media.fileName],
    ["Was", media.originalName],
    ["From", media.originalPath],
    ["Folder", folderOf(media.path)],
    ["Size", sizeWords(media.width, media.height)],
    ["Bytes", bytesWords(media.bytes)],
    ["Type", typeWords(media)],
    ["SHA-256", media.sha256],
    ["Arrived", formatInstant(media.createdAt)],
    ["Written", media.sidecar ? writtenWords(media.sidecar) : null],
  ]);
}

/** What several pictures have in common. */
export function commonFacts(pictures) {
  if (!pictures.length) return [];
  const days = pictures.map(({ createdAt }) => createdAt).sort();
  const ends = [...new Set([formatInstant(days[0]), formatInstant(days.at(-1))])];
  return present([
    ["Size", common(pictures.map(({ width, height }) => `${width} × ${height}`))],
    ["Type", common(pictures.map(typeWords))],
    ["Together", formatBytes(pictures.reduce((sum, { bytes }) => sum + bytes, 0))],
    ["Arrived", ends.join(" to ")],
  ]);
}

/** The value that all have, or undefined. */
export function sameOf(pictures, name) {
  const values = new Set(pictures.map((media) => media[name] ?? null));
  return values.size === 1 ? [...values][0] : undefined;
}

/** "421 337", with thin spaces. */
export const seedWords = (seed) => formatNumber(seed).replaceAll(",", THIN_SPACE);

const folderOf = (path) => path?.slice(0, Math.max(0, path.lastIndexOf("/")));

const typeWords = ({ mimeType }) => (mimeType ?? "").replace("image/", "").toUpperCase();

const common = (values) => (new Set(values).size === 1 ? values[0] : VARIOUS);

const durationWords = (ms) => (ms === null || ms === undefined ? null : formatSeconds(ms / 1000));

const SHOWN_ELSEWHERE = new Set(["prompt", "negativePrompt", "seed", "steps", "width", "height", "sampling_method"]);

function paramFacts(params) {
  const plain = Object.entries(params).filter(([name, value]) => !SHOWN_ELSEWHERE.has(name) && value !== null);
  return plain.map(([name, value]) => [asWords(name), asText(value).slice(0, LONGEST_PARAM)]);
}

/** "cfgScale" is "Cfg scale", "flash_attn" is "Flash attn". */
function asWords(name) {
  const words = name.replaceAll("_", " ").replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`).trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const asText = (value) => (typeof value === "object" ? JSON.stringify(value) : value === true ? "yes" : value === false ? "no" : String(value));

function present(pairs) {
  const known = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  return known.map(([name, value]) => [name, String(value)]);
}
