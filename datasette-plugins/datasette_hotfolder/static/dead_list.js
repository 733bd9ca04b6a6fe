// Dead work: rows that stay where they are while others come and go.

import { arrange } from "./arrange.js";
import { byId, element, setText } from "./element.js";
import { actionButton, oneAtATime } from "./offer.js";

/** Work that used up its attempts, by job, or by itself where it belongs to none; `requeue(dead)` is called by the buttons of those who may. */
export class DeadList {
  #options;
  #rows = new Map(); // job or work id -> its row

  constructor(options) {
    this.#options = options;
  }

  show(all) {
    const rows = new Map(all.map((dead) => [idOf(dead), this.#rows.get(idOf(dead)) ?? new DeadRow(dead, this.#options)]));
    all.forEach((dead) => rows.get(idOf(dead)).update(dead));
    this.#rows.forEach(({ node }, id) => rows.has(id) || node.remove());
    this.#rows = rows;
    arrange(byId("dead"), [...rows.values()].map(({ node }) => node));
    byId("dead-part").hidden = !rows.size;
  }
}

class DeadRow {
  #words = element("span");
  #dead;
  node;

  constructor(dead, { mayAct, requeue }) {
    const act = oneAtATime(() => this.node, () => requeue(this.#dead));
    const button = mayAct(dead) ? actionButton("requeue", "Requeue", `Requeue ${nameOf(dead)}`, act) : null;
    this.node = element("li", { tabindex: -1 }, this.#words, button);
  }

  update(dead) {
    this.#dead = dead;
    setText(this.#words, nameOf(dead));
    this.#words.title = [dead.jobFile ?? dead.workId, dead.code, dead.message].filter(Boolean).join("\n");
  }
}

const idOf = ({ jobId, workId }) => jobId ?? workId;
const nameOf = ({ title, jobFile, taskType, subject }) => title ?? jobFile ?? `${taskType} ${subject}`;
