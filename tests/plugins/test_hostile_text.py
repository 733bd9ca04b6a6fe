"""Pages whose data means harm: no element, no attribute and no script comes from data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from hotfolder.database import Database
from tests.plugins.furniture import GENERATION, HARM, HARMFUL, HOSTILE, JOBS, MADE, PICTURES
from tests.plugins.house import House, open_house, page_data

OUR_PAGES = ("/-/library", "/-/queue", "/-/library?status=none", "/-/setup")
TABLE_PAGES = (
    *(
        "/library",
        "/library/media",
        f"/library/media/{HARMFUL}",
        f"/library/media/{MADE}",
        "/library/media?_facet=title",
    ),
    *(
        "/library/pictures",
        "/library/picture_keywords",
        "/library/generations",
        f"/library/generations/{GENERATION}",
        "/library/keywords",
        "/library/media_keywords",
    ),
    *(
        "/library/generation_inputs",
        "/library/rating_history",
        "/library/jobs",
        f"/library/jobs/{JOBS['ben', 'failed']}",
    ),
    *(
        "/library/events",
        "/library?sql=select+*+from+media",
        "/library/media?_sort=title",
        "/library/generations?_facet=prompt",
    ),
)


class Markup(HTMLParser):
    """Every element with its attributes, the text, and the script of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = tag if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        else:
            self.text += data

    @property
    def shape(self) -> Counter[str]:
        """How often each element with each attribute stands on the page."""
        return Counter(f"{tag} {name}" for tag, attributes in self.elements for name in ("", *attributes))


