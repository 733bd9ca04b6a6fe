"""What a text of a stranger would have made of a page, had it become more than text."""

from __future__ import annotations

from playwright.sync_api import Page

_OFFENCES = """() => {
  const odd = [];
  const served = [`${location.origin}/-/assets/`, `${location.origin}/-/static`];
  const own = document.body.className.startsWith("page-");
  const isOurs = ({ id, src }) => id === "page-data" || served.some((each) => src.startsWith(each));
  const scripts = [...document.scripts].filter((each) => !isOurs(each));
  if (own && scripts.length) odd.push("a script of data");
  if (scripts.some((each) => each.textContent.trim().startsWith("alert"))) odd.push("an alert");
  for (const each of document.querySelectorAll("*")) {
    for (const { name, value } of each.attributes) {
      const runs = name.startsWith("on") && (own || value.includes("alert"));
      if (runs || (name === "x" && each instanceof HTMLElement)) odd.push(`${each.tagName} ${name}`);
      const leads = ["href", "src", "action", "formaction", "xlink:href"].includes(name);
      if (leads && /^\\s*(?:javascript|vbscript|data:text)/i.test(value)) odd.push(`${name}=${value}`);
    }
    if (["IFRAME", "OBJECT", "EMBED", "BASE"].includes(each.tagName)) odd.push(each.tagName);
    const from = each.tagName === "IMG" && each.getAttribute("src");
    if (from && own && !/^(?:\\/media\\/|blob:)/.test(from)) odd.push(`an image from ${from}`);
  }
  return odd;
}"""
_BEYOND = """() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  const isBeyond = (each) => Math.max(each.getBoundingClientRect().right, each.scrollWidth) > clientWidth;
  if (scrollWidth <= clientWidth) return [];
  const found = [...document.querySelectorAll("body *")].filter(isBeyond);
  return ["the page", ...found.map((each) => `${each.tagName} ${each.id || each.className}`)];
}"""


def assert_harmless(page: Page) -> None:
    """Nothing on the page is made of a text; that no dialog came up, the visitor watches."""
    found = page.evaluate(_OFFENCES)
    assert not found, found


def assert_no_wider(page: Page) -> None:
    """No long word makes the page wider than the window."""
    found = page.evaluate(_BEYOND)
    assert not found, found
