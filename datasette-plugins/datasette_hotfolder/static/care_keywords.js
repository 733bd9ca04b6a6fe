// The list of keywords: found, renamed, merged and deleted.

import { askForConsent } from "./ask.js";
import { byId, element, setText } from "./element.js";
import { normal } from "./filter.js";
import { formatNumber } from "./format.js";
import { throttled } from "./throttle.js";
import { COMMON, failedWords, KEYWORDS as WORDS } from "./words_care.js";

const PATH = "/-/api/keywords";
const SHOWN = 200;
const OFFERED = 12;
const ASK_EVERY_MS = 300;

const pathOf = ({ keywordId }) => `${PATH}/${encodeURIComponent(keywordId)}`;
const same = (one, other) => one.toLowerCase() === other.toLowerCase();

/** Gives `open()`; `hooks.choose(filter)` shows the pictures of a keyword. */
export function startKeywords(context, hooks) {
  const list = new KeywordList(context, hooks);
  return { open: () => list.open() };
}

class KeywordList {
  #api;
  #set;
  #choose;
  #mayChange;
  #dialog = byId("keywords-dialog");
  #search = byId("keywords-search");
  #rows = byId("keywords-list");
  #news = byId("keywords-news");
  #hint = byId("keywords-hint");
  #ask = throttled(() => this.#load(), ASK_EVERY_MS);
  #asked = 0;

  constructor({ api, stream, set, can }, { choose }) {
    this.#api = api;
    this.#set = set;
    this.#choose = choose;
    this.#mayChange = can.admin;
    this.#search.addEventListener("input", () => {
      if (this.#isChanging) this.#rows.replaceChildren();
      this.#ask();
    });
    stream.addEventListener("events", ({ detail }) => this.#dialog.open && detail.some(({ topic }) => topic === "library.updated") && this.#ask());
  }

  open() {
    this.#search.value = "";
    this.#say("");
    this.#rows.replaceChildren();
    setText(this.#hint, COMMON.loading);
    this.#dialog.showModal();
    this.#ask();
  }

  /** While somebody types into a row, it stays as it is. */
  get #isChanging() {
    return this.#rows.querySelector("form") !== null;
  }

  async #load() {
    const asked = ++this.#asked;
    const prefix = this.#search.value.trim();
    try {
      const items = await this.#find(prefix, SHOWN);
      if (asked === this.#asked && !this.#isChanging) this.#draw(items, prefix);
    } catch (error) {
      setText(this.#hint, "");
      this.#fail(error, () => this.#ask());
    }
  }

  async #find(prefix, limit) {
    const { items } = await this.#api.get(`${PATH}?${new URLSearchParams({ prefix, limit })}`);
    return items;
  }

