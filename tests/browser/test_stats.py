"""The statistics page: charts that are links, by mouse and by keys, as tables, wide and narrow."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House
from tests.browser.light_table import choose, shown_ids
from tests.browser.visitor import Visitor

CHARTS = ["pictures", "waits", "busy", "times", "endpoints", "presets", "disk"]
PHONE = (360, 740)
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def marked(house: House) -> str:
    """A picture whose job names a preset with a name that means harm, as none is accepted."""
    (media_id,) = house.draw("preset")
    with sqlite3.connect(house.root / "library.db", timeout=20) as connection:
        connection.execute("UPDATE media SET preset = ? WHERE id = ?", (HOSTILE, media_id))
    return media_id


@pytest.fixture(scope="module")
def night(house: House) -> list[str]:
    """Two pictures of a job that names a preset."""
    (house.root / "presets" / "night.yaml").write_text("params: {prompt: A night, size: 96*64, steps: 1}\n")
    found = {"endpointKey": "local.procedural.image", "preset": "night", "count": 2}
    house.drop("dark.json", json.dumps(found))
    return house.wait_for_pictures_of("dark", 2)


def open_stats(visitor: Visitor, query: str = "") -> Page:
    page = visitor.open(f"/-/stats{query}")
    expect(page.locator("#stats")).to_have_attribute("aria-busy", "false")
    return page


def test_every_chart_is_drawn_with_words_for_it(reviewer: Visitor, house: House, marked: str) -> None:
    reviewer.post(f"/-/api/media/{marked}", {"status": "selected"})
    page = open_stats(reviewer)

    assert page.locator(".chart").evaluate_all("charts => charts.map((each) => each.id)") == CHARTS
    expect(page.locator("#pictures svg[role=img]")).to_have_attribute("aria-label", re.compile("in all"))
    expect(page.locator("#pictures .series-1").first).to_be_visible()
    expect(page.locator("#totals b").first).to_have_text(str(house.count_pictures()))
    expect(page.locator("#presets .row-name")).to_contain_text(HOSTILE)
    expect(page.locator("#times .row").first).to_be_visible()  # others may have drawn in other sizes


def test_bar_leads_to_the_pictures_of_its_day(reviewer: Visitor) -> None:
    page = open_stats(reviewer)
    today = datetime.now(UTC).date().isoformat()

    page.locator("#pictures .mark").last.click()

    page.wait_for_url(f"**/-/library?from={today}&to={today}")
    expect(page.locator("#grid .cell").first).to_be_visible()


def test_legend_and_rows_lead_to_what_they_count(reviewer: Visitor) -> None:
    page = open_stats(reviewer)

    expect(page.locator("#pictures .legend a").last).to_have_attribute("href", re.compile("origin=import"))
    row = page.locator("#times .row").first
    expect(row).to_have_attribute("href", re.compile(r"endpoint=local\.procedural\.image"))


def test_bar_of_a_preset_leads_to_its_pictures_of_these_days(
    reviewer: Visitor, house: House, night: list[str]
) -> None:
    reviewer.post(f"/-/api/media/{night[0]}", {"status": "selected"})
    page = open_stats(reviewer, "?days=7")
    today = datetime.now(UTC).date().isoformat()

    page.locator("#presets .row", has_text="night").click()

    page.wait_for_url(re.compile(rf"/-/library\?preset=night&from=[\d-]+&to={today}"))
    expect(page.locator("#grid .cell")).to_have_count(2)
    assert shown_ids(page) == night
    expect(page.locator('[data-condition="preset"]')).to_have_text("preset night")
    page.locator("#filter-button").click()
    offered = page.locator('#filter-panel [data-name="preset"][data-value="night"]')
    expect(offered).to_have_attribute("aria-pressed", "true")
    expect(offered.locator("small")).to_have_text("2")
    page.keyboard.press("Escape")
    choose(page, night[0])
    expect(page.locator('#info [data-section="generation"] dt:text-is("Preset") + dd')).to_have_text("night")


def test_keys_walk_along_a_chart_and_tell_its_numbers(reviewer: Visitor) -> None:
    page = open_stats(reviewer, "?days=all")
    marks = page.locator("#disk .mark")

    expect(page.locator("#pictures .mark[tabindex='0']")).to_have_count(1)
    marks.last.focus()
    expect(page.locator(".tip")).to_contain_text("In the library")
    page.keyboard.press("Escape")
    expect(page.locator(".tip")).to_be_hidden()
    page.keyboard.press("Home")
    expect(marks.first).to_be_focused()
    page.keyboard.press("Enter")

    page.wait_for_url("**/-/library?from=**")


def test_numbers_of_a_chart_are_there_as_a_table_which_stays_one(reviewer: Visitor) -> None:
    page = open_stats(reviewer)

    page.locator("#pictures button").click()
    expect(page.locator("#pictures tbody tr").last.locator("td")).to_have_count(2)
    expect(page.locator("#pictures svg")).to_have_count(0)
    page.locator("#ranges a", has_text="7 days").click()
    page.wait_for_url("**/-/stats?days=7")

    expect(page.locator("#pictures button")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#ranges [aria-current]")).to_have_text("7 days")
    page.go_back()
    expect(page.locator("#ranges [aria-current]")).to_have_text("30 days")


def test_failure_is_told_and_can_be_tried_again(reviewer: Visitor) -> None:
    reviewer.excuse("status of 503")
    page = reviewer.new_tab()
    error = {"error": {"code": "library.busy", "message": "Too many requests wait already."}}
    page.route("**/-/api/stats*", lambda route: route.fulfill(status=503, json=error))
    page.goto("/-/stats")
    expect(page.locator("#note")).to_contain_text("Too many requests")
    page.unroute("**/-/api/stats*")

    page.locator("#note button").click()

    expect(page.locator("#pictures svg")).to_be_visible()
    expect(page.locator("#note")).to_be_hidden()


def test_empty_library_says_that_there_is_nothing_to_count(reviewer: Visitor) -> None:
    page = reviewer.new_tab()

    def empty(route: object) -> None:
        answer = route.fetch()  # type: ignore[attr-defined]
        found = answer.json()
        found["totals"] |= {"pictures": 0, "trashBytes": 0}
        route.fulfill(json=found)  # type: ignore[attr-defined]

    page.route("**/-/api/stats*", empty)
    page.goto("/-/stats")

    expect(page.locator("#note")).to_contain_text("nothing to count yet")
    expect(page.locator(".chart")).to_have_count(0)


def test_visitor_sees_no_presets_and_no_trash(visit: Callable[..., Visitor]) -> None:
    page = open_stats(visit())

    expect(page.locator("#endpoints")).to_be_visible()
    expect(page.locator("#presets")).to_have_count(0)
    expect(page.locator("#totals")).not_to_contain_text("trash")


def test_narrow_window_shows_everything_below_each_other(visit: Callable[..., Visitor], house: House) -> None:
    page = open_stats(visit(house.cookies, size=PHONE))

    assert page.evaluate("document.querySelector('#stats').scrollWidth <= innerWidth")
    boxes = [page.locator(f"#{each}").bounding_box() for each in CHARTS]
    assert all(each and each["x"] >= 0 and each["x"] + each["width"] <= PHONE[0] for each in boxes)
    tops = [each["y"] for each in boxes if each]
    assert tops == sorted(tops)


def test_light_colours_reach_the_charts(reviewer: Visitor) -> None:
    page = open_stats(reviewer)
    bar = page.locator("#pictures .series-1").last
    dark = bar.evaluate("(bar) => getComputedStyle(bar).fill")

    page.locator("#theme").click()

    assert bar.evaluate("(bar) => getComputedStyle(bar).fill") != dark
    page.locator("#theme").click()
