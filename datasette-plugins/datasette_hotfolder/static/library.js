// The light table: brings the set of pictures, the grid, the loupe, the panels, the filters and the keys together.

import { Actions } from "./actions.js";
import { goToFilter, goToLoupe, leaveLoupe, readAddress, stayInLoupe } from "./address.js";
import { mediaPath } from "./api.js";
import { Arrivals } from "./arrivals.js";
import { askForConsent, askForWords } from "./ask.js";
import { startCareMenu } from "./care_menu.js";
import { collectionQuestion } from "./collection_question.js";
import { followCounts } from "./counts.js";
import { startCursor } from "./cursor.js";
import { startDragging } from "./dragging.js";
import { byId } from "./element.js";
import { startEmptyState } from "./empty.js";
import { isSameFilter, normal } from "./filter.js";
import { startFilterBar } from "./filter_bar.js";
import { startFlash } from "./flash.js";
import { startGenerate } from "./generate.js";
import { Grid } from "./grid.js";
import { importFiles, startImportDrop } from "./import_drop.js";
import { Info } from "./info.js";
import { startKeys } from "./keys.js";
import { goOnWhereItWas } from "./last_place.js";
import { keepLastView } from "./last_view.js";
import { libraryCommands } from "./library_commands.js";
import { Loupe } from "./loupe.js";
import { reviewButtons } from "./loupe_bar.js";
import { startManualOrder } from "./manual_order.js";
import { MediaSet } from "./media_set.js";
import { startMenu } from "./menu.js";
import { startPage } from "./page.js";
import { pictureMenu } from "./picture_menu.js";
import { recall, remember } from "./preferences.js";
import { Rating } from "./rating.js";
import { startRenewal } from "./renewal.js";
import { Collections } from "./saved_filters.js";
import { Scrubber } from "./scrubber.js";
import { focusSearch } from "./search_box.js";
import { Selection } from "./selection.js";
import { startSelectionBar } from "./selection_bar.js";
import { toast } from "./toast.js";
import { TRASH } from "./words_care.js";
import * as words from "./words_library.js";

const WIDE_ENOUGH_FOR_INFO_PX = 1_000;

const { data, api, stream, statusBar } = startPage();
const { can } = data;
const set = new MediaSet(api, readAddress().filter, data.firstPage);
const selection = new Selection(set);
const grid = new Grid(set, selection, () => openLoupe());
const loupe = new Loupe(set, { api, selection });
const rating = new Rating(api, set, can.rate);
const actions = new Actions({ api, set, selection, rating, can, advance: () => go(() => set.move(1)), isAlone: () => loupe.isOpen });
const collections = new Collections(api, stream);
const askCollection = collectionQuestion(collections, actions);
const context = { data, api, stream, statusBar, set, selection, grid, loupe, actions, can, collections };
const generate = startGenerate(context, byId("generate"));
const hooks = {
  runAgain: (detail) => reuse(detail, () => generate.submit()),
  varySeed: (detail) => reuse({ ...detail, generation: { ...detail.generation, seed: null } }, () => generate.submit()),
  upscale: (media) => submitJob({ task: "upscale", refs: [{ media: media.mediaId }] }),
  useAsReference: (media) => generate.addReference(media),
  reload: (detail) => generate.reload(detail),
};
const info = new Info({ api, set, selection, actions, can, hooks, stream, isAlone: () => loupe.isOpen });
const flash = startFlash();
const showFilter = startFilterBar({
  api,
  stream,
  can,
  collections,
  set,
  choose: (filter) => choose(filter),
  leave: () => grid.focusCurrent(),
  addTo: (collectionId) => actions.addTo(collectionId, collections.find(collectionId)?.name ?? ""),
});
const scrubber = new Scrubber({ api, set, grid });

startEmptyState(set, { clear: () => choose(normal({})), retry: () => set.load(set.filter) });
new Arrivals(api, stream, set, grid, startRenewal(stream, set, grid, findCurrent));
followCounts(api, stream, set);
startCursor({ set, selection, grid }, () => !loupe.isOpen);
startDragging({ set, selection, grid }, byId("grid"));
startManualOrder(context, byId("grid"));
startMenu(byId("grid"), {
  label: words.MENU,
  choose: chooseForMenu,
  items: () => pictureMenu({ ...context, hooks, open: openLoupe, askKeywords, askCollection }),
});
startSelectionBar(context, { askCollection, askKeywords, purge });
if (can.review) reviewButtons(actions, set);
if (can.submit) startImportDrop(context, byId("table"));
startCareMenu(context, { importPictures, showCollections: () => byId("collections-button").click(), choose, open: openOne });
startKeys(libraryCommands({ ...context, info, generate, openLoupe, closeLoupe, toggleInfo, toggleAdvance, isAdvancing, go, focusSearch, importPictures, purge }));
listen();
startSize();
showAdvance();
info.toggle(innerWidth >= WIDE_ENOUGH_FOR_INFO_PX && recall("info") !== "closed"); // on a narrow page it would cover the pictures
showFilter(set.filter);
keepLastView(set, loupe);
followAddress().then(() => goOnWhereItWas(set, grid));

