// The menu of the library: what is done for it as a whole.

import { startDuplicates } from "./duplicates.js";
import { startFolders } from "./care_folders.js";
import { startKeywords } from "./care_keywords.js";
import { byId } from "./element.js";
import { normal } from "./filter.js";
import { Menu } from "./menu.js";
import { MENU } from "./words_care.js";

const GAP_PX = 6;

/** Wires the button; `hooks` are `importPictures()`, `showCollections()`, `choose(filter)` and `open(media)` in the loupe. */
export function startCareMenu(context, hooks) {
  const button = byId("care-button");
  const menu = new Menu(MENU.label);
  const { can } = context;
  const keywords = startKeywords(context, hooks);
  const folders = can.admin ? startFolders(context) : null;
  const duplicates = startDuplicates(context, hooks);
  let wasOpen = false;

  const item = (words, run, disabled = false) => ({ words, run, disabled });
  const items = () => [
    { ...item(MENU.import, hooks.importPictures, !can.submit), key: "Shift+I" },
    { separator: true },
    item(MENU.collections, hooks.showCollections),
    item(MENU.keywords, keywords.open),
    ...(folders ? [item(MENU.folders, folders.open)] : []),
    item(MENU.duplicates, duplicates.open),
    ...(can.look ? [{ separator: true }, item(MENU.review, () => hooks.choose(normal({ review: "awaiting" }))), item(MENU.trash, () => hooks.choose(normal({ deleted: "only" })))] : []),
  ];

  button.setAttribute("aria-haspopup", "menu");
  addEventListener("pointerdown", () => (wasOpen = menu.isOpen), { capture: true }); // before it closes itself
  button.addEventListener("click", ({ detail }) => {
    if (detail && wasOpen) return; // the same click closed it
    const { left, bottom } = button.getBoundingClientRect();
    menu.open(items(), { left, top: bottom + GAP_PX });
  });
}
