// The engine on the queue page: what it does and since when, which model is wanted, and for admins a hand on it.

import { byId, element, setText } from "./element.js";
import { engineWords, wantedWords } from "./engine_words.js";
import { formatInstant } from "./format.js";
import { actionButton, oneAtATime } from "./offer.js";
import { toast } from "./toast.js";
import { ENGINE_PANEL_WORDS as WORDS, modelSetWords } from "./words_queue.js";

const WITH_A_MODEL = new Set(["loading", "ready", "busy"]);

/** Facts in #engine-facts, controls in #engine-actions for those who may steer. */
export class EnginePanel {
  #api;
  #status;
  #controls = null;

  constructor(api, mayAct) {
    this.#api = api;
    if (mayAct) this.#controls = new Controls(byId("engine-actions"), api, (wanted) => this.show({ ...this.#status, wanted }));
  }

  show(status) {
    this.#status = status;
    const { engine: told, wanted, sidecar, version } = status;
    const engine = sidecar.running ? told : null; // what it did when the service ended is of no use
    const since = sidecar.since ? ` since ${formatInstant(sidecar.since)}` : "";
    const facts = [
      ["State", sidecar.running ? engineWords(engine) : "Engine stopped"],
      ["Since", engine && formatInstant(engine.at)],
      ["Kind", engine?.kind],
      ["Model", engine?.modelInfo],
      ["Wanted", wantedWords(wanted)],
      ["Service", sidecar.running ? `running${since}` : "not running: start it with “hotfolder up”"],
      ["Version", version],
    ];
    const known = facts.filter(([, value]) => value);
    byId("engine-facts").dataset.state = engine?.state ?? "stopped";
    byId("engine-facts").replaceChildren(...known.flatMap(([name, value]) => [element("dt", {}, name), element("dd", { title: value }, value)]));
    this.#controls?.show(WITH_A_MODEL.has(engine?.state), sidecar.running);
  }
}

/** A model set to choose and load, or none; the sets are asked for when somebody first wants to choose. */
class Controls {
  #api;
  #tell;
  #sets = element("select", { class: "field", "aria-label": WORDS.choose, title: WORDS.choose });
  #load;
  #unload;
  #news = element("p", { class: "hint", role: "status" });
  #asked = null;

  constructor(place, api, tell) {
    this.#api = api;
    this.#tell = tell;
    const row = oneAtATime(() => place, (action) => this.#act(action));
    this.#load = actionButton("load", WORDS.load, WORDS.loadTitle, row);
    this.#unload = actionButton("unload", WORDS.unload, WORDS.unloadTitle, row);
    this.#load.disabled = true;
    this.#sets.append(element("option", { value: "" }, `${WORDS.choose} …`));
    for (const each of ["pointerdown", "focus"]) this.#sets.addEventListener(each, () => this.#find());
    this.#sets.addEventListener("change", () => (this.#load.disabled = !this.#sets.value));
    place.append(this.#sets, this.#load, this.#unload, this.#news);
  }

  show(hasModel, isServed) {
    this.#unload.disabled = !hasModel;
    if (!this.#asked) setText(this.#news, isServed ? "" : WORDS.later);
  }

  /** What /-/api/setup tells takes a second or two. */
  #find() {
    this.#asked ??= this.#fill().catch((error) => {
      this.#asked = null;
      setText(this.#news, error.words);
    });
  }

  async #fill() {
    setText(this.#news, WORDS.asking);
    const { modelSets } = await this.#api.get("/-/api/setup");
    this.#sets.append(...modelSets.map((each) => element("option", { value: each.name }, modelSetWords(each))));
    setText(this.#news, modelSets.length ? "" : WORDS.noSets);
  }

  async #act(action) {
    const body = action === "load" ? { modelSet: this.#sets.value } : undefined;
    try {
      this.#tell(await this.#api.post(`/-/api/engine/${action}`, body));
    } catch (error) {
      toast(error.words, "failure");
    }
  }
}
