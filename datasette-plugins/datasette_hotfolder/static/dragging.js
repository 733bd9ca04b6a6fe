// What is dragged out of the grid: the picture under the pointer, or all that is chosen with it.

import { element } from "./element.js";
import { draggedWords } from "./words_grid.js";

export const MEDIA_TYPE = "application/x-hotfolder-media";
const MOST = 64;

/** Makes the pictures of a grid draggable. */
export function startDragging({ set, selection, grid }, root) {
  root.addEventListener("dragstart", ({ target, dataTransfer }) => {
    const media = grid.mediaOf(target);
    if (!media) return;
    const ids = selection.has(media.mediaId) ? chosenWith(media) : [media.mediaId];
    dataTransfer.effectAllowed = "copy";
    dataTransfer.setData(MEDIA_TYPE, JSON.stringify(ids));
    showImage(dataTransfer, media, ids.length);
  });

  /** The dragged one first; of all of a filter those next to it that are loaded. */
  function chosenWith({ mediaId }) {
    const ids = selection.isAll ? loadedAround(set.placeOf(mediaId)) : selection.ids();
    return [...new Set([mediaId, ...ids])].slice(0, MOST);
  }

  function loadedAround(place) {
    const places = Array.from({ length: MOST }, (_, index) => place + index);
    return places.map((each) => set.at(each)?.mediaId).filter((mediaId) => mediaId && selection.has(mediaId));
  }
}

/** The browser takes its picture of an element at once; then that can go. */
function showImage(dataTransfer, media, count) {
  const words = count > 1 ? element("span", { class: "badge" }, draggedWords(count)) : null;
  const shown = element("div", { class: "dragged" }, element("img", { src: media.thumbnailUrl, alt: "" }), words);
  document.body.append(shown);
  dataTransfer.setDragImage(shown, 48, 48);
  setTimeout(() => shown.remove());
}