  #draw(items, prefix) {
    if (this.#news.querySelector("button")) this.#say("");
    const focused = document.activeElement?.closest?.("#keywords-list li")?.dataset.keywordId;
    this.#rows.replaceChildren(...items.map((each) => this.#row(each)));
    if (focused) (this.#rows.querySelector(`[data-keyword-id="${CSS.escape(focused)}"] button`) ?? this.#search).focus();
    const nothing = prefix ? WORDS.unknown(prefix) : WORDS.none;
    const hints = [items.length ? "" : nothing, items.length === SHOWN && WORDS.first(SHOWN), !this.#mayChange && WORDS.mayNot];
    setText(this.#hint, hints.filter(Boolean).join(" "));
  }

  #row(each) {
    const row = element("li", { "data-keyword-id": each.keywordId });
    this.#fill(row, each);
    return row;
  }

  #fill(row, each) {
    const { keyword, n } = each;
    const show = () => {
      this.#dialog.close();
      this.#choose(normal({ keyword: [keyword] }));
    };
    const open = element("button", { type: "button", class: "care-name", title: WORDS.show(keyword, n), click: show }, element("span", {}, keyword), element("small", {}, formatNumber(n)));
    const tool = (words, label, click) => element("button", { type: "button", class: "plain", title: label, "aria-label": label, click }, words);
    const tools = this.#mayChange
      ? [
          tool(WORDS.rename, WORDS.renameOf(keyword), () => this.#startRename(row, each)),
          tool(WORDS.merge, WORDS.mergeOf(keyword), () => this.#startMerge(row, each)),
          tool(WORDS.remove, WORDS.removeOf(keyword), () => this.#remove(each)),
        ]
      : [];
    row.replaceChildren(open, element("span", { class: "care-tools" }, ...tools));
  }

  #startRename(row, each) {
    const input = element("input", { class: "field", value: each.keyword, "aria-label": WORDS.renameOf(each.keyword), maxlength: 200, autocomplete: "off" });
    this.#startForm(row, each, { input, confirm: WORDS.save, send: () => this.#rename(each, input.value.trim()) });
    input.select();
  }

  #startMerge(row, each) {
    const options = element("datalist", { id: "keywords-targets" });
    const input = element("input", { class: "field", list: options.id, "aria-label": WORDS.intoOf(each.keyword), placeholder: WORDS.into, autocomplete: "off" });
    const offer = throttled(async () => {
      const items = await this.#find(input.value.trim(), OFFERED).catch(() => []);
      options.replaceChildren(...items.filter(({ keywordId }) => keywordId !== each.keywordId).map(({ keyword }) => element("option", { value: keyword })));
    }, ASK_EVERY_MS);
    input.addEventListener("input", offer);
    offer();
    const before = element("span", { class: "care-before" }, each.keyword);
    this.#startForm(row, each, { before, input, options, hint: WORDS.mergeHint(each.n), confirm: WORDS.doMerge, send: () => this.#merge(each, input.value.trim()) });
    input.focus();
  }

  /** The row becomes a form; Escape leaves it, and only it. */
  #startForm(row, each, { before, input, options, hint, confirm, send }) {
    const failure = element("p", { class: "care-failure", role: "alert" });
    const leave = () => {
      this.#fill(row, each);
      row.querySelector("button").focus();
    };
    const button = element("button", { class: "button" }, confirm);
    const cancel = element("button", { type: "button", class: "plain", click: leave }, COMMON.cancel);
    const submit = async (event) => {
      event.preventDefault();
      button.disabled = true;
      setText(failure, "");
      try {
        await send();
        row.querySelector("form")?.remove();
        await this.#load();
      } catch (error) {
        setText(failure, error.words ?? error.message);
        input.focus();
      }
      button.disabled = false;
    };
    const keydown = (event) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      leave();
    };
    const form = element("form", { class: "care-form", submit, keydown }, before, input, options, button, cancel, hint ? element("p", { class: "hint" }, hint) : null, failure);
    row.replaceChildren(form);
  }

  async #rename(each, keyword) {
    if (!keyword || keyword === each.keyword) return;
    await this.#api.post(pathOf(each), { keyword });
    this.#say(WORDS.renamed(each.keyword, keyword));
    this.#followFilter(each.keyword, keyword);
  }

  async #merge(each, text) {
    const into = (await this.#find(text, OFFERED)).find(({ keyword }) => same(keyword, text));
    if (!into) throw new Error(WORDS.noTarget(text));
    this.#say(WORDS.busy);
    try {
      const { keyword, n } = await this.#api.post(`${pathOf(each)}/merge`, { into: into.keywordId });
      this.#say(WORDS.merged(each.keyword, keyword, n));
      this.#followFilter(each.keyword, keyword);
    } catch (error) {
      this.#say("");
      throw error;
    }
  }

  async #remove(each) {
    if (!(await askForConsent(WORDS.consent(each.keyword, each.n)))) return;
    this.#say(WORDS.busy);
    try {
      await this.#api.delete(pathOf(each));
      this.#say(WORDS.removed(each.keyword));
      this.#followFilter(each.keyword, null);
      this.#ask();
      this.#search.focus();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** What is shown goes on being shown, by the keyword's new name. */
  #followFilter(from, to) {
    const { filter } = this.#set;
    if (!filter.keyword.some((each) => same(each, from))) return;
    const keyword = filter.keyword.map((each) => (same(each, from) ? to : each)).filter(Boolean);
    this.#choose(normal({ ...filter, keyword }));
  }

  #say(words) {
    this.#news.classList.remove("care-failure");
    this.#news.replaceChildren(words);
  }

  #fail(error, again = null) {
    this.#news.classList.add("care-failure");
    const retry = again ? element("button", { type: "button", class: "button", click: again }, COMMON.again) : "";
    this.#news.replaceChildren(failedWords(error.words ?? String(error)), " ", retry);
  }
}
