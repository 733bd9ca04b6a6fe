// The panel that asks for pictures: form, check, submit and one's own jobs, docked or alone.

import { mediaPath } from "./api.js";
import { byId, element, setText } from "./element.js";
import { Check } from "./generate_check.js";
import { JobFile } from "./generate_file.js";
import { EMPTY_DRAFT, Form } from "./generate_form.js";
import { countPictures, draftFromPicture, PICTURES_MOST } from "./generate_job.js";
import { Now } from "./generate_now.js";
import { Problems } from "./generate_problems.js";
import { References } from "./generate_refs.js";
import { submitJob } from "./generate_submit.js";
import { keep, loadKept } from "./kept_here.js";
import { recall, remember } from "./preferences.js";
import { toast } from "./toast.js";
import * as words from "./words_generate.js";

const DRAFT = "generate.draft";
const OPEN = "generate";
const SAVE_AFTER_MS = 250;
const REST_MS = 600; // the second half of a double press comes within this time
const WIDE_ENOUGH_PX = 1_200;
const COVERS = "(max-width: 760px)";

/**
 * Starts the panel in its element; `context` has data, api, stream, statusBar and can, in the library also set and
 * grid. Gives what others ask of it.
 */
export function startGenerate(context, root) {
  const panel = new Panel(context, root);
  panel.start();
  return {
    addReference: (media) => panel.addReference(media),
    reload: (detail) => panel.reload(detail),
    focusPrompt: () => panel.focusPrompt(),
    submit: () => panel.submit(),
    toggle: (open) => panel.toggle(open),
  };
}

class Panel {
  #context;
  #root;
  #form;
  #file;
  #check;
  #now = null; // visitors have no jobs
  #problems = new Problems(byId("generate-form"));
  #endpoints = new Map();
  #loaded = null;
  #saving = null;
  #isSending = false;

  constructor(context, root) {
    const { api, set, data } = context;
    this.#context = context;
    this.#root = root;
    this.#check = new Check(api);
    const find = (mediaId) => set?.find(mediaId);
    this.#form = new Form((changed) => new References({ api, find, changed, dropFile: (file) => this.#file.take(file) }));
    this.#file = new JobFile(this.#form, { fetchEndpoint: (key) => this.#fetchEndpoint(key), fill: (...filling) => this.#fill(...filling) });
    if (data.actor) this.#now = new Now(context);
    this.#listen();
  }

  start() {
    const { can, set } = this.#context;
    byId("generate-close").hidden = !set;
    const remembered = recall(OPEN);
    const wasOpen = remembered === null ? can.submit && innerWidth >= WIDE_ENOUGH_PX : remembered === "open";
    this.toggle(!set || (wasOpen && !matchMedia(COVERS).matches), false);
    this.#showButton();
    this.#loaded = this.#load();
    this.#now?.load();
  }

