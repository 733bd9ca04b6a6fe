// The view somebody left the library at: the ways back from the other pages, and the server's bare address, lead there.

import { wayBackTo } from "./address.js";
import { flush, recall, remember } from "./preferences.js";

const NAME = "view";

/** Remembers, whenever the page is left, what it shows; what awaits a review and the trash have ways of their own. */
export function keepLastView(set, loupe) {
  addEventListener("pagehide", keep);
  document.addEventListener("visibilitychange", () => document.hidden && keep());

  function keep() {
    const { deleted, review } = set.filter;
    if (deleted || review === "awaiting") return;
    const mediaId = loupe.isOpen || set.currentPlace > 0 ? set.current?.mediaId : null; // the first needs no mention
    const view = wayBackTo(set.filter, mediaId, loupe.isOpen);
    if (view === (lastHere() ?? recall(NAME) ?? "")) return;
    try {
      sessionStorage.setItem(NAME, view);
    } catch {
      // private windows may refuse
    }
    remember(NAME, view);
    flush();
  }
}

/** Lets links to the library lead to where this tab left it, else to where its user did last. */
export function leadToLastView(links) {
  const view = lastHere() ?? recall(NAME);
  if (view) for (const link of links) link.href += view;
}

function lastHere() {
  try {
    return sessionStorage.getItem(NAME);
  } catch {
    return null;
  }
}
