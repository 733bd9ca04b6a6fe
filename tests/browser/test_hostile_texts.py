"""Texts that want to be more than text: they are shown as they are, and nothing of them runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from hotfolder.files.container import splice_metadata
from hotfolder.files.xmp import XmpRecord, build_xmp
from tests.browser.harmless import assert_harmless
from tests.browser.house import House, job
from tests.browser.light_table import cell, choose
from tests.browser.visitor import Visitor
from tests.pictures import write_png
from tests.scenarios.service import wait_for

TITLE = "</script><script>alert('title')</script><img src=x onerror=alert(1)>"
PROMPT = "\"'><svg onload=alert('prompt')> {{ 7*7 }} <!-- --> &lt;b&gt;"
FILE = "<img src=y onerror=alert('name')>"


@pytest.fixture(scope="module")
def hostile(house: House) -> str:
    """A picture whose job has such a title, prompt and file name."""
    house.drop(f"{FILE}.json", job(PROMPT, title=TITLE))
    return house.wait_for_pictures_of(FILE, 1)[0]


def test_title_prompt_and_file_name_are_shown_as_text(reviewer: Visitor, hostile: str) -> None:
    page = reviewer.open()
    assert_harmless(page)

    choose(page, hostile)

    info = page.locator("#info")
    expect(info.locator(".prompt")).to_have_text(PROMPT)
    expect(info).to_contain_text(FILE)
    assert_harmless(page)
    page.keyboard.press("Enter")
    expect(page.locator("#loupe-image")).to_have_attribute("data-sharp", "true")
    assert_harmless(page)
    page.goto("/-/queue")
    row = page.locator("#ended .job").filter(has_text=f"{FILE}.json")
    expect(row.locator(".job-title")).to_have_text(TITLE)
    assert_harmless(page)


def test_hostile_texts_that_come_as_news_are_text_too(reviewer: Visitor, house: House) -> None:
    queue, library = reviewer.open("/-/queue"), reviewer.open()

    house.drop(f"late {FILE}.json", job(PROMPT, title=TITLE, count=32, steps=10))

    expect(library.locator("#now-title")).to_have_text(TITLE)
    running = queue.locator("#running .job")
    expect(running.locator(".job-title")).to_have_text(TITLE)
    expect(running.locator(".job-pictures img")).not_to_have_count(0)
    assert_harmless(queue)
    assert_harmless(library)
    running.get_by_role("button", name="Cancel").click()
    queue.mouse.move(0, 0)  # no row moves under a pointer
    expect(queue.locator("#ended .job").first).to_contain_text(f"late {FILE}.json")
    assert_harmless(queue)


def test_hostile_name_of_a_dropped_picture_is_text(reviewer: Visitor, house: House, tmp_path: Path) -> None:
    page = reviewer.open()

    picture = house.bring(f"{FILE}.png", tmp_path, (70, 110))

    expect(cell(page, picture)).to_have_attribute("aria-label", f"{FILE}.png")
    choose(page, picture)
    expect(page.locator("#info .info-title")).to_have_text(f"{FILE}.png")
    expect(page.locator("#info .more-facts")).to_contain_text(f"import/{FILE}.png")
    assert_harmless(page)


@pytest.mark.parametrize(
    "content",
    [
        "<svg xmlns='http://www.w3.org/2000/svg'><script>alert('svg')</script></svg>",
        "<!doctype html><script>alert('html')</script>",
    ],
    ids=["svg", "html"],
)
def test_page_that_is_dropped_as_a_picture_is_refused(house: House, content: str, tmp_path: Path) -> None:
    name = f"{len(content)} {FILE}.png"
    (tmp_path / "page").write_text(content)

    (tmp_path / "page").rename(house.root / "import" / name)

    refused = wait_for(lambda: list((house.root / "failed").rglob(f"*{name}")), f"{name} in failed/")
    assert refused[0].read_text() == content
    assert house.query("SELECT id FROM media WHERE original_name = ?", name) == []


def test_picture_with_a_page_and_hostile_metadata_in_it_is_a_picture(
    reviewer: Visitor, house: House, tmp_path: Path
) -> None:
    texts = XmpRecord(
        title=TITLE, description=PROMPT, keywords=(FILE, "x" * 400), label=FILE, creators=(TITLE,)
    )
    data = write_png(tmp_path / "plain.png", (66, 44)).read_bytes()
    spliced = splice_metadata(data, xmp=build_xmp(texts), texts={"parameters": TITLE, "Comment": PROMPT})
    (tmp_path / "spliced").write_bytes(spliced + b"<!doctype html><script>alert('appended')</script>")
    (tmp_path / "spliced").rename(house.root / "import" / "page.html.png")
    sql = "SELECT id FROM media WHERE original_name = 'page.html.png'"
    picture = wait_for(lambda: house.query(sql), "the picture")[0]["id"]

    page = reviewer.open()
    choose(page, picture)
    expect(page.locator("#info .info-title")).to_be_visible()
    assert_harmless(page)
    for part in ("original", "thumbnail", "sidecar", "xmp"):
        reviewer.excuse("Content Security Policy")  # of the browser's own page around a picture
        page.goto(f"/media/{picture}/{part}")
        kinds = {"original": "image/png", "thumbnail": "image/jpeg"}
        assert page.evaluate("document.contentType") == kinds.get(part, "text/plain")
        assert page.locator("script").count() == 0
    page.goto(f"/-/lineage/{picture}")
    expect(page.locator("#graph .card").first).to_be_visible()
    page.goto("/library/media")
    expect(page.locator("table.rows-and-columns")).to_be_visible()


def test_refused_job_is_told_with_its_hostile_values_as_text(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/queue")

    house.drop("refused.json", json.dumps({"endpointKey": FILE, "params": {"prompt": "x"}, TITLE: 1}))

    row = page.locator("#ended .job").filter(has_text="refused.json")
    expect(row.locator(".job-state")).to_have_text("failed")
    expect(row.locator(".job-error")).to_be_visible()
    assert_harmless(page)
    page.reload()
    expect(row.locator(".job-error")).to_be_visible()
    assert_harmless(page)


def test_visitor_of_these_tests_would_notice(house: House, chromium: Browser) -> None:
    visitor = Visitor(chromium, house.url)
    page = visitor.open()
    page.evaluate("console.warn('odd'); alert('dialog'); setTimeout(() => { throw new Error('bug') })")
    fetch_elsewhere = "fetch('http://elsewhere.example/').catch(() => null)"
    page.evaluate(fetch_elsewhere)
    visitor.open("about:blank").evaluate(fetch_elsewhere)  # no policy forbids it there
    visitor.close()

    with pytest.raises(AssertionError) as told:
        visitor.assert_quiet()

    for each in (
        "console warning: odd",
        "dialog: dialog",
        "uncaught: bug",
        "net::ERR_NAME_NOT_RESOLVED (http://elsewhere.example/)",
        "connect-src",
    ):
        assert each in str(told.value)
