// Asks for a name.

import { ApiError } from "./api.js";
import { element } from "./element.js";
import { COLLECTIONS } from "./words_filter.js";

const LONGEST = 200;

/** Opens a dialog; `save(name)` is called with what was typed, and its failure is shown beside the field. */
export function askName({ title, hint = null, value = "", save }) {
  const input = element("input", { class: "field", type: "text", "aria-label": COLLECTIONS.name, maxlength: LONGEST, required: true, autocomplete: "off", value });
  const failure = element("p", { class: "failure", role: "alert" });
  const cancel = element("button", { type: "button", class: "button", click: () => dialog.close() }, COLLECTIONS.cancel);
  const keep = element("button", { class: "button main" }, COLLECTIONS.keep);
  const form = element("form", {}, input, failure, cancel, keep);
  const dialog = element("dialog", { class: "name-dialog", "aria-label": title, close: () => dialog.remove() }, element("h2", {}, title), hint && element("p", { class: "hint" }, hint), form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    keep.disabled = true;
    failure.textContent = await failureOf(() => save(input.value.trim()));
    keep.disabled = false;
    if (!failure.textContent) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  input.select();
}

async function failureOf(act) {
  try {
    await act();
    return "";
  } catch (error) {
    if (error instanceof ApiError) return error.words;
    throw error;
  }
}
