// Pictures that leave the page at once, before the server has agreed, and come back to where they stood.

/** Takes pictures out of a set, the current one last. Gives what puts them back: the cursor, too, if it only went on by itself, or `always`. */
export function takeAway(set, mediaIds) {
  const { current } = set;
  const hasCurrent = mediaIds.includes(current?.mediaId);
  mediaIds.filter((mediaId) => mediaId !== current?.mediaId).forEach((mediaId) => set.remove(mediaId));
  if (hasCurrent) set.remove(current.mediaId);
  const next = set.current;

  return async ({ always = false } = {}) => {
    const goesBack = hasCurrent && (always || !next || set.current === next);
    const back = mediaIds.map((mediaId) => set.putBack(mediaId));
    if (!back.every(Boolean)) await set.reload([goesBack ? current : set.current]);
    const media = goesBack && set.find(current.mediaId);
    if (media && set.placeOf(media.mediaId) >= 0) set.setCurrent(media);
  };
}
