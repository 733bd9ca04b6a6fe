// What the form says of the job itself: title, keywords, when, and who looks at its pictures.

import { byId } from "./element.js";

const TEXTS = { title: "generate-title", collection: "generate-collection" };

/** The keys of a job file that are set. */
export function readAbout() {
  const texts = Object.entries(TEXTS).map(([key, id]) => [key, byId(id).value.trim()]);
  const keywords = byId("generate-keywords").value.split(",").map((each) => each.trim()).filter(Boolean);
  const priority = byId("generate-priority").value;
  const about = {
    ...Object.fromEntries(texts),
    keywords: keywords.length ? keywords : null,
    priority: priority === "" || Number(priority) === 0 ? null : Number(priority),
    notBefore: asInstant(byId("generate-not-before").value),
    review: byId("generate-review").checked || null,
  };
  return Object.fromEntries(Object.entries(about).filter(([, value]) => value !== null && value !== ""));
}

export function writeAbout({ keywords, priority, notBefore, review, ...texts }) {
  for (const [key, id] of Object.entries(TEXTS)) byId(id).value = texts[key] ?? "";
  byId("generate-keywords").value = (keywords ?? []).join(", ");
  byId("generate-priority").value = priority ?? "";
  byId("generate-not-before").value = notBefore ? asLocal(notBefore) : "";
  byId("generate-review").checked = review === true;
}

/** Only names, for the line that says what is set. */
export function aboutWords(about) {
  const names = { title: "title", keywords: "keywords", collection: "collection", priority: `priority ${about.priority}`, notBefore: "later", review: "review" };
  return Object.keys(about).map((key) => names[key]).join(", ");
}

/** The control speaks of this place's time; job files name the zone. */
function asInstant(local) {
  const instant = new Date(local);
  return local && !Number.isNaN(instant.getTime()) ? instant.toISOString() : null;
}

function asLocal(iso) {
  const instant = new Date(iso);
  if (Number.isNaN(instant.getTime())) return "";
  return new Date(instant.getTime() - 60_000 * instant.getTimezoneOffset()).toISOString().slice(0, 16);
}
