"""Templates and scripts as they lie there: nothing inline, and no text that becomes markup or code."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import datasette_hotfolder
import pytest
from datasette_hotfolder.plain import POLICY

PACKAGE = Path(str(files(datasette_hotfolder)))
TEMPLATES = sorted((PACKAGE / "templates").glob("*.html"))
SCRIPTS = sorted((PACKAGE / "static").glob("*.js"))
STYLES = sorted((PACKAGE / "static").glob("*.css"))
DANGEROUS = re.compile(
    r"\b(?:innerHTML|outerHTML|insertAdjacentHTML|setHTMLUnsafe|createContextualFragment|srcdoc|DOMParser)\b"
    r"|\bdocument\s*\.\s*write|\beval\s*\(|\bnew\s+Function\b|javascript:"
    r"|\bset(?:Timeout|Interval)\s*\(\s*[\"'`]|setAttribute\(\s*[\"'`](?:on|style)"
)
UNESCAPED = re.compile(r"\|\s*safe\b|\bautoescape\b|\bMarkup\b")
ELSEWHERE = re.compile(r"(?:https?:)?//(?!www\.w3\.org/)[a-z0-9.-]+\.[a-z]{2,}", re.IGNORECASE)


class Inline(HTMLParser):
    """What in a template the browser would run or style by, if the policy let it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("style", "iframe", "object", "embed", "base", "frame"):
            self.found.append(f"<{tag}>")
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.found.append("<script> without src")
        for name, value in given.items():
            if name.startswith("on") or name in ("style", "srcdoc", "http-equiv"):
                self.found.append(f"<{tag} {name}>")
            if (value or "").strip().lower().startswith(("javascript:", "data:text", "vbscript:")):
                self.found.append(f"<{tag} {name}={value}>")


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_anything_inline(template: Path) -> None:
    text = template.read_text(encoding="utf-8")

    assert Inline(re.sub(r"{%.*?%}|{#.*?#}", "", text, flags=re.DOTALL)).found == []
    assert not ELSEWHERE.search(text)


def test_one_place_in_all_templates_is_not_escaped_and_that_is_json_made_for_it() -> None:
    unescaped = {
        each.name: UNESCAPED.findall(text)
        for each in TEMPLATES
        if UNESCAPED.search(text := each.read_text(encoding="utf-8"))
    }

    assert unescaped == {"hotfolder_page.html": ["|safe"]}
    page = (PACKAGE / "templates" / "hotfolder_page.html").read_text(encoding="utf-8")
    assert '<script type="application/json" id="page-data">{{ page_data_json|safe }}</script>' in page


def test_templates_are_filled_where_markup_is_escaped() -> None:
    for module in PACKAGE.glob("*.py"):
        text = module.read_text(encoding="utf-8")
        for found in re.findall(r"jinja2\.Environment\((.*?)\n?\s*\)\n", text, re.DOTALL):
            assert "autoescape=True" in found, module.name
        assert "Markup(" not in text.replace("markupsafe.Markup(", "Markup(") or module.name == "tables.py"


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_makes_markup_or_code_of_text(script: Path) -> None:
    text = script.read_text(encoding="utf-8")

    assert DANGEROUS.findall(text) == []
    assert not ELSEWHERE.search(re.sub(r"^\s*(?://|\*).*$", "", text, flags=re.MULTILINE)), script.name


@pytest.mark.parametrize("style", STYLES, ids=lambda path: path.name)
def test_no_style_asks_elsewhere(style: Path) -> None:
    text = style.read_text(encoding="utf-8")

    assert not ELSEWHERE.search(text)
    assert not re.search(r"@import|expression\(|-moz-binding", text)


def test_the_policy_of_the_pages_allows_nothing_inline_and_nothing_from_elsewhere() -> None:
    rules = dict(each.strip().partition(" ")[::2] for each in POLICY.split(";"))

    assert rules.pop("img-src") == "'self' data: blob:"
    assert set(rules.values()) == {"'self'", "'none'"}
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
