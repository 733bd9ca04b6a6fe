// The setup page: what was checked, the model files, and every setting in effect.

import { byId, element, setText } from "./element.js";
import { formatCount } from "./format.js";
import { startPage } from "./page.js";
import { toast } from "./toast.js";

const STATE_WORDS = { ok: "ok", warning: "look", failure: "mend" };
const ORDER = ["failure", "warning", "ok"];

const { data, api } = startPage();
let setup = data.setup;

show();
byId("check-again").addEventListener("click", checkAgain);
byId("settings-filter").addEventListener("input", showSettings);

async function checkAgain() {
  const button = byId("check-again");
  button.disabled = true;
  setText(byId("verdict"), "Checking …");
  try {
    setup = await api.get("/-/api/setup");
  } catch (error) {
    toast(error.words, "failure");
  }
  button.disabled = false;
  show();
}

function show() {
  const checks = setup.checks.toSorted((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state));
  byId("checks").replaceChildren(...checks.map(check));
  setText(byId("verdict"), verdict(setup.checks));
  byId("models").replaceChildren(...modelSets());
  showSettings();
}

function check({ name, state, found, hint }) {
  const advice = hint ? element("p", { class: "hint" }, ...withCode(hint)) : null;
  const words = element("div", {}, element("b", {}, name), element("span", { class: "found" }, ...withCode(found)), advice);
  return element("li", { "data-state": state }, element("span", { class: "mark" }, STATE_WORDS[state] ?? state), words);
}

/** What stands between backticks is code. */
function withCode(text) {
  return text.split("`").map((part, place) => (place % 2 ? element("code", {}, part) : part));
}

function verdict(checks) {
  const failures = checks.filter(({ state }) => state === "failure").length;
  const warnings = checks.filter(({ state }) => state === "warning").length;
  const words = [failures && `${failures} to mend`, warnings && `${warnings} to look at`].filter(Boolean);
  return words.join(", ") || "All is well";
}

function modelSets() {
  if (!setup.modelSets.length)
    return [element("p", { class: "hint" }, "No model set is configured.")];
  return setup.modelSets.map(modelSet);
}

function modelSet({ name, files }) {
  const missing = files.filter(({ found }) => !found).length;
  const words = missing ? `${formatCount(missing, "file")} missing` : "complete";
  const title = element("h3", {}, name, element("span", { class: "hint" }, words));
  return element("section", { class: "model-set", "data-complete": missing === 0 }, title, element("ul", {}, ...files.map(modelFile)));
}

function modelFile({ role, path, found }) {
  const mark = element("span", { class: "mark" }, found ? "found" : "missing");
  const words = [element("span", { class: "role" }, role), element("code", { title: path }, path)];
  return element("li", { "data-state": found ? "ok" : "failure" }, mark, ...words);
}

function showSettings() {
  const wanted = byId("settings-filter").value.trim().toLowerCase();
  const fits = ({ key, value, description }) => `${key} ${words(value)} ${description}`.toLowerCase().includes(wanted);
  const shown = setup.settings.filter(fits);
  setText(byId("settings-count"), wanted ? `${shown.length} of ${setup.settings.length}` : "");
  byId("settings").replaceChildren(...shown.map(setting));
}

function setting({ key, value, origin, description }) {
  const cells = [element("code", {}, key), element("code", {}, words(value)), origin, description];
  return element("tr", { "data-origin": origin }, ...cells.map((content) => element("td", {}, content)));
}

function words(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}
