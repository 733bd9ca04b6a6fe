// Goes on at the picture where somebody was when the page was loaded again, or left and come back to.

import { forgetPicture, readPicture } from "./address.js";

/** Finds the picture of this step of the history, or of the link that led here, in a set; the address keeps the rest. */
export async function goOnWhereItWas(set, grid) {
  addEventListener("pagehide", () => history.replaceState({ ...history.state, current: set.current?.mediaId }, ""));
  const mediaId = history.state?.current ?? readPicture();
  forgetPicture();
  if (!mediaId || mediaId === set.current?.mediaId) return;
  if (set.placeOf(mediaId) < 0) await set.reload([{ mediaId }]);
  if (set.placeOf(mediaId) < 0) return;
  set.setCurrent(set.find(mediaId));
  grid.reveal();
}