@pytest.fixture(scope="module")
def tame_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same house, but nobody in it means harm."""
    with open_house(tmp_path_factory.mktemp("tame") / "library") as made:
        yield made


@pytest.fixture(scope="module")
def look(house: House) -> Callable[[str], httpx.Response]:
    """A page as a member sees it."""
    browser = house.browser("admin", "root")
    return lambda path: browser.get(path, follow_redirects=True)


def check(markup: Markup) -> None:
    """Nothing is there that our data could have brought along."""
    assert not {tag for tag, _ in markup.elements} & {"iframe", "object", "embed", "base"}
    for tag, attributes in markup.elements:
        assert not any(
            name.startswith("on") and "alert" in (value or "") for name, value in attributes.items()
        ), (tag, attributes)
        assert "x" not in attributes, (tag, attributes)
        for name in ("href", "src", "action", "formaction", "data", "srcdoc"):
            value = (attributes.get(name) or "").strip().lower()
            assert not value.startswith(("javascript:", "data:", "vbscript:")), (tag, attributes)
            assert value != "x", (tag, attributes)
    assert not [each for each in markup.scripts if each.strip().startswith("alert(1)")]


@pytest.mark.parametrize("path", OUR_PAGES)
def test_our_pages_have_no_inline_script_and_no_element_from_data(
    look: Callable[[str], httpx.Response], path: str
) -> None:
    answer = look(path)
    markup = Markup(answer.text)

    assert answer.status_code == 200
    check(markup)
    scripts = [attributes for tag, attributes in markup.elements if tag == "script"]
    assert [each.get("type") for each in scripts] == ["module", "application/json"]
    assert [each for each in scripts if "src" in each] == [scripts[0]]
    assert not any(
        name == "style" or name.startswith("on") for _, attributes in markup.elements for name in attributes
    )
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    page_data(answer.text)


def test_the_first_image_of_the_light_table_is_the_first_picture(
    look: Callable[[str], httpx.Response],
) -> None:
    text = look("/-/library").text
    images = [attributes for tag, attributes in Markup(text).elements if tag == "img"]
    items = page_data(text)["firstPage"]["items"]

    assert [each.get("src") for each in images if each.get("src")] == [each["thumbnailUrl"] for each in items]
    assert items[0]["mediaId"] == max(PICTURES)


def test_a_hostile_title_is_one_attribute_and_nothing_else(look: Callable[[str], httpx.Response]) -> None:
    cells = [
        each
        for tag, each in Markup(look("/-/library").text).elements
        if tag == "div" and each.get("data-media-id")
    ]

    (harmful,) = [each for each in cells if each["data-media-id"] == HARMFUL]
    (other,) = [each for each in cells if each["data-media-id"] == MADE]
    assert harmful["aria-label"] == HARM
    assert harmful.keys() == other.keys()


def test_the_data_of_the_pages_holds_the_words_as_they_are(look: Callable[[str], httpx.Response]) -> None:
    items = page_data(look("/-/library").text)["firstPage"]["items"]
    jobs = page_data(look("/-/queue").text)["jobs"]["items"]

    assert HARM in {each["title"] for each in items}
    assert f"{HARM}\ud800" in {(each["error"] or {}).get("message") for each in jobs}
    assert {each["title"] for each in jobs} == {HARM}


def test_hostile_file_names_in_the_inbox_stay_names(
    house: House, look: Callable[[str], httpx.Response]
) -> None:
    names = ["<script>alert(1)<|script>.yaml", "' onerror=alert(1) x='.yaml", "\udcff\u202e.json"]
    for each in names:
        (house.root / "inbox" / each).write_text("x")

    text = look("/-/queue").text

    check(Markup(text))
    assert {each["jobFile"] for each in page_data(text)["jobs"]["waiting"]} == set(names)
    for each in names:
        (house.root / "inbox" / each).unlink()


@pytest.mark.parametrize("path", TABLE_PAGES)
def test_the_pages_of_datasette_show_hostile_words_as_text(
    look: Callable[[str], httpx.Response], path: str
) -> None:
    answer = look(path)

    assert answer.status_code == 200, answer.text[:500]
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    check(Markup(answer.text))


def test_a_table_has_the_same_elements_whether_its_words_mean_harm_or_not(
    tame_house: House, look: Callable[[str], httpx.Response]
) -> None:
    _tame(tame_house.root)
    browser = tame_house.browser("admin", "root")

    for path in ("/library/media", f"/library/media/{HARMFUL}", "/-/library", "/-/queue"):
        hostile, tame = Markup(look(path).text), Markup(browser.get(path).text)
        assert hostile.shape == tame.shape, path


def _tame(root: Path) -> None:
    database = Database(root / "library.db")
    with database.transaction() as tx:
        for column in ("title", "description", "label", "original_name", "original_path", "file_name"):
            tx.execute(f"UPDATE media SET {column} = 'tame' WHERE {column} LIKE '%alert%'")
        tx.execute("UPDATE jobs SET title = 'tame'")
        tx.execute("UPDATE generations SET prompt = 'tame'")
    database.close()


def test_cells_of_pictures_are_thumbnails_that_lead_to_the_loupe(
    look: Callable[[str], httpx.Response],
) -> None:
    for path in ("/library/media", f"/library/media/{HARMFUL}"):
        images = [attributes for tag, attributes in Markup(look(path).text).elements if tag == "img"]
        assert f"/media/{HARMFUL}/thumbnail" in {each.get("src") for each in images}
    assert f'href="/-/library#{HARMFUL}"' in look("/library/media").text


def test_rows_are_called_by_their_names(look: Callable[[str], httpx.Response]) -> None:
    markup = Markup(look("/library/generation_inputs").text)

    assert HARM in markup.text  # the label of its generation: the prompt
    assert GENERATION in markup.text


@pytest.mark.parametrize("words", [HARM, *HOSTILE])
def test_a_refused_request_does_not_give_its_words_back_as_html(house: House, words: str) -> None:
    visitor = house.visitor({"Accept": "text/html"})

    for path in (
        "/-/library",
        "/-/auth-token",
        "/-/api/media",
        "/library/nothing",
        "/nothing",
        "/library/media",
        "/-/setup",
    ):
        answer = visitor.get(path, params={"rating": words, "token": words, "_sort": words, "status": words})
        if answer.headers.get("content-type", "").startswith("text/html"):
            check(Markup(answer.text))


def test_somebody_with_a_hostile_name_is_shown_by_that_name(house: House) -> None:
    name = "<img src=x onerror=alert(1)>"

    for path in ("/-/library", "/-/queue", "/library/media"):
        markup = Markup(house.browser("admin", name).get(path).text)
        check(markup)
        assert path == "/library/media" or name in markup.text
