"""A library in which every text means harm, looked at on every page: all of it is text, and nothing runs."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.harmless import assert_harmless, assert_no_wider
from tests.browser.light_table import cell, choose
from tests.browser.visitor import Visitor
from tests.plugins.furniture import GENERATION, HARM, HARMFUL, HOSTILE, HTML, JOBS, MADE, PLAIN, RATED, SVG
from tests.plugins.house import House, open_house

NAME = "".join(filter(str.isprintable, HARM))[:160]
"""As much of it as a name may hold."""
LONG = "W" * 180
BIDI = "\u202e" + "gnp.exe"


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The furnished house, with collections, keywords, titles and an owner that mean harm, too."""
    with open_house(tmp_path_factory.mktemp("rows") / "library") as made:
        admin = made.program("admin", NAME[:60])
        for name in (NAME, LONG):
            answer = admin.post("/-/api/collections", json={"name": name})
            assert answer.status_code == 201, answer.text
            ids = {"mediaIds": [HARMFUL, MADE]}
            assert admin.post(
                f"/-/api/collections/{answer.json()['collectionId']}/media", json=ids
            ).is_success
        words = {"title": LONG, "description": HARM, "keywords": [LONG], "rating": 3}
        assert admin.post(f"/-/api/media/{RATED}", json=words).is_success
        yield made


@pytest.fixture
def looker(chromium: Browser, rows: House) -> Iterator[Visitor]:
    """An admin whose name means harm."""
    cookies = dict(rows.browser("admin", NAME[:60]).cookies)
    visitor = Visitor(chromium, rows.url, cookies)
    visitor.excuse(r"status of 404")  # of the picture whose files are gone
    yield visitor
    visitor.context.close()
    visitor.assert_quiet()


def open_filters(page: Page) -> Locator:
    page.locator("#filter-button").click()
    panel = page.locator("#filter-panel")
    expect(panel.locator("small").first).to_be_visible()
    return panel


def test_grid_info_and_loupe_show_what_means_harm_as_text(looker: Visitor) -> None:
    page = looker.open()
    expect(cell(page, HARMFUL)).to_have_attribute("title", HARM)
    assert_harmless(page)

    choose(page, HARMFUL)
    info = page.locator("#info")
    expect(info).to_contain_text("<script>alert(1)</script>")
    expect(info.locator(".info-keywords")).to_contain_text(HOSTILE[2])
    info.locator(".fold[aria-expanded=false]").evaluate_all("folds => folds.forEach((each) => each.click())")
    assert_harmless(page)
    choose(page, MADE)
    expect(info.locator(".prompt").first).to_contain_text(HOSTILE[3])
    assert_harmless(page)
    choose(page, HARMFUL)
    page.keyboard.press("Enter")
    expect(page.locator("#loupe-name")).to_contain_text("<script>")
    assert_harmless(page)
    assert_no_wider(page)


@pytest.mark.timeout(180)
def test_filters_chips_facets_and_suggestions_show_them_as_text(looker: Visitor) -> None:
    page = looker.open()
    panel = open_filters(page)
    assert_harmless(page)
    panel.get_by_role("combobox").first.fill("<")
    expect(panel.locator(".suggestions li").first).to_be_visible()
    assert_harmless(page)

    for name in ("keyword", "q", "owner", "preset", "endpoint", "collection"):
        for word in (HOSTILE[0], HOSTILE[2], LONG, BIDI):
            page.goto(f"/-/library?{urlencode({name: word})}")
            assert_harmless(page)


def test_collections_context_menu_and_dialogs_show_them_as_text(looker: Visitor) -> None:
    page = looker.open()
    page.locator("#collections-button").click()
    menu = page.locator("#collections-panel")
    expect(menu.locator(".collection-name").filter(has_text=LONG)).to_be_visible()
    expect(menu).to_contain_text("<script>alert(1)</script>")
    assert_harmless(page)
    assert_no_wider(page)
    menu.locator(".collection-open").filter(has_text=LONG).click()
    expect(page.locator("#conditions")).to_contain_text(LONG)
    assert_harmless(page)
    assert_no_wider(page)
    cell(page, HARMFUL).click(button="right")
    expect(page.get_by_role("menu")).to_be_visible()
    assert_harmless(page)


