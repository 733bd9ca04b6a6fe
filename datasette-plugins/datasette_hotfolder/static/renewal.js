// All that is shown, loaded anew: after more news than can be followed, or when the server no longer knows what is shown.

import { throttled } from "./throttle.js";

const AGAIN_MS = 10_000;
const EVERY_MS = 1_000;

/** Returns the function that loads a set anew; what was looked at stays in sight when it is still there. */
export function startRenewal(stream, set, grid, afterwards) {
  let isDue = false;

  const renew = throttled(async () => {
    isDue = !(await set.reload([set.current, grid.inSight]));
    if (isDue) setTimeout(() => isDue && renew(), AGAIN_MS);
    else await afterwards();
  }, EVERY_MS);

  stream.addEventListener("reset", renew);
  stream.addEventListener("connection", ({ detail }) => detail === "connected" && (isDue || set.isBroken) && renew());
  set.addEventListener("expired", renew);
  return renew;
}
