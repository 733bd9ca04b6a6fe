// How many pictures fit the filter: asked anew when somebody has rated.

import { searchFromFilter } from "./filter.js";
import { throttled } from "./throttle.js";

const ASK_EVERY_MS = 1_000;

/** Keeps the counts of a set true while pictures are rated. */
export function followCounts(api, stream, set) {
  const ask = throttled(async () => {
    const { filter } = set;
    const query = new URLSearchParams(searchFromFilter(filter));
    try {
      const counts = await api.get(`/-/api/count?${query}`);
      if (filter === set.filter) set.setCounts(counts);
    } catch {
      // the next rating asks again, and so does the next connection
    }
  }, ASK_EVERY_MS);

  stream.addEventListener("events", ({ detail }) => detail.some(({ topic }) => topic === "rating.changed") && ask());
  stream.addEventListener("connection", ({ detail }) => detail === "connected" && ask());
}
