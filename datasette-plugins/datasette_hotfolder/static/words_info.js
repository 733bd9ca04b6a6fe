// What the panel says.

import { formatBytes, formatCount, formatNumber } from "./format.js";

export const TOOLS = { runAgain: "Run again", varySeed: "Vary seed", upscale: "Upscale", useAsReference: "Use as reference", reload: "Edit in Generate" };
export const TOOL_TITLES = {
  runAgain: "The same picture once more: same prompt, same seed",
  varySeed: "The same prompt with another seed",
  upscale: "Make it larger",
  useAsReference: "Make new pictures from it",
  reload: "Take its parameters over into the form",
};
export const MAY_NOT_SUBMIT = "You are only looking. To generate, log in with the scope submit: hotfolder login";
export const NO_GENERATION = "It was not generated here";
export const AWAITS_DETAILS = "Its facts are being loaded";

export const COPY = { label: "Copy", prompt: "prompt", seed: "seed", yaml: "job YAML", json: "job JSON" };
export const COPY_TITLES = { prompt: "Copy the prompt", seed: "Copy the seed", yaml: "Copy a job file that makes this picture again, as YAML", json: "Copy a job file that makes this picture again, as JSON" };
export const copiedWords = (what) => `Copied: ${what}.`;

export const LABELS = [["red", "Red", "6"], ["yellow", "Yellow", "7"], ["green", "Green", "8"], ["blue", "Blue", "9"], ["purple", "Purple", null]];
export const PICKS = [["selected", "Pick", "P"], ["rejected", "Reject", "X"]];
export const starWords = (stars) => formatCount(stars, "star");
export const keyed = (words, key) => (key ? `${words} (${key})` : words);

export const KEYWORDS = { title: "Keywords", add: "Add a keyword", addAll: "Add a keyword to all", take: "Remove", none: "No keywords", takeTitle: "Take the keyword typed here from all of them", dropped: "The keyword was not added: another picture is shown now." };
export const removeWords = (keyword) => `Remove the keyword ${keyword}`;

export const EMPTY = { delivered: "Nothing was delivered yet.", history: "Nobody has rated or named it yet." };
export const SIDECAR = { loading: "Loading …", json: "Show .json", xmp: "Show .xmp", none: "This sidecar is no longer there.", failed: "The server cannot be reached." };
export const LINEAGE = "Lineage";
export const SOURCE_GONE = "no longer in the library";
export const DELIVERY = { result: "Result file" };

export const severalWords = (count) => formatCount(count, "picture");
export const VARIOUS = "various";

/** "embedded + .json + .xmp", or what there is of it. */
export function writtenWords({ embedded, json, xmp }) {
  return [embedded && "embedded", json && ".json", xmp && ".xmp"].filter(Boolean).join(" + ") || "nothing";
}

/** "96 × 64, 0.01 MP". */
export function sizeWords(width, height) {
  const megapixels = (width * height) / 1e6;
  const digits = megapixels < 0.1 ? 3 : megapixels < 10 ? 1 : 0;
  return `${width} × ${height}, ${megapixels.toFixed(digits)} MP`;
}

/** "1.6 MB (1,612,345 bytes)". */
export const bytesWords = (bytes) => (bytes < 1000 ? formatBytes(bytes) : `${formatBytes(bytes)} (${formatNumber(bytes)} bytes)`);

/** What somebody did: "rated it 4 stars", "named it “Lighthouse”", "added bay". */
export function changeWords({ field, oldValue, newValue }) {
  const say = CHANGES[field] ?? (() => `changed ${field}`);
  return say(newValue, oldValue);
}

const CHANGES = {
  rating: (value) => (value ? `rated it ${starWords(value)}` : "took the stars away"),
  status: (value) => ({ selected: "picked it", rejected: "rejected it" })[value] ?? "took the mark away",
  label: (value) => (value ? `labelled it ${value}` : "took the label away"),
  title: (value) => (value ? `named it “${value}”` : "took the title away"),
  description: (value) => (value ? "described it" : "took the description away"),
  keywords: keywordWords,
};

function keywordWords(now, before) {
  const [added, removed] = [minus(now ?? [], before ?? []), minus(before ?? [], now ?? [])];
  return [added.length && `added ${added.join(", ")}`, removed.length && `removed ${removed.join(", ")}`].filter(Boolean).join("; ");
}

const minus = (some, others) => some.filter((each) => !others.includes(each));
