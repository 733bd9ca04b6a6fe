// What can be done to the chosen pictures, in a bar below the grid; in the review and in the trash also to the current one.

import { byId, element, setText } from "./element.js";
import { followReviewReason } from "./review_reason.js";
import { emptyTrash } from "./trash_emptying.js";
import * as words from "./words_actions.js";
import { TRASH } from "./words_care.js";

/** Follows a selection; `actions` does what is clicked, others ask for a collection, for keywords or before a picture goes for good. */
export function startSelectionBar(context, { askCollection, askKeywords, purge }) {
  const { set, selection, actions, can, collections } = context;
  const bar = byId("selection-bar");
  const place = byId("selection-actions");
  let shown = null;

  function kind() {
    if (set.filter.deleted) return "trash";
    return set.filter.review === "awaiting" ? "review" : "library";
  }

  function buttons() {
    if (kind() === "trash") return trashButtons();
    const collection = collections.manualOf(set.filter);
    const decide = kind() === "review" && can.review;
    return [
      decide && [words.ACCEPT, "A", () => actions.accept(), "main"],
      decide && [words.ACCEPT_INTO, "", () => askCollection((name) => actions.accept(name))],
      decide && [words.DISCARD, "D", () => actions.discard()],
      can.rate && [words.PICK, "P", () => actions.mark("selected")],
      can.rate && [words.REJECT, "X", () => actions.mark("rejected")],
      can.rate && [words.KEYWORDS, "", askKeywords],
      can.rate && [words.COLLECT, "", () => askCollection()],
      can.rate && collection && [words.removeFrom(collection.name), "", () => actions.removeFrom(collection.collectionId, collection.name)],
      can.look && [words.DOWNLOAD, "", () => actions.download()],
      can.look && [words.DOWNLOAD_ALL, "", () => actions.download({ sidecars: true })],
      !decide && can.review && [collection ? words.TRASH_FROM_ALL : words.TRASH, "Delete", () => actions.trash()],
    ];
  }

  function trashButtons() {
    return [
      can.review && [words.RESTORE, "", () => actions.restore(), "main"],
      can.admin && [words.PURGE, "Delete", purge],
      can.admin && [TRASH.emptyIt, "", () => emptyTrash(context)],
    ];
  }

  function draw() {
    const isMany = selection.isAll || selection.size > 1;
    bar.hidden = !(isMany || (kind() !== "library" && set.current));
    if (bar.hidden) return;
    setText(byId("selection-count"), isMany ? words.chosen(selection.size) : words.ONE);
    byId("selection-clear").hidden = !isMany;
    const wanted = `${kind()} ${collections.manualOf(set.filter)?.name ?? ""}`;
    if (shown === wanted) return;
    shown = wanted;
    place.replaceChildren(...buttons().filter(Boolean).map(button));
  }

  byId("selection-clear").addEventListener("click", () => selection.clear());
  selection.addEventListener("changed", draw);
  collections.addEventListener("changed", draw);
  for (const type of ["reset", "current", "removed"]) set.addEventListener(type, draw);
  bar.append(followReviewReason(context));
  draw();
}

function button([text, key, click, kind = ""]) {
  const title = key ? `${text} (${key})` : text;
  return element("button", { type: "button", class: `button ${kind}`, title, click: () => click() }, text);
}