function listen() {
  set.addEventListener("busy", () => (byId("grid").ariaBusy = "true"));
  set.addEventListener("reset", () => (byId("grid").ariaBusy = "false"));
  set.addEventListener("failed", ({ detail }) => toast(detail.words, "failure"));
  set.addEventListener("current", ({ detail }) => loupe.isOpen && detail && stayInLoupe(set.filter, detail.mediaId));
  set.addEventListener("removed", () => set.current || closeLoupe());
  stream.addEventListener("events", ({ detail }) => detail.forEach(hear));
  stream.addEventListener("connection", ({ detail }) => detail === "connected" && loupe.refresh());
  actions.addEventListener("changed", ({ detail }) => (loupe.isOpen ? flash(detail) : grid.reveal()));
  actions.addEventListener("returned", () => loupe.isOpen || grid.reveal());
  addEventListener("popstate", followAddress);
  const click = (id, act) => byId(id)?.addEventListener("click", act);
  click("info-button", () => toggleInfo());
  click("loupe-info", () => toggleInfo());
  click("generate-button", () => generate.toggle());
  click("import-button", importPictures);
  click("advance-button", toggleAdvance);
  click("help-button", () => byId("help").showModal());
  click("loupe-close", closeLoupe);
}

/** What others change: of one picture, or of many at once. */
function hear(event) {
  if (event.topic !== "rating.changed") return;
  if (event.subjectType === "media") rating.hear(event);
  else if (event.data.mediaIds) event.data.mediaIds.forEach((mediaId) => rating.hear({ subjectId: mediaId, data: event.data.changes ?? {} }));
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
  if (set.currentPlace < 0) await set.reload([media]); // a link to a picture further down: its page, too
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

function openLoupe() {
  if (loupe.isOpen || !set.current) return;
  if (set.filter.deleted) return toast(TRASH.restoreFirst, "warning");
  goToLoupe(set.filter, set.current.mediaId);
  loupe.open();
}

/** One picture, wherever it stands: in the loupe. */
function openOne(media) {
  goToLoupe(set.filter, media.mediaId);
  return followAddress();
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
  if (set.current) selection.begin(set.current);
  grid.reveal();
  grid.focusCurrent();
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

/** The menu is for the chosen pictures when the one under the pointer is among them, else for that one. */
function chooseForMenu(target) {
  const media = grid.mediaOf(target);
  if (!media) return false;
  if (!selection.has(media.mediaId)) selection.begin(media);
  set.setCurrent(media);
  return true;
}

async function reuse(detail, then) {
  if (await generate.reload(detail)) await then();
}

async function submitJob(job) {
  try {
    await api.post("/-/api/jobs", job);
    toast(words.QUEUED, "info", { href: "/-/queue", text: words.TO_THE_QUEUE });
  } catch (error) {
    toast(error.words ?? String(error), "failure");
  }
}

let picker; // held here: nothing else holds it while the browser asks for files

function importPictures() {
  if (!can.submit) return toast(words.IMPORT_LOGIN, "warning");
  picker = Object.assign(document.createElement("input"), { type: "file", multiple: true, accept: "image/*" });
  picker.addEventListener("change", () => importFiles(context, [...picker.files]));
  picker.click();
}

async function askKeywords() {
  const suggest = async (text) => {
    const prefix = text.split(",").at(-1).trim();
    const { items } = await api.get(`/-/api/keywords?limit=12&prefix=${encodeURIComponent(prefix)}`);
    const before = text.slice(0, text.length - text.split(",").at(-1).length);
    return items.map(({ keyword }) => (before ? `${before} ${keyword}` : keyword));
  };
  const text = await askForWords({ ...words.ADD_KEYWORDS, suggest });
  const list = (text ?? "").split(",").map((each) => each.trim()).filter(Boolean);
  const add = list.filter((each) => !each.startsWith("-"));
  const remove = list.filter((each) => each.startsWith("-")).map((each) => each.slice(1).trim());
  if (add.length + remove.length) actions.changeKeywords({ add, remove });
}

async function purge() {
  if (!(await askForConsent(words.purgeQuestion(selection.size || 1)))) return;
  try {
    await api.post("/-/api/trash/purge", selection.target());
    selection.clear();
    await set.reload();
  } catch (error) {
    toast(error.words ?? String(error), "failure");
  }
}

function toggleInfo(open = !info.isOpen) {
  info.toggle(open);
  if (innerWidth >= WIDE_ENOUGH_FOR_INFO_PX) remember("info", open ? "open" : "closed");
}

function isAdvancing() {
  return recall("advance") === "on";
}

function toggleAdvance() {
  remember("advance", isAdvancing() ? "off" : "on");
  showAdvance();
  toast(isAdvancing() ? words.ADVANCES : words.STAYS);
}

function showAdvance() {
  byId("advance-button")?.setAttribute("aria-pressed", isAdvancing());
}

function startSize() {
  const slider = byId("size");
  slider.value = recall("size") ?? slider.value;
  slider.addEventListener("input", () => grid.setCellSize(Number(slider.value)));
  slider.addEventListener("change", () => remember("size", slider.value));
  grid.setCellSize(Number(slider.value));
}

export { scrubber };
