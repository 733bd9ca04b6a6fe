// A job as the text of a job file (pure), and what is done with that text.

import { element } from "./element.js";

const PLAIN = /^[A-Za-z][A-Za-z0-9 ._/-]*$/;
const SPECIAL = new Set(["true", "false", "null", "yes", "no", "on", "off", "y", "n"]);

export const jobAsJson = (job) => `${JSON.stringify(job, null, 2)}\n`;

export const jobAsYaml = (job) => `${lines(job, "").join("\n")}\n`;

function lines(value, indent) {
  if (Array.isArray(value)) return value.map((item) => `${indent}- ${inline(item)}`);
  return Object.entries(value).flatMap(([key, item]) => entry(key, item, indent));
}

/** Mappings and lists of them go below their key; short lists stand beside it. */
function entry(key, value, indent) {
  const name = `${indent}${scalar(key)}:`;
  if (typeof value !== "object" || value === null) return [`${name} ${scalar(value)}`];
  const isShort = Array.isArray(value) && value.every((item) => typeof item !== "object");
  return isShort || !Object.keys(value).length ? [`${name} ${inline(value)}`] : [name, ...lines(value, `${indent}  `)];
}

function inline(value) {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return scalar(value);
  return `{${Object.entries(value).map(([key, item]) => `${scalar(key)}: ${inline(item)}`).join(", ")}}`;
}

/** Text in quotes unless it is plainly text; JSON's quotes are YAML's. */
function scalar(value) {
  if (typeof value !== "string") return JSON.stringify(value);
  const isPlain = PLAIN.test(value) && !SPECIAL.has(value.toLowerCase()) && value === value.trim();
  return isPlain ? value : JSON.stringify(value);
}

/** "lighthouse-at-dusk.yaml" for a title or prompt. */
export function jobFileName(words, ending) {
  const plain = words.normalize("NFKD").toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 40);
  return `${plain.replace(/^-|-$/g, "") || "job"}.${ending}`;
}

/** Has the browser save a text as a file. */
export function saveText(text, name) {
  const href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  element("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

/** Puts a text into the clipboard; plain http has no other way than a selection. Resolves to whether that worked. */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copySelected(text);
  }
}

function copySelected(text) {
  const focused = document.activeElement;
  const area = element("textarea", { class: "unseen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const isCopied = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return isCopied;
}
