// What can be done to the chosen pictures, in a bar below the grid; in the review and in the trash also to the current one.

import { byId, element, setText } from "./element.js";
import * as words from "./words_actions.js";

/** Follows a selection; `actions` does what is clicked, `choose(button, kind)` asks for a collection or for keywords. */
export function startSelectionBar({ set, selection, actions, can }, { askCollection, askKeywords, purge }) {
  const bar = byId("selection-bar");
  const place = byId("selection-actions");
  let shown = null;

  function kind() {
    if (set.filter.deleted) return "trash";
    return set.filter.review === "awaiting" ? "review" : "library";
  }

  function buttons() {
    if (kind() === "trash") return [can.review && [words.RESTORE, "", () => actions.restore()], can.admin && [words.PURGE, "", purge]];
    const decide = kind() === "review" && can.review;
    return [
      decide && [words.ACCEPT, "A", () => actions.accept(), "main"],
      decide && [words.ACCEPT_INTO, "", (button) => askCollection(button, (name) => actions.accept(name))],
      decide && [words.DISCARD, "D", () => actions.discard()],
      can.rate && [words.PICK, "P", () => actions.mark("selected")],
      can.rate && [words.REJECT, "X", () => actions.mark("rejected")],
      can.rate && [words.KEYWORDS, "", askKeywords],
      can.rate && [words.COLLECT, "", (button) => askCollection(button)],
      can.look && [words.DOWNLOAD, "", () => actions.download()],
      can.look && [words.DOWNLOAD_ALL, "", () => actions.download({ sidecars: true })],
      !decide && can.review && [words.TRASH, "Delete", () => actions.trash()],
    ];
  }

  function draw() {
    const isMany = selection.isAll || selection.size > 1;
    bar.hidden = !(isMany || (kind() !== "library" && set.current));
    if (bar.hidden) return;
    setText(byId("selection-count"), isMany ? words.chosen(selection.size) : words.ONE);
    byId("selection-clear").hidden = !isMany;
    if (shown === kind()) return;
    shown = kind();
    place.replaceChildren(...buttons().filter(Boolean).map(button));
  }

  byId("selection-clear").addEventListener("click", () => selection.clear());
  selection.addEventListener("changed", draw);
  for (const type of ["reset", "current", "removed"]) set.addEventListener(type, draw);
  draw();
}

function button([text, key, click, kind = ""]) {
  const title = key ? `${text} (${key})` : text;
  return element("button", { type: "button", class: `button ${kind}`, title, click: ({ currentTarget }) => click(currentTarget) }, text);
}