@pytest.mark.parametrize("media_id", [MADE, HARMFUL, RATED])
def test_lineage_shows_them_as_text(looker: Visitor, media_id: str) -> None:
    page = looker.open(f"/-/lineage/{media_id}")

    expect(page.locator("#graph .card").first).to_be_visible()
    assert_harmless(page)
    assert_no_wider(page)


def test_queue_shows_jobs_reports_and_the_log_as_text(looker: Visitor, rows: House) -> None:
    name = "<img src=x onerror=alert(1)>.yaml"
    (rows.root / "inbox" / name).write_text("x")
    (rows.root / "logs" / "hotfolder.log").write_text(
        f"2026-11-21 INFO {HARM}\n{LONG * 9}\n", encoding="utf-8"
    )
    page = looker.open("/-/queue")

    expect(page.locator("#inbox")).to_contain_text(name)
    expect(page.locator("#ended .job").first).to_contain_text("<script>alert(1)</script>")
    for each in page.locator("#ended details.report:visible").all():
        each.locator("summary").click()
    page.locator("#log summary").click()
    expect(page.locator("#log [data-part=lines]")).to_contain_text("<script>alert(1)</script>")
    assert_harmless(page)
    assert_no_wider(page)
    (rows.root / "inbox" / name).unlink()


@pytest.mark.parametrize(
    "path",
    [
        "/library", "/library/media", f"/library/media/{HARMFUL}", f"/library/media/{MADE}",
        "/library/media?_facet=label", "/library/generations", f"/library/generations/{GENERATION}",
        "/library/generation_inputs", "/library/keywords", "/library/media_keywords", "/library/jobs",
        f"/library/jobs/{JOBS['ben', 'failed']}", "/library/events", "/library/collections",
    ],
)  # fmt: skip
def test_tables_of_datasette_show_them_as_text(looker: Visitor, path: str) -> None:
    assert_harmless(looker.open(path))


@pytest.mark.parametrize(
    ("path", "ready"),
    [
        ("/-/library?deleted=only", "#empty"),
        ("/-/library?review=awaiting", "#empty"),
        ("/-/stats", "#stats[aria-busy=false]"),
        ("/-/setup", "#settings tr"),
        ("/-/generate", "#generate-form"),
    ],
)
def test_other_pages_show_them_as_text(looker: Visitor, path: str, ready: str) -> None:
    page = looker.open(path)

    expect(page.locator(ready).first).to_be_visible()
    assert_harmless(page)
    assert_no_wider(page)


def test_visitor_who_is_not_logged_in_sees_them_as_text(chromium: Browser, rows: House) -> None:
    visitor = Visitor(chromium, rows.url, size=(360, 740))
    visitor.excuse(r"status of 404")
    for path, ready in (("library", ".cell"), ("queue", ".job"), (f"lineage/{MADE}", ".card")):
        page = visitor.open(f"/-/{path}")
        expect(page.locator(ready).first).to_be_visible()
        assert_harmless(page)
        assert_no_wider(page)
    visitor.context.close()
    visitor.assert_quiet()


@pytest.mark.parametrize("media_id", [SVG, HTML])
def test_page_that_is_called_a_picture_is_saved_and_never_shown(
    looker: Visitor, rows: House, media_id: str
) -> None:
    page = looker.open("/-/library")
    with page.expect_download() as saved:
        page.evaluate("(path) => { location.href = path }", f"/media/{media_id}/original")

    assert saved.value.path().read_bytes() == (rows.root / f"originals/2026/11/{media_id}.png").read_bytes()
    assert page.url.startswith(f"{rows.url}/-/library")
    for kind in ("iframe", "embed", "object"):
        found = page.evaluate(
            """([kind, path]) => new Promise((done) => {
                const node = document.createElement(kind);
                node[kind === "object" ? "data" : "src"] = path;
                setTimeout(() => done("nothing"), 500);
                window.alert = () => done("it ran");
                document.body.append(node);
            })""",
            [kind, f"/media/{media_id}/original"],
        )
        assert found == "nothing"
    looker.excuse(r"Content Security Policy|Refused to")


def test_picture_opened_alone_is_a_picture_in_a_sandbox(looker: Visitor) -> None:
    looker.excuse(r"Content Security Policy")  # of the browser's own page around a picture
    page = looker.open(f"/media/{PLAIN}/original")

    assert page.evaluate("document.contentType") == "image/png"
    assert page.evaluate("self.origin") == "null"
