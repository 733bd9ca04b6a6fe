// What every page starts with: its data, the API, the events, the status bar, what is remembered.

import { Api } from "./api.js";
import { byId, setText } from "./element.js";
import { EventStream } from "./events.js";
import { retryImages } from "./images.js";
import { leadToLastView } from "./last_view.js";
import { startPreferences } from "./preferences.js";
import { StatusBar } from "./status.js";
import { startTheme } from "./theme.js";

/** Starts the page and returns what its own script needs. */
export function startPage() {
  const data = JSON.parse(byId("page-data").textContent);
  const api = new Api(data.base);
  const send = data.actor ? (preferences) => api.post("/-/api/preferences", { preferences }) : null;
  startPreferences(data.preferences ?? {}, send);
  leadToLastView(document.querySelectorAll("a.to-library"));
  startTheme();
  document.querySelector(".topbar [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" }); // on a phone the bar is wider
  const stream = new EventStream(api, data.seq);
  const statusBar = new StatusBar(api, stream, data.status, data.actor);
  statusBar.addEventListener("status", ({ detail }) => showAwaiting(detail.review?.awaiting ?? 0));
  stream.addEventListener("connection", ({ detail }) => detail === "connected" && retryImages());
  stream.start();
  return { data, api, stream, statusBar };
}

/** How many pictures wait for a review, beside the way to them. */
function showAwaiting(n) {
  const badge = byId("awaiting");
  if (!badge) return;
  badge.hidden = !n;
  setText(badge, String(n));
}
