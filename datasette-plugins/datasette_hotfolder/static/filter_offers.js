// When nothing fits: what would be there without one of the conditions.

import { byId, element } from "./element.js";
import { conditionsOf, searchFromFilter, without } from "./filter.js";
import { conditionWords, FILTER, withoutWords } from "./words_filter.js";

const AT_MOST = 6;

/** Offers, in the empty grid, to take single conditions of the filter away; `choose(filter)` does it. */
export function startOffers({ api, set, collections, choose }) {
  const place = element("div", { class: "offers", role: "group", "aria-label": FILTER.without });

  set.addEventListener("reset", draw);
  draw();

  async function draw() {
    const { filter } = set;
    place.remove();
    const conditions = conditionsOf(filter);
    if (set.total || set.error || conditions.length < 2) return; // a single one is cleared by the button that is there
    const found = await Promise.all(conditions.slice(0, AT_MOST).map((condition) => countWithout(api, filter, condition)));
    if (set.filter !== filter || set.total) return;
    const offers = found.filter((each) => each?.counts.total);
    place.replaceChildren(...offers.map(({ condition, counts }) => offer(filter, condition, counts)));
    if (offers.length) byId("empty").append(place);
  }

  function offer(filter, condition, counts) {
    const words = conditionWords(condition.name, condition.value, collections.names);
    return element("button", { type: "button", class: "chip", click: () => choose(without(filter, condition)) }, withoutWords(words, counts));
  }
}

async function countWithout(api, filter, condition) {
  const query = new URLSearchParams(searchFromFilter(without(filter, condition)));
  query.set("limit", 1);
  try {
    return { condition, counts: await api.get(`/-/api/media?${query}`) };
  } catch {
    return null; // an offer less
  }
}
