"""The library goes on where somebody left it, unless an address says something else."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.house import House
from tests.browser.light_table import loupe_id, shown_ids
from tests.browser.visitor import Visitor
from tests.scenarios.service import wait_for


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Pages").get_by_role("link", name=name).click()


def remembered_of(house: House, name: str) -> str:
    rows = house.query("SELECT value FROM app_settings WHERE key = ?", f"web.preferences/{name}")
    return str(rows[0]["value"]) if rows else ""


def leave_at_the_second_of_two(page: Page, pictures: list[str]) -> None:
    """The two best pictures are filtered, and the second is looked at."""
    expect(page.locator("#grid .cell")).to_have_count(2)
    page.locator("#sort").select_option("name")
    expect(page).to_have_url(re.compile("sort=name"))
    page.locator("#grid.placed").wait_for()
    page.keyboard.press("End")
    expect(page.locator("#grid .cell[aria-current]")).to_have_attribute("data-media-id", shown_ids(page)[1])
    assert set(shown_ids(page)) == set(pictures)


def test_way_back_from_another_page_leads_to_the_filter_the_order_and_the_picture(
    visit: Callable[..., Visitor], house: House
) -> None:
    pictures = house.draw("left-behind", count=2)
    visitor = visit(house.log_in("lena"))
    visitor.post(f"/-/api/media/{pictures[0]}", {"keywords": ["left"]})
    visitor.post(f"/-/api/media/{pictures[1]}", {"keywords": ["left"]})
    page = visitor.open("/-/library?keyword=left")
    leave_at_the_second_of_two(page, pictures)
    second = shown_ids(page)[1]

    go(page, "Queue")
    expect(page).to_have_url(re.compile("/-/queue$"))
    go(page, "Library")

    expect(page).to_have_url(f"{house.url}/-/library?keyword=left&sort=name")
    expect(page.locator("#grid .cell[aria-current]")).to_have_attribute("data-media-id", second)
    go(page, "Library")  # here it means all of it
    expect(page).to_have_url(f"{house.url}/-/library")


def test_bare_address_leads_to_what_its_user_looked_at_last_in_another_browser(
    visit: Callable[..., Visitor], house: House
) -> None:
    picture = house.draw("looked-at")[0]
    first = visit(house.log_in("mona"))
    page = first.open("/-/library?origin=generation")
    page.locator(f'[data-media-id="{picture}"]').dblclick()
    expect(page.locator("#loupe")).to_be_visible()
    page.goto("/-/library?review=awaiting")  # has a way of its own, and is not remembered
    page.goto("/-/stats")
    wait_for(lambda: picture in remembered_of(house, "mona"), "the view kept by the server")
    first.close()

    page = visit(house.log_in("mona")).open("/")

    expect(page).to_have_url(f"{house.url}/-/library?origin=generation#{picture}")
    expect(page.locator("#loupe")).to_be_visible()
    assert loupe_id(page) == picture


def test_picture_that_is_gone_or_no_picture_at_all_leads_to_the_first(
    visit: Callable[..., Visitor], house: House
) -> None:
    newest = house.draw("gone-on-without")[0]

    page = visit(house.log_in("nora")).open("/-/library?at=nobody")

    expect(page.locator("#grid .cell[aria-current]")).to_have_attribute("data-media-id", newest)
    expect(page).to_have_url(f"{house.url}/-/library")
