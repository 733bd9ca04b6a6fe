// From which day to which: four usual periods, and two days to choose.

import { element } from "./element.js";
import { normal } from "./filter.js";
import { pill, section } from "./filter_values.js";
import { FILTER, PERIODS } from "./words_filter.js";

const EARLIEST = "1970-01-01"; // somebody who types a year begins with year 2

/** The usual periods up to a day ("YYYY-MM-DD", as everywhere in UTC): {today: {from, to}, …}. */
export function periodsUntil(today) {
  const weekAgo = new Date(`${today}T00:00:00Z`);
  weekAgo.setUTCDate(weekAgo.getUTCDate() - 6);
  const from = { today, week: dayOf(weekAgo), month: `${today.slice(0, 7)}-01`, year: `${today.slice(0, 4)}-01-01` };
  return Object.fromEntries(Object.entries(from).map(([name, day]) => [name, { from: day, to: today }]));
}

const dayOf = (instant) => instant.toISOString().slice(0, 10);

/** The dates of a filter; `choose(filter)` is called with another one. */
export class FilterDates {
  #choose;
  #filter = null;
  #pills = Object.entries(PERIODS).map(([value, words]) => pill({ name: "period", value, words, label: words, click: () => this.#choosePeriod(value) }));
  #days = ["from", "to"].map((name) => element("input", { type: "date", class: "field", "aria-label": FILTER[name], change: ({ target }) => this.#chooseDay(name, target.value) }));

  constructor(choose) {
    this.#choose = choose;
    const [from, to] = this.#days;
    this.node = section("dates", element("div", { class: "pills" }, ...this.#pills), element("div", { class: "days" }, FILTER.from, from, FILTER.to, to));
  }

  draw(filter) {
    this.#filter = filter;
    const periods = this.#periods();
    for (const each of this.#pills) each.setAttribute("aria-pressed", isWithin(filter, periods[each.dataset.value]));
    this.#days.forEach((input, place) => {
      const day = [filter.from, filter.to][place] ?? "";
      if (input !== document.activeElement || day) input.value = day;
    });
  }

  #periods() {
    return periodsUntil(dayOf(new Date()));
  }

  #choosePeriod(name) {
    const period = this.#periods()[name];
    const isOn = isWithin(this.#filter, period);
    this.#choose(normal({ ...this.#filter, ...(isOn ? { from: null, to: null } : period) }));
  }

  #chooseDay(name, day) {
    if (!day || day >= EARLIEST) this.#choose(normal({ ...this.#filter, [name]: day }));
  }
}

const isWithin = (filter, { from, to }) => filter.from === from && filter.to === to;
