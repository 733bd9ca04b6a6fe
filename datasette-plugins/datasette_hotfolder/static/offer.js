// Buttons that come and go with what is possible.

import { element } from "./element.js";

const REST_MS = 600; // the second half of a double press comes within this time

/** A button for an action; `words` is what it says, `label` what it is called where the words are not enough. */
export function actionButton(action, words, label, act) {
  return button(action, words, label, ({ detail }) => detail <= 1 && act(action)); // more is a double click
}

/** The same for a step of a number: of quick clicks each counts. */
export function stepButton(action, words, label, act) {
  return button(action, words, label, () => act(action));
}

/** An action of a row, once at a time: what is pressed while it is on its way, or just after it, was meant for it. */
export function oneAtATime(findRow, act) {
  return async (...args) => {
    const row = findRow();
    if (row.ariaBusy === "true") return;
    row.ariaBusy = "true";
    try {
      await act(...args);
    } finally {
      setTimeout(() => (row.ariaBusy = "false"), REST_MS);
    }
  };
}

/** Shows of these buttons (by action) the ones that are possible; one that goes leaves the focus to its row, not to its opposite. */
export function offer(buttons, possible) {
  const focused = [...buttons.values()].find((each) => each === document.activeElement);
  buttons.forEach((each, action) => (each.hidden = !possible.has(action)));
  if (focused?.hidden) focused.closest("li").focus({ preventScroll: true });
}

/** A key that is held down presses once. */
function button(action, words, label, click) {
  const keydown = (event) => event.repeat && event.key === "Enter" && event.preventDefault();
  return element("button", { type: "button", class: "button", "data-action": action, "aria-label": label, title: label, click, keydown }, words);
}
