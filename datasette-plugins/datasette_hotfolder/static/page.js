// What every page starts with: its data, the API, the events and the status bar.

import { Api } from "./api.js";
import { byId } from "./element.js";
import { EndedJobs } from "./ended_jobs.js";
import { EventStream } from "./events.js";
import { retryImages } from "./images.js";
import { StatusBar } from "./status.js";

/** Starts the page and returns what its own script needs. */
export function startPage() {
  const data = JSON.parse(byId("page-data").textContent);
  const api = new Api(data.base);
  const stream = new EventStream(api, data.seq);
  const statusBar = new StatusBar(api, stream, data.status);
  if (data.actor) new EndedJobs(api, stream, statusBar, data.actor);
  stream.addEventListener("connection", ({ detail }) => detail === "connected" && retryImages());
  stream.start();
  return { data, api, stream, statusBar };
}
