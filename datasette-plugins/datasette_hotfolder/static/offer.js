// Buttons that come and go with what is possible.

import { element } from "./element.js";

/** A button for an action; `words` is what it says, `label` what it is called where the words are not enough. */
export function actionButton(action, words, label, act) {
  return element("button", { type: "button", class: "button", "data-action": action, "aria-label": label, title: label, click: () => act(action) }, words);
}

/** Shows of these buttons (by action) the ones that are possible; the focus of one that goes is given to the next. */
export function offer(buttons, possible) {
  const focused = [...buttons.values()].find((button) => button === document.activeElement);
  buttons.forEach((button, action) => (button.hidden = !possible.has(action)));
  if (!focused?.hidden) return;
  const next = [...buttons.values()].find((button) => !button.hidden) ?? focused.closest("li");
  next.focus({ preventScroll: true });
}
