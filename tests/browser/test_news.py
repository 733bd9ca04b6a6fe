"""What comes while a page is open: pictures without a reload, and no byte twice."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests import pictures
from tests.browser.house import House
from tests.browser.light_table import cell, choose, shown_ids, wait_until_drawn
from tests.browser.visitor import Visitor
from tests.scenarios.service import wait_for

ALL_DRAWN = """() => [...document.querySelectorAll("#grid img")]
  .every((image) => image.complete && image.naturalWidth > 0)"""


class Traffic:
    """Thumbnails that a page asks for, and which of them came over the network and not out of the cache."""

    def __init__(self, page: Page) -> None:
        self.asked: set[str] = set()
        self._cached: set[str] = set()
        session = page.context.new_cdp_session(page)
        session.on("Network.responseReceived", self._receive)
        session.on("Network.requestServedFromCache", lambda event: self._cached.add(event["requestId"]))
        session.send("Network.enable")

    @property
    def fetched(self) -> set[str]:
        return self.asked - self._cached

    def _receive(self, event: dict[str, dict[str, object]]) -> None:
        if "/thumbnail" in str(event["response"]["url"]):
            self.asked.add(str(event["requestId"]))
            if event["response"]["fromDiskCache"]:
                self._cached.add(str(event["requestId"]))


def watch_library(visitor: Visitor) -> Traffic:
    """Open the library in a new tab until every thumbnail in sight is drawn."""
    page = visitor.open("about:blank")
    traffic = Traffic(page)
    page.goto("/-/library")
    page.wait_for_function(ALL_DRAWN)
    page.close()
    return traffic


def test_picture_of_a_new_job_appears_without_a_reload(reviewer: Visitor, house: House) -> None:
    page = reviewer.open()
    page.evaluate("window.wasNotReloaded = true")

    picture = house.draw("arriving")[0]

    wait_until_drawn(cell(page, picture).locator("img"))
    assert shown_ids(page)[0] == picture
    assert page.evaluate("window.wasNotReloaded")


def test_dropped_picture_appears_without_a_reload(reviewer: Visitor, house: House, tmp_path: Path) -> None:
    page = reviewer.open("/-/library?origin=import")
    before = shown_ids(page)

    picture = house.bring("dropped.png", tmp_path, (110, 70))

    wait_until_drawn(cell(page, picture).locator("img"))
    assert shown_ids(page) == [picture, *before]
    expect(page.locator("#count")).to_have_text(f"{len(before) + 1} of {house.count_pictures()}")


def test_picture_that_is_chosen_after_shift_i_joins_the_library(
    reviewer: Visitor, house: House, tmp_path: Path
) -> None:
    picture = pictures.write_png(tmp_path / "Grüße & more.png", (90, 70))
    page = reviewer.new_tab()
    page.on("filechooser", lambda _: None)  # before the page is there: the browser is told to ask nobody else
    page.goto("/-/library")
    expect(page.locator("#grid.placed")).to_be_visible()

    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Shift+I")
    chooser.value.set_files(picture)

    rows = wait_for(
        lambda: house.query("SELECT id FROM media WHERE original_name = ?", picture.name), "the picture"
    )
    wait_until_drawn(cell(page, rows[0]["id"]).locator("img"))


def test_picture_that_does_not_fit_the_filter_does_not_appear(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/library?origin=import")
    before = shown_ids(page)

    house.draw("elsewhere")

    expect(page.locator("#count")).to_have_text(f"{len(before)} of {house.count_pictures()}")
    assert shown_ids(page) == before


def test_second_visit_loads_no_thumbnail_again(visit: Callable[..., Visitor], house: House) -> None:
    reviewer = visit(house.cookies)
    first = watch_library(reviewer)
    second = watch_library(reviewer)

    assert len(first.fetched) == len(first.asked) >= 8
    assert len(second.asked) >= 8
    assert second.fetched == set()


def test_news_go_on_when_the_tab_that_listens_is_closed(reviewer: Visitor, house: House) -> None:
    first, second = reviewer.open(), reviewer.open()
    first.close()

    picture = house.draw("after-closing")[0]

    expect(cell(second, picture)).to_be_visible()


def test_rating_of_one_reviewer_is_seen_by_another(
    visit: Callable[..., Visitor], reviewer: Visitor, house: House
) -> None:
    picture = house.draw("shared")[0]
    other = visit(house.log_in("ben")).open()
    page = reviewer.open()
    choose(page, picture)

    page.keyboard.press("4")

    expect(cell(other, picture)).to_have_attribute("data-rating", "4")


def test_page_finds_the_web_again_after_its_process_was_killed(reviewer: Visitor, house: House) -> None:
    reviewer.excuse("net::ERR_")
    page = reviewer.new_tab()
    with page.expect_request("**/-/api/events?*wait=20"):
        page.goto("/-/library")
    house.kill_web()

    picture = house.draw("after-the-kill")[0]

    expect(cell(page, picture)).to_be_visible()
    expect(page.locator("#engine-words")).not_to_have_text("Not connected")