  /** Shows or hides the panel; without `open` the other way round. */
  toggle(open = this.#root.hidden, isWish = true) {
    const hadFocus = this.#root.contains(document.activeElement);
    this.#root.hidden = !open;
    byId("generate-button")?.setAttribute("aria-expanded", open);
    if (isWish && this.#context.set && !matchMedia(COVERS).matches) remember(OPEN, open ? "open" : "closed");
    if (!open && hadFocus) this.#context.grid?.focusCurrent();
    return open;
  }

  async focusPrompt() {
    this.toggle(true);
    await this.#loaded;
    this.#form.focusPrompt();
  }

  async addReference(media) {
    this.toggle(true);
    await this.#loaded;
    if (this.#form.endpoint) this.#form.addReference(media);
  }

  /** Fills the form from a picture: all that is known of it, or at least its id. Gives whether that was possible. */
  async reload(detail) {
    this.toggle(true);
    await this.#loaded;
    try {
      const media = detail.generation === undefined ? await this.#context.api.get(mediaPath(detail.mediaId)) : detail;
      if (media.generation) this.#fillFrom(media, await this.#fetchEndpoint(media.generation.endpointKey));
      else toast(words.PICTURE_WITHOUT_RUN, "warning");
      return Boolean(media.generation);
    } catch (error) {
      toast(error.words ?? String(error), "failure");
      return false;
    }
  }

  #fillFrom(media, endpoint) {
    const draft = draftFromPicture(media, endpoint.limits?.sizeMultiple);
    if (draft.refs.length < media.inputs.length) toast(words.LOST_REFERENCE, "warning");
    this.#fill(endpoint, draft);
  }

  async submit() {
    await this.#loaded;
    const { can, data } = this.#context;
    if (this.#isSending || !this.#form.endpoint) return;
    if (!can.submit) return toast(data.actor ? words.MAY_NOT_SUBMIT : words.LOOKING_ONLY, "warning");
    if (this.#form.isUploading) return toast(words.STILL_UPLOADING, "warning");
    this.#setSending(true);
    const isSubmitted = await this.#send(this.#form.buildJob());
    setTimeout(() => this.#setSending(false), isSubmitted ? REST_MS : 0);
  }

  /** Whether a job is on its way. */
  async #send(job) {
    try {
      if (!(await this.#isSound(job))) return false;
      this.#submitted(await submitJob(this.#context.api, job));
      return true;
    } catch (error) {
      await this.#refused(job, error);
      return false;
    }
  }

  /** Whether nothing is known to be wrong; what is known leads to its field. */
  async #isSound(job) {
    const { latest } = this.#check;
    const found = latest?.text === JSON.stringify(job) ? latest : await this.#check.askNow(job);
    if (!found?.problems.length) return true;
    this.#lead(found.problems);
    return false;
  }

  #submitted(job) {
    this.#problems.show([]);
    this.#problems.showAll(false);
    this.#now?.add(job, this.#form.words);
  }

  async #refused(job, error) {
    const found = error.status === 400 ? await this.#check.askNow(job) : null;
    this.#lead(found?.problems.length ? found.problems : [{ message: error.message ?? String(error), hint: error.hint }]);
  }

  #lead(problems) {
    this.toggle(true);
    this.#problems.show(problems);
    this.#problems.showAll(true);
    this.#problems.focusFirst();
  }

  async #load() {
    const { api, data } = this.#context;
    try {
      const presetsAsked = data.actor ? api.get("/-/api/presets") : { items: [] };
      const [endpoints, presets] = await Promise.all([api.get("/-/api/endpoints"), presetsAsked]);
      this.#offer(endpoints.items, presets.items);
      if (!endpoints.items.length) return this.#showState(words.NO_ENDPOINTS);
      await this.#restore();
      this.#showState(null);
    } catch (error) {
      this.#showState(error.words ?? String(error), true);
    }
  }

