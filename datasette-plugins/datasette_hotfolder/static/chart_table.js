// The numbers of a chart as a table.

import { element } from "./element.js";

/** `head` are texts; `rows` are lists of texts, of which the first names the row and may be a link { text, href }. */
export function table(caption, head, rows) {
  const heads = head.map((text) => element("th", { scope: "col" }, text));
  const body = rows.map(([name, ...values]) => element("tr", {}, element("th", { scope: "row" }, named(name)), ...values.map((text) => element("td", {}, text))));
  const inner = element("table", { class: "numbers" }, element("caption", { class: "unseen" }, caption), element("thead", {}, element("tr", {}, ...heads)), element("tbody", {}, ...body));
  return element("div", { class: "numbers-box", tabindex: "0", role: "region", "aria-label": caption }, inner);
}

const named = (name) => (name.href ? element("a", { href: name.href }, name.text) : name.text ?? name);
