// The order of a collection made by hand: pictures are dragged to another place, or moved there with Alt and the arrows.

import { MEDIA_TYPE } from "./dragging.js";
import { toast } from "./toast.js";
import { placeAfter } from "./steps.js";
import { TOO_FAR } from "./words_actions.js";

const MOST = 2_000; // places that one move may change
const LINE = "0 0 0 var(--accent)";

/** Lets the pictures of a grid be moved while they stand in the order of their collection. */
export function startManualOrder({ set, selection, grid, actions, can }, root) {
  const mayOrder = () => can.rate && set.filter.sort === "manual";
  let line = null; // the cell beside which the pictures would go

  /** The place between two pictures that the pointer means: that of the one behind it. */
  function placeAt({ target, clientX }) {
    const media = grid.mediaOf(target);
    const { left, width } = (media ? target.closest(".cell") : root).getBoundingClientRect();
    return media ? set.placeOf(media.mediaId) + (clientX > left + width / 2 ? 1 : 0) : set.length;
  }

  function show(place) {
    hide();
    const isEnd = place >= set.length;
    line = grid.cellOf(set.at(isEnd ? place - 1 : place)?.mediaId);
    if (line) line.style.boxShadow = `${isEnd ? 4 : -4}px ${LINE}`;
  }

  function hide() {
    if (line) line.style.boxShadow = "";
    line = null;
  }

  /** Puts pictures before what stands at a place; those between there and where they were give way. */
  async function move(mediaIds, to) {
    const places = mediaIds.map((mediaId) => set.placeOf(mediaId)).filter((place) => place >= 0);
    if (!places.length) return;
    const [first, last] = [Math.min(to, ...places), Math.max(to - 1, ...places)];
    if (last - first >= MOST) return toast(TOO_FAR, "warning");
    const moved = new Set(mediaIds);
    const before = await idsBetween(first, last);
    const others = (ids) => ids.filter((mediaId) => !moved.has(mediaId));
    const after = [...others(before.slice(0, to - first)), ...before.filter((each) => moved.has(each)), ...others(before.slice(to - first))];
    if (after.some((mediaId, index) => mediaId !== before[index])) await actions.order(set.filter.collection, before, after);
  }

  async function idsBetween(first, last) {
    const ids = [];
    for (let place = first; place <= last; place++) ids.push((await set.fetch(place))?.mediaId);
    return ids.filter(Boolean);
  }

  function step({ key }) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -grid.columns, ArrowDown: grid.columns };
    const places = selection.ids().map((mediaId) => set.placeOf(mediaId));
    const edge = steps[key] < 0 ? Math.min(...places) : Math.max(...places);
    const to = placeAfter(edge, steps[key], set.length - 1);
    return to === edge ? null : move(selection.ids(), to + (steps[key] > 0 ? 1 : 0));
  }

  const isOurs = ({ dataTransfer }) => mayOrder() && dataTransfer.types.includes(MEDIA_TYPE);
  root.addEventListener("dragover", (event) => isOurs(event) && (event.preventDefault(), show(placeAt(event))));
  root.addEventListener("dragleave", hide);
  document.addEventListener("dragend", hide);
  root.addEventListener("drop", (event) => {
    hide();
    if (!isOurs(event)) return;
    event.preventDefault();
    event.stopPropagation();
    move(JSON.parse(event.dataTransfer.getData(MEDIA_TYPE)), placeAt(event));
  });
  root.addEventListener("keydown", (event) => {
    if (!event.altKey || !event.key.startsWith("Arrow") || !mayOrder()) return;
    event.preventDefault();
    step(event);
  });
}
