// Loads the next page before the end of the grid comes into sight.

import { byId, element } from "./element.js";

const AHEAD_PX = 1_600;

/** Watches the foot of the grid; after a failure a button asks again. */
export function startPaging(set) {
  const foot = byId("more");
  const watcher = new IntersectionObserver((entries) => entries.at(-1).isIntersecting && load(), {
    root: byId("scroller"),
    rootMargin: `${AHEAD_PX}px 0px`,
  });
  const again = element("button", { type: "button", class: "button", click: () => load() }, "Load more pictures");

  async function load() {
    if (set.isLoading || !set.hasMore) return;
    foot.replaceChildren();
    const came = await set.loadMore();
    if (!came && set.error) foot.replaceChildren(again);
  }

  /** An observer tells of a change only; after new rows it has to look anew. */
  function look() {
    watcher.unobserve(foot);
    watcher.observe(foot);
  }

  set.addEventListener("appended", look);
  set.addEventListener("reset", () => {
    foot.replaceChildren();
    look();
  });
  look();
}
