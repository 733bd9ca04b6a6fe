// The chips above the grid: they show the filter and ask for another.

import { byId, setText } from "./element.js";
import { isEmptyFilter, ratingWords, toggled } from "./filter.js";

/** Wires the chips; `choose(filter)` is called with what was clicked. Returns the function that shows a filter. */
export function startFilterBar(choose) {
  const bar = byId("filters");
  const chips = [...bar.querySelectorAll("[data-filter]")];
  let shown = null;

  bar.addEventListener("click", ({ target }) => {
    const chip = target.closest("[data-filter]");
    if (chip) choose(toggled(shown, chip.dataset.filter, chip.dataset.value));
  });

  return function show(filter) {
    shown = filter;
    for (const chip of chips) {
      const { filter: name, value } = chip.dataset;
      chip.setAttribute("aria-pressed", filter[name] === value);
      if (name === "minRating") chip.classList.toggle("lit", Number(value) <= Number(filter.minRating ?? filter.rating ?? 0));
    }
    const rated = filter.minRating !== null || filter.rating !== null;
    bar.querySelector(".stars-chip").classList.toggle("on", rated);
    setText(byId("rating-words"), ratingWords(filter));
    byId("clear-filter").hidden = isEmptyFilter(filter);
  };
}
