// What the engine does, in words, and as the light that stands for it.

import { formatClock } from "./format.js";

const WORDS = {
  stopped: "Engine stopped",
  starting: "Starting",
  idle: "Engine idle, no model loaded",
  loading: "Loading the model",
  ready: "Ready",
  busy: "Busy",
};

/** Green for ready or busy, yellow for starting or loading, red for an error, grey for the rest. */
const LIGHTS = { ready: "ready", busy: "ready", starting: "starting", loading: "starting", error: "error" };

/** The state that the dot in the status bar shows: `ready`, `starting`, `error` or `stopped`. */
export const engineLight = (engine) => LIGHTS[engine?.state] ?? "stopped";

/** "Busy", or what is wrong and when it is tried again: "The engine did not start: …, tries again at 14:03:12". */
export function engineWords(engine) {
  if (!engine) return "Engine not started yet";
  const { state, problem, retryAt } = engine;
  if (state === "error") return `${sentence(problem ?? "the engine failed")}, ${againWords(retryAt)}`;
  const words = WORDS[state] ?? state;
  return problem ? `${words}: ${problem}` : words;
}

/** "klein-4b, anna": the model set that somebody wants, and who; nothing when nobody ever said. */
export function wantedWords(wanted) {
  return wanted ? `${wanted.modelSet ?? "no model"}, ${wanted.actor}` : "";
}

const againWords = (retryAt) => (retryAt ? `tries again at ${formatClock(retryAt)}` : "starts again when it is needed");
const sentence = (words) => words.charAt(0).toUpperCase() + words.slice(1);
