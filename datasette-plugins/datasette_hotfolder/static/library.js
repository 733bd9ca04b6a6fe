// The light table: brings the set of pictures, the grid, the loupe, the panel and the keys together.

import { goToFilter, goToLoupe, leaveLoupe, readAddress, stayInLoupe } from "./address.js";
import { mediaPath } from "./api.js";
import { Arrivals } from "./arrivals.js";
import { followCounts } from "./counts.js";
import { byId, setText } from "./element.js";
import { startEmptyState } from "./empty.js";
import { isEmptyFilter, isSameFilter, normal } from "./filter.js";
import { startFilterBar } from "./filter_bar.js";
import { startFlash } from "./flash.js";
import { formatCount, formatNumber } from "./format.js";
import { Grid } from "./grid.js";
import { Info } from "./info.js";
import { startKeys } from "./keys.js";
import { Loupe } from "./loupe.js";
import { MediaSet } from "./media_set.js";
import { startPage } from "./page.js";
import { startPaging } from "./paging.js";
import { recall, remember } from "./preferences.js";
import { Rating } from "./rating.js";
import { startRenewal } from "./renewal.js";
import { toast } from "./toast.js";

const WIDE_ENOUGH_FOR_INFO_PX = 1_000;
const PAGES_TO_FIND_A_LINK = 10;

const { data, api, stream } = startPage();
const set = new MediaSet(api, data.filter, data.firstPage);
const grid = new Grid(set, () => openLoupe());
const loupe = new Loupe(set);
const rating = new Rating(api, set, data.can.rate);
const info = new Info(api, set, (changes) => change(changes));
const flash = startFlash();
const showFilter = startFilterBar((filter) => choose(filter));

startEmptyState(set, { clear: () => choose(normal({})), retry: () => set.load(set.filter) });
startPaging(set);
new Arrivals(api, stream, set, grid, startRenewal(stream, set, grid, findCurrent));
followCounts(api, stream, set);
startKeys({
  rate: (stars) => change({ rating: stars }),
  pick: () => change({ status: "selected" }),
  reject: () => change({ status: "rejected" }),
  unmark: () => change({ status: null }),
  info: () => toggleInfo(),
  help: () => byId("help").showModal(),
  open: () => openLoupe(),
  close: () => closeLoupe(),
  left: () => go(() => set.move(-1)),
  right: () => go(() => set.move(1)),
  up: () => go(() => set.move(loupe.isOpen ? -1 : -grid.columns)),
  down: () => go(() => set.move(loupe.isOpen ? 1 : grid.columns)),
  first: () => go(() => set.moveTo(0)),
  last: () => go(() => set.moveTo(-1)),
});
listen();
startSize();
toggleInfo(recall("info") === null ? innerWidth >= WIDE_ENOUGH_FOR_INFO_PX : recall("info") === "open");
showFilter(set.filter);
showCounts();
followAddress();

function listen() {
  set.addEventListener("counts", showCounts);
  set.addEventListener("busy", () => (byId("grid").ariaBusy = "true"));
  set.addEventListener("reset", () => (byId("grid").ariaBusy = "false"));
  set.addEventListener("failed", ({ detail }) => toast(detail.words, "failure"));
  set.addEventListener("current", ({ detail }) => loupe.isOpen && detail && stayInLoupe(set.filter, detail.mediaId));
  set.addEventListener("removed", () => set.current || closeLoupe());
  stream.addEventListener("events", ({ detail }) => detail.forEach((event) => event.topic === "rating.changed" && rating.hear(event)));
  stream.addEventListener("connection", ({ detail }) => detail === "connected" && loupe.refresh());
  addEventListener("popstate", followAddress);
  byId("clear-filter").addEventListener("click", () => choose(normal({})));
  byId("info-button").addEventListener("click", () => toggleInfo());
  byId("loupe-info").addEventListener("click", () => toggleInfo());
  byId("help-button").addEventListener("click", () => byId("help").showModal());
  byId("loupe-close").addEventListener("click", closeLoupe);
}

/** Shows what the address asks for: after Back, Forward, a link, and at the start. */
async function followAddress() {
  const { filter, mediaId } = readAddress();
  if (!isSameFilter(filter, set.filter)) {
    showFilter(filter);
    await set.load(filter);
  }
  if (!mediaId) return shutLoupe();
  const media = set.find(mediaId) ?? (await fetchAlone(mediaId));
  if (!media || readAddress().mediaId !== mediaId) return;
  set.setCurrent(media);
  if (!loupe.isOpen) loupe.open();
  if (set.currentPlace < 0) lookForPlace(media);
}

async function fetchAlone(mediaId) {
  try {
    return await api.get(mediaPath(mediaId));
  } catch (error) {
    toast(error.words, "failure");
    shutLoupe();
    leaveLoupe(set.filter);
    return null;
  }
}

/** A linked picture further down gets its place once its page is loaded; those very far down stay alone. */
async function lookForPlace(media) {
  for (let page = 0; page < PAGES_TO_FIND_A_LINK && set.placeOf(media.mediaId) < 0; page++) {
    if (!(await set.loadMore())) return;
  }
  if (set.current?.mediaId === media.mediaId) set.setCurrent(set.current);
}

function openLoupe() {
  if (loupe.isOpen || !set.current) return;
  goToLoupe(set.filter, set.current.mediaId);
  loupe.open();
}

function closeLoupe() {
  if (!loupe.isOpen) return;
  shutLoupe();
  leaveLoupe(set.filter);
}

function shutLoupe() {
  if (!loupe.isOpen) return;
  loupe.close();
  if (set.currentPlace < 0) set.moveTo(0);
  grid.reveal();
  grid.focusCurrent();
}

async function go(move) {
  await move();
  if (loupe.isOpen) return;
  grid.focusCurrent();
  grid.reveal();
}

function change(changes) {
  if (set.current && rating.change(set.current, changes) && loupe.isOpen) flash(changes);
}

/** After all was loaded anew: a picture that lost its place gives way to its neighbour, unless it is looked at in the loupe. */
async function findCurrent() {
  if (!set.current || set.currentPlace >= 0) return;
  if (!loupe.isOpen) return set.moveTo(Math.max(0, set.nearestPlace(set.current)));
  const media = await fetchAlone(set.current.mediaId);
  if (media) set.update(media.mediaId, media);
}

/** A button that vanishes by its own click leaves the focus to the grid. */
async function choose(filter) {
  goToFilter(filter);
  await followAddress();
  const { activeElement } = document;
  if (activeElement === document.body || !activeElement.checkVisibility()) grid.focusCurrent();
}

function toggleInfo(open = !info.isOpen) {
  info.toggle(open);
  remember("info", open ? "open" : "closed");
}

function showCounts() {
  const { total, libraryTotal, filter } = set;
  const words = isEmptyFilter(filter) ? formatCount(libraryTotal, "picture") : `${formatNumber(total)} of ${formatNumber(libraryTotal)}`;
  setText(byId("count"), words);
}

function startSize() {
  const slider = byId("size");
  const apply = () => byId("grid").style.setProperty("--cell", `${slider.value}px`);
  slider.value = recall("size") ?? slider.value;
  slider.addEventListener("input", () => (apply(), grid.reveal()));
  slider.addEventListener("change", () => remember("size", slider.value));
  apply();
}
