// In which order the pictures stand.

import { element } from "./element.js";
import { normal } from "./filter.js";
import { SORTS } from "./words_filter.js";

/** Fills a select with the orders there are; `choose(filter)` gets the filter in another one, `leave()` is called when that was done by the pointer. Returns what shows a filter. */
export function startSortMenu(select, choose, leave) {
  let shown = null;
  let isByPointer = false;
  const options = Object.entries(SORTS).map(([value, words]) => element("option", { value }, words));
  select.append(...options);
  select.addEventListener("change", () => {
    const [sort, order = null] = select.value.split(" ");
    choose(normal({ ...shown, sort, order }));
    if (isByPointer) leave();
  });
  select.addEventListener("pointerdown", () => (isByPointer = true));
  select.addEventListener("keydown", () => (isByPointer = false));

  /** A best match needs a text, an order by hand a collection made by hand. */
  return function show(filter, isManual) {
    shown = filter;
    select.value = [filter.sort ?? "date", filter.order].filter(Boolean).join(" ");
    for (const option of options) {
      const isPossible = { relevance: filter.q !== null, manual: isManual }[option.value] ?? true;
      option.hidden = option.disabled = !isPossible && option.value !== select.value;
    }
  };
}
