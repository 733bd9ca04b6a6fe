// The lineage page: sources on the left, the picture, and what was made of it on the right.

import { byId, element, setText } from "./element.js";
import { columnsOf } from "./lineage_order.js";
import { LineageLines } from "./lineage_lines.js";
import { startPage } from "./page.js";
import { throttled } from "./throttle.js";
import { toast } from "./toast.js";
import { cardWords, countWords, CUT, EMPTY, EMPTY_MORE, FAILED, GONE, LOADING, levelWords, modeWords, UNNAMED } from "./words_lineage.js";

const MANY = 8; // more than these in a column stand in several, and smaller
const ASK_EVERY_MS = 2_000;

const { data, api, stream } = startPage();
const renew = throttled(ask, ASK_EVERY_MS);
const graph = byId("graph");
const lines = new LineageLines(graph);
const { mediaId } = data;
let shown = null;

begin();
stream.addEventListener("events", ({ detail }) => detail.some(({ topic }) => topic === "library.updated") && renew());
stream.addEventListener("reset", () => renew());

async function begin() {
  setText(byId("lineage-counts"), LOADING);
  await ask();
  if (shown) graph.querySelector("[aria-current]").scrollIntoView({ block: "center", inline: "center" });
  else setText(byId("lineage-counts"), FAILED);
}

function show(lineage) {
  shown = lineage;
  const { pictures, links, isCut } = lineage;
  const own = pictures.find(({ key }) => key === mediaId);
  setText(byId("lineage-title"), nameOf(own));
  setText(byId("lineage-counts"), countWords(pictures.length - 1));
  byId("lineage-open").href = `${data.base}/-/library#${encodeURIComponent(mediaId)}`;
  setText(byId("lineage-cut"), isCut ? CUT : "");
  byId("lineage-cut").hidden = !isCut;
  showEmpty(pictures.length === 1);
  const roles = rolesOf(links);
  const cards = new Map(pictures.map((picture) => [picture.key, card(picture, roles.get(picture.key))]));
  const focused = document.activeElement?.closest?.("[data-key]")?.dataset.key;
  graph.replaceChildren(...columnsOf(lineage).map((each) => column(each, cards)));
  lines.show(links, (key) => cards.get(key));
  if (focused) cards.get(focused)?.focus();
}

function showEmpty(isEmpty) {
  byId("lineage-empty").hidden = !isEmpty;
  byId("lineage-empty").replaceChildren(element("h2", {}, EMPTY), element("p", {}, EMPTY_MORE));
}

function column({ level, pictures }, cards) {
  const id = `level-${level}`;
  const items = pictures.map(({ key }) => element("li", {}, cards.get(key)));
  const list = element("ol", { class: pictures.length > MANY ? "many" : null, "aria-labelledby": id }, ...items);
  return element("section", { "data-level": level }, element("h2", { id }, levelWords(level)), list);
}

/** A link to the lineage of that picture; the picture itself leads to the loupe, and what is gone nowhere. */
function card(picture, roles) {
  const { key, state, thumbnailUrl, prompt } = picture;
  const [name, mode] = [nameOf(picture), modeWords(picture)];
  const content = [
    element("img", { src: thumbnailUrl, alt: "", width: 400, height: 400, decoding: "async", loading: "lazy" }),
    element("span", { class: "card-words" }, element("b", {}, name), element("small", {}, mode), roles ? element("small", {}, `as ${roles}`) : null),
  ];
  const facts = { class: "card", "data-key": key, "data-state": state, "aria-label": cardWords(name, mode, roles), title: prompt || name };
  if (GONE[state]) return element("div", { ...facts, role: "img" }, ...content);
  const isOwn = key === mediaId;
  const href = isOwn ? `${data.base}/-/library#${encodeURIComponent(key)}` : `${data.base}/-/lineage/${encodeURIComponent(key)}`;
  return element("a", { ...facts, href, "aria-current": isOwn ? "true" : null }, ...content);
}

/** What each source was used as. */
function rolesOf(links) {
  const roles = new Map();
  for (const { source, role } of links) if (role) roles.set(source, (roles.get(source) ?? new Set()).add(role));
  return new Map([...roles].map(([key, names]) => [key, [...names].join(", ")]));
}

/** Of a picture without a name the prompt says more than the name of its file. */
function nameOf({ title, originalName, prompt, fileName }) {
  return title || originalName || prompt || fileName || UNNAMED;
}

/** A picture that has left the library meanwhile is said so; what is shown stays. */
async function ask() {
  try {
    const found = await api.get(`/-/api/lineage/${encodeURIComponent(mediaId)}`);
    if (JSON.stringify(found) !== JSON.stringify(shown)) show(found);
  } catch (error) {
    toast(error.words, "failure");
  }
}
