// The lanes of the queue: what is wanted of each, what stands in it, and a hand on it.

import { element, setText } from "./element.js";
import { formatInstant, formatNumber, formatSeconds } from "./format.js";
import { actionButton, oneAtATime, offer } from "./offer.js";

const WORK = { gpu: "makes pictures", cpu: "takes pictures in", io: "writes results" };
const POSSIBLE = { running: ["pause", "drain"], paused: ["resume"], draining: ["resume", "pause"] };
const STATE_WORDS = { running: "running", paused: "paused", draining: "finishing what is in line" };
const BUTTONS = [["pause", "Pause"], ["drain", "Drain"], ["resume", "Resume"]];

/** A list of lanes in `place`; `act(lane, "pause" | "drain" | "resume")` is called by the buttons of those who may. */
export class Lanes {
  #place;
  #options;
  #rows = new Map(); // lane -> its row

  constructor(place, { mayAct, act }) {
    this.#place = place;
    this.#options = { mayAct, act };
  }

  show(lanes) {
    for (const lane of lanes) this.#rowOf(lane.lane).update(lane);
  }

  #rowOf(name) {
    if (!this.#rows.has(name)) {
      this.#rows.set(name, new LaneRow(name, this.#options));
      this.#place.append(this.#rows.get(name).node);
    }
    return this.#rows.get(name);
  }
}

class LaneRow {
  #state = element("span", { class: "lane-state" });
  #counts = element("p", { class: "lane-counts" });
  #who = element("p", { class: "hint" });
  #buttons = new Map();
  node;

  constructor(name, { mayAct, act }) {
    const steer = oneAtATime(() => this.node, (action) => act(name, action));
    const words = BUTTONS.map(([action, text]) => [action, actionButton(action, text, `${text} ${name}`, steer)]);
    this.#buttons = new Map(mayAct ? words : []);
    const head = element("div", { class: "lane-head" }, element("strong", {}, name), element("span", { class: "hint" }, WORK[name]), this.#state);
    const actions = element("div", { class: "lane-actions" }, ...this.#buttons.values());
    this.node = element("li", { class: "lane", "data-lane": name, tabindex: -1 }, head, this.#counts, this.#who, mayAct ? actions : null);
  }

  update(lane) {
    this.node.dataset.state = lane.state;
    setText(this.#state, STATE_WORDS[lane.state]);
    setText(this.#counts, countWords(lane));
    setText(this.#who, whoWords(lane));
    offer(this.#buttons, new Set(POSSIBLE[lane.state]));
  }
}

/** "12 waiting · 1 at work of 1 · 3 for later · 1 dead · the oldest waits for 5 min 3 s". */
function countWords({ pending, processing, slots, scheduled, dead, oldestAgeS }) {
  const parts = [
    `${formatNumber(pending)} waiting`,
    `${formatNumber(processing)} at work (room for ${formatNumber(slots)})`,
    scheduled && `${formatNumber(scheduled)} for later`,
    dead && `${formatNumber(dead)} dead`,
    oldestAgeS !== null && `the oldest waits for ${formatSeconds(oldestAgeS)}`,
  ];
  return parts.filter(Boolean).join(" · ");
}

function whoWords({ state, actor, since }) {
  return state === "running" || !since ? "" : `by ${actor}, since ${formatInstant(since)}`;
}

/** Why no picture is begun; nothing while they are. */
export function standstillWords(lanes) {
  const { state, actor, since } = lanes.find(({ lane }) => lane === "gpu") ?? { state: "running" };
  if (state === "running") return "";
  if (state === "paused") return `The lane gpu was paused by ${actor}: no picture is begun until somebody resumes it.`;
  return `The lane gpu is being drained by ${actor}: what came after ${formatInstant(since)} is not begun until somebody resumes it.`;
}
