// What the context menu of a picture offers, by what this visitor may do.

import * as words from "./words_actions.js";
import * as table from "./words_library.js";

const MENU_LINE = { separator: true };

/** The items for the chosen pictures; the current one is among them. */
export function pictureMenu({ set, selection, actions, can, collections, hooks, open, askKeywords, askCollection }) {
  const media = set.current;
  const isOne = !selection.isAll && selection.size <= 1;
  const collection = collections.manualOf(set.filter);
  const inTrash = Boolean(set.filter.deleted);
  const item = (words, key, run, disabled = false) => ({ words, key, run, disabled });
  const looks = [item(table.OPEN, "Enter", open), item(table.DOWNLOAD, "", () => actions.download(), !can.look)];
  if (inTrash) return [item(words.RESTORE, "", () => actions.restore(), !can.review), MENU_LINE, ...looks];
  return [
    ...looks,
    MENU_LINE,
    ...[5, 4, 3, 2, 1, 0].map((stars) => item(table.starWords(stars), String(stars), () => actions.rate(stars), !can.rate)),
    MENU_LINE,
    item(words.PICK, "P", () => actions.mark("selected"), !can.rate),
    item(words.REJECT, "X", () => actions.mark("rejected"), !can.rate),
    item(table.UNMARK, "U", () => actions.mark(null), !can.rate),
    MENU_LINE,
    item(words.KEYWORDS, "", askKeywords, !can.rate),
    item(words.COLLECT, "", () => askCollection(), !can.rate),
    ...(collection ? [item(words.removeFrom(collection.name), "", () => actions.removeFrom(collection.collectionId, collection.name), !can.rate)] : []),
    MENU_LINE,
    item(table.RELOAD, "", () => hooks.reload({ mediaId: media.mediaId }), !isOne || media.origin !== "generation"),
    item(table.USE_AS_REFERENCE, "", () => hooks.useAsReference(media), !isOne || !can.submit),
    item(table.UPSCALE, "", () => hooks.upscale(media), !isOne || !can.submit),
    MENU_LINE,
    item(collection ? words.TRASH_FROM_ALL : words.TRASH, "Delete", () => actions.trash(), !can.review),
  ];
}