  #offer(endpoints, presets) {
    this.#endpoints = new Map(endpoints.map((each) => [each.endpointKey, each]));
    const providers = Map.groupBy(endpoints, ({ providerId }) => providerId);
    const option = ({ endpointKey, displayName }) => element("option", { value: endpointKey }, displayName);
    const groups = [...providers].map(([label, members]) => element("optgroup", { label }, ...members.map(option)));
    byId("generate-endpoint").replaceChildren(...groups);
    this.#form.offer(presets);
  }

  /** What stood in the form when the page was left. */
  async #restore() {
    const draft = { ...EMPTY_DRAFT, ...loadKept(DRAFT) };
    const all = [...this.#endpoints.values()];
    this.#fill(this.#endpoints.get(draft.endpointKey) ?? all.find(({ available }) => available) ?? all[0], draft);
  }

  #choose(endpointKey) {
    this.#show(this.#endpoints.get(endpointKey));
    this.#changed();
  }

  /** One that the page does not know was added since it was opened, or does not exist: the server says so. */
  async #fetchEndpoint(endpointKey) {
    return this.#endpoints.get(endpointKey) ?? this.#context.api.get(`/-/api/endpoints/${encodeURIComponent(endpointKey)}`);
  }

  #show(endpoint) {
    this.#form.show(endpoint);
    setText(byId("generate-provider"), endpoint.outputType === "image" ? endpoint.providerId : (words.OUTPUTS[endpoint.outputType] ?? endpoint.outputType));
    byId("generate-lack").hidden = !endpoint.problem;
    setText(byId("generate-lack"), endpoint.problem ?? "");
  }

  #fill(endpoint, draft) {
    this.#show(endpoint);
    this.#form.fill({ ...EMPTY_DRAFT, ...draft });
    this.#changed();
  }

  #showState(text, canRetry = false) {
    byId("generate-state").hidden = text === null;
    byId("generate-body").hidden = text !== null;
    const retry = element("button", { type: "button", class: "button", click: () => (this.#loaded = this.#load()) }, words.RETRY);
    byId("generate-state").replaceChildren(text ?? "", ...(canRetry ? [" ", retry] : []));
  }

  #listen() {
    this.#form.addEventListener("changed", () => this.#changed());
    this.#form.addEventListener("endpoint", ({ detail }) => this.#choose(detail));
    this.#check.addEventListener("checked", ({ detail }) => this.#showFound(detail));
    this.#root.addEventListener("keydown", (event) => this.#press(event));
    byId("generate-form").addEventListener("submit", (event) => event.preventDefault());
    byId("generate-submit").addEventListener("click", () => this.submit());
    byId("generate-close").addEventListener("click", () => this.toggle(false));
    addEventListener("pagehide", () => this.#saving && this.#saveDraft());
  }

  /** Keys pressed in the form belong to it, but for the page's own with Ctrl. */
  #press(event) {
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && event.key === "Enter") {
      event.preventDefault();
      if (!event.repeat) this.submit();
    } else if (event.key === "Escape" && this.#context.set) {
      if (matchMedia(COVERS).matches) this.toggle(false);
      else this.#context.grid.focusCurrent();
    }
    if (!isCommand) event.stopPropagation();
  }

  #changed() {
    if (!this.#form.endpoint) return;
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => this.#saveDraft(), SAVE_AFTER_MS);
    const count = countPictures(this.#form.draft, this.#form.endpoint);
    if (count !== this.#check.latest?.pictures) this.#showCost({ pictures: count });
    if (this.#context.can.submit) this.#check.ask(this.#form.buildJob());
  }

  #saveDraft() {
    clearTimeout(this.#saving);
    this.#saving = null;
    if (this.#form.endpoint) keep(DRAFT, this.#form.draft);
  }

  #showFound(found) {
    if (!found) return this.#showCost({ pictures: countPictures(this.#form.draft, this.#form.endpoint) });
    this.#problems.show(found.problems);
    this.#showCost(found);
  }

  #showCost(found) {
    const isTooMany = found.pictures > PICTURES_MOST;
    byId("generate-cost").classList.toggle("warn", isTooMany || (found.cost ?? 0) > (found.balance ?? Infinity));
    setText(byId("generate-cost"), isTooMany ? words.tooManyPictures(found.pictures, PICTURES_MOST) : words.costWords(found));
  }

  #setSending(isSending) {
    this.#isSending = isSending;
    byId("generate-submit").setAttribute("aria-busy", isSending);
    setText(byId("generate-submit-words"), isSending ? words.SENDING : words.GENERATE);
  }

  /** Who may not submit may look at the form, and is told why it ends there. */
  #showButton() {
    const { can, data } = this.#context;
    const why = can.submit ? "" : data.actor ? words.MAY_NOT_SUBMIT : words.LOOKING_ONLY;
    byId("generate-submit").disabled = !can.submit;
    byId("generate-why").hidden = !why;
    setText(byId("generate-why"), why);
  }
}
