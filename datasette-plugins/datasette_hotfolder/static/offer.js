// Buttons that come and go with what is possible.

import { element } from "./element.js";

/** A button for an action; `words` is what it says, `label` what it is called where the words are not enough. */
export function actionButton(action, words, label, act) {
  return element("button", { type: "button", class: "button", "data-action": action, "aria-label": label, title: label, click: () => act(action) }, words);
}

/** Shows of these buttons (by action) the ones that are possible; one that goes gives the focus to the next. */
export function offer(buttons, possible) {
  const all = [...buttons.values()];
  const place = all.indexOf(document.activeElement);
  buttons.forEach((button, action) => (button.hidden = !possible.has(action)));
  if (!all[place]?.hidden) return;
  const next = [...all.slice(place), ...all].find((button) => !button.hidden) ?? all[place].closest("li");
  next.focus({ preventScroll: true });
}
