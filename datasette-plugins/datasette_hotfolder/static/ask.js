// Small questions in a dialog: for words, with those that are known offered, or for a yes.

import { element } from "./element.js";
import { throttled } from "./throttle.js";

const ASK_EVERY_MS = 150;

/** Asks for words; `suggest(prefix)` gives those that are known. Null when the dialog is left. */
export function askForWords({ title, label, hint = "", value = "", confirm, suggest = null }) {
  const options = element("datalist", { id: "ask-options" });
  const input = element("input", { class: "field", name: "words", value, "aria-label": label, list: suggest ? options.id : null, autocomplete: "off" });
  if (suggest) {
    const offer = throttled(async () => options.replaceChildren(...(await suggest(input.value)).map((each) => element("option", { value: each }))), ASK_EVERY_MS);
    input.addEventListener("input", offer);
    offer();
  }
  return ask(title, [element("label", {}, element("span", { class: "hint" }, label), input), hint ? element("p", { class: "hint" }, hint) : null, options], confirm, () => input.value.trim());
}

/** Asks before something that cannot be undone; true when it is wanted. */
export async function askForConsent({ title, text, confirm }) {
  return Boolean(await ask(title, [element("p", {}, text)], confirm, () => "yes"));
}

function ask(title, content, confirm, read) {
  return new Promise((resolve) => {
    const leave = element("button", { type: "button", class: "button", click: () => dialog.close() }, "Cancel");
    const send = element("button", { class: "button main" }, confirm);
    const form = element("form", { method: "dialog", class: "ask" }, element("h2", { id: "ask-title" }, title), ...content.filter(Boolean), element("footer", {}, leave, send));
    const dialog = element("dialog", { "aria-labelledby": "ask-title" }, form);
    let given = null;
    form.addEventListener("submit", () => (given = read()));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(given || null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
