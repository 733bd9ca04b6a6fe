// The scale at the edge of the grid: where in time the window is; drawn along it, it goes elsewhere.

import { isAbort } from "./api.js";
import { byId, element, setText } from "./element.js";
import { searchFromFilter } from "./filter.js";
import { Timeline } from "./timeline.js";
import { throttled } from "./throttle.js";
import { dayWords, monthWords } from "./words_grid.js";

const LABEL_PX = 40;
const PAD_PX = 12;
const ASK_EVERY_MS = 1_000;
const DAY_STEPS = { ArrowUp: -1, ArrowDown: 1 };
const MONTH_STEPS = { PageUp: -1, PageDown: 1 };

/** Follows a set and its grid; hidden while the order is not by date, or all is in sight. */
export class Scrubber {
  #api;
  #set;
  #grid;
  #node = byId("scrubber");
  #labels = byId("scrubber-labels");
  #mark = byId("scrubber-mark");
  #bubble = byId("scrubber-day");
  #timeline = new Timeline([], 0, () => 0);
  #days = [];
  #stopper = new AbortController();
  #hasAsked = false; // for the days of this snapshot
  #written = [];
  #ask = throttled(() => this.#load(), ASK_EVERY_MS);

  constructor({ api, set, grid }) {
    this.#api = api;
    this.#set = set;
    this.#grid = grid;
    let isRenewal = false;
    set.addEventListener("renewing", () => (isRenewal = true));
    set.addEventListener("reset", () => {
      this.#begin(isRenewal ? this.#days : []);
      isRenewal = false;
    });
    for (const type of ["prepended", "removed", "returned"]) set.addEventListener(type, () => this.#draw());
    grid.addEventListener("moved", () => this.#follow());
    this.#node.addEventListener("pointerdown", (event) => this.#grasp(event));
    this.#node.addEventListener("pointermove", (event) => this.#hover(event));
    this.#node.addEventListener("pointerleave", () => (this.#bubble.hidden = true));
    this.#node.addEventListener("keydown", (event) => this.#press(event));
    new ResizeObserver(() => this.#draw()).observe(byId("scroller"));
    this.#begin([]);
  }

  /** Brings the pictures of a day into sight ("2026-10-01"), or the nearest before it; false when there are no days. */
  async jumpTo(day) {
    if (!this.#days.length) await this.#load();
    const index = this.#timeline.indexOf(day);
    if (index < 0) return false;
    this.#grid.scrollToPlace(this.#timeline.days[index].place);
    return true;
  }

  /** Asked as if it were not there: else its own width would make it come and go for ever. */
  get #isNeeded() {
    return this.#set.filter.sort === null && !this.#grid.fitsWith(this.#node.offsetWidth);
  }

  /** Until the new days are there it is blank, or shows the old ones; its room is taken at once, so that nothing moves. */
  #begin(days) {
    this.#stopper.abort();
    this.#stopper = new AbortController();
    this.#days = days;
    this.#hasAsked = false;
    this.#draw();
  }

  async #load() {
    const { signal } = this.#stopper;
    this.#hasAsked = true;
    const query = new URLSearchParams(searchFromFilter(this.#set.filter));
    if (this.#set.view) query.set("view", this.#set.view);
    try {
      this.#days = (await this.#api.get(`/-/api/timeline?${query}`, { signal })).days;
      this.#draw();
    } catch (error) {
      this.#hasAsked = isAbort(error); // there is still the scrollbar; the next change asks again
    }
  }

  #draw() {
    this.#timeline = new Timeline(this.#days, this.#set.length, (offset) => this.#set.placeOfOffset(offset));
    this.#node.hidden = !this.#isNeeded;
    this.#node.classList.toggle("blank", !this.#days.length);
    if (this.#isNeeded && !this.#hasAsked) this.#ask();
    if (this.#node.hidden || !this.#days.length) return;
    const least = LABEL_PX / Math.max(1, this.#height);
    this.#written = this.#timeline.labels(least).map((each) => ({ ...each, node: this.#label(each) }));
    this.#labels.replaceChildren(...this.#written.map(({ node }) => node));
    this.#node.setAttribute("aria-valuemax", this.#timeline.days.length);
    this.#follow();
  }

  #label({ day, place, isYear }) {
    const label = element("span", {}, isYear ? day.slice(0, 4) : monthWords(day));
    label.style.insetBlockStart = `${this.#heightOf(place)}px`;
    return label;
  }

  get #height() {
    return this.#node.clientHeight - 2 * PAD_PX;
  }

  #heightOf(place) {
    return PAD_PX + (place / Math.max(1, this.#timeline.total)) * this.#height;
  }

  /** Where the window is. */
  #follow() {
    if (this.#node.hidden || !this.#days.length) return;
    const index = this.#index;
    const { day } = this.#timeline.days[index];
    this.#mark.style.transform = `translateY(${this.#heightOf(this.#grid.placeInSight)}px)`;
    this.#node.setAttribute("aria-valuenow", index + 1);
    this.#node.setAttribute("aria-valuetext", dayWords(day));
    const lit = this.#written.findLast(({ place }) => place <= this.#timeline.days[index].place);
    for (const { node, place } of this.#written) node.classList.toggle("lit", place === lit?.place);
  }

  /** The day of the first row in sight: the last one that begins there. */
  get #index() {
    return Math.max(0, this.#timeline.indexAt(this.#grid.firstPlace + this.#grid.columns - 1));
  }

  #grasp(event) {
    if (event.button) return;
    this.#node.setPointerCapture(event.pointerId);
    this.#go(event);
  }

  #hover(event) {
    this.#tellDay(event);
    if (this.#node.hasPointerCapture(event.pointerId)) this.#go(event);
  }

  #go(event) {
    this.#grid.scrollToShare(this.#shareAt(event));
    this.#tellDay(event);
  }

  #tellDay(event) {
    const share = this.#shareAt(event);
    const index = this.#timeline.indexAt(share * (this.#timeline.total - 1));
    this.#bubble.hidden = index < 0;
    if (index < 0) return;
    setText(this.#bubble, dayWords(this.#timeline.days[index].day));
    this.#bubble.style.transform = `translateY(${PAD_PX + share * this.#height}px)`;
  }

  #shareAt({ clientY }) {
    const { top } = this.#node.getBoundingClientRect();
    return Math.max(0, Math.min(1, (clientY - top - PAD_PX) / Math.max(1, this.#height)));
  }

  #press(event) {
    const place = this.#placeFor(event.key);
    if (place === null || event.ctrlKey || event.altKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.#grid.scrollToPlace(place);
  }

  #placeFor(key) {
    const { days } = this.#timeline;
    const last = days.length - 1;
    if (key === "Home") return 0;
    if (key === "End") return days[last].place;
    if (key in DAY_STEPS) return this.#walk((index) => Math.max(0, Math.min(last, index + DAY_STEPS[key])));
    if (key in MONTH_STEPS) return this.#walk((index) => this.#timeline.monthFrom(index, MONTH_STEPS[key]));
    return null;
  }

  /** Goes on until another row is reached; several days may share one. */
  #walk(next) {
    const row = (index) => Math.floor(this.#timeline.days[index].place / this.#grid.columns);
    const here = Math.floor(this.#grid.firstPlace / this.#grid.columns);
    let index = this.#index;
    let found = next(index);
    while (found !== index && row(found) === here) [index, found] = [found, next(found)];
    return this.#timeline.days[found].place;
  }
}
