// Short messages at the edge of the page.

import { byId, element } from "./element.js";

const SHOWN_MS = 6_000;
const AT_MOST = 3;

/** Shows a message for a few seconds; the same message twice is shown once. */
export function toast(words, kind = "info") {
  const list = byId("toasts");
  for (const old of [...list.children]) if (old.textContent === words) old.remove();
  while (list.children.length >= AT_MOST) list.firstElementChild.remove();
  const message = element("p", { class: `toast ${kind}`, click: () => message.remove() }, words);
  list.append(message);
  setTimeout(() => message.remove(), SHOWN_MS);
}
