"""Objects of the API: what stands in a page cannot end its script."""

from __future__ import annotations

import json
from html.parser import HTMLParser

from datasette_hotfolder.objects import embedded_json
from hypothesis import example, given
from hypothesis import strategies as st

TEXTS = st.one_of(
    st.text(),
    st.text(st.characters(categories=["Cs", "Cf", "Zl", "Zp"]), max_size=5),
    st.text(st.sampled_from("</script>!-[]CDATA&lt;SCRIPT \u2028"), max_size=30),
)
VALUES = st.recursive(
    st.one_of(TEXTS, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)


class _Scripts(HTMLParser):
    """The text of the only script, and every tag of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(VALUES)
@example("</script><script>alert(1)</script>")
@example("<!--<script>")
@example("]]>")
@example("\ud800</sCRIPT >")
def test_nothing_in_a_page_can_end_or_open_a_script(value: object) -> None:
    text = embedded_json(value)
    parser = _Scripts()
    parser.feed(f"<script type='application/json'>{text}</script>")
    parser.close()

    assert not set(text) & set("<>&\u2028\u2029")
    assert text.isascii()
    assert parser.tags == ["script"]
    assert json.loads(parser.text) == json.loads(json.dumps(value))
