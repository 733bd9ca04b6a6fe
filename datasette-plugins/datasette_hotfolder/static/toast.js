// Short messages at the edge of the page.

import { byId, element } from "./element.js";

const SHOWN_MS = 6_000;
const WITH_A_LINK_MS = 12_000;
const AT_MOST = 3;
const GAP_PX = 12;

/**
 * Shows a message for a few seconds, longer while it is pointed at; the same message twice is shown once. A `link`
 * ({ href, text }) leads to what it is about.
 */
export function toast(words, kind = "info", link = null) {
  const list = byId("toasts");
  for (const old of [...list.children]) if (old.dataset.words === words) old.remove();
  while (list.children.length >= AT_MOST) list.firstElementChild.remove();
  const message = element("p", { class: kind === "info" ? "toast" : `toast ${kind}`, "data-words": words, click: () => message.remove() }, words);
  if (link) message.append(" ", element("a", { class: "toast-link", href: link.href }, link.text));
  list.append(message);
  standAbove(list, ["loupe-review", "selection-bar"].map(byId).find((bar) => bar?.offsetHeight));
  goSoon(message, link ? WITH_A_LINK_MS : SHOWN_MS);
}

/** The buttons of a bar with decisions stay within reach. */
function standAbove(list, bar) {
  list.style.insetBlockEnd = bar ? `${innerHeight - bar.getBoundingClientRect().top + GAP_PX}px` : "";
}

function goSoon(message, shownMs) {
  setTimeout(() => {
    if (message.matches(":hover, :focus-within")) goSoon(message, shownMs);
    else message.remove();
  }, shownMs);
}
