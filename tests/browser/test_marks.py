"""Marks and deletions: shown at once, put back with the cursor when refused, taken back whatever is shown."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.house import House
from tests.browser.light_table import cell, choose, loupe_id, shown_ids
from tests.browser.visitor import GONE, Visitor

ERROR = {"code": "library.busy", "message": "Somebody else writes.", "hint": None}


def refuse(route: Route) -> None:
    """What is written fails; what is read is not."""
    if route.request.method == "POST":
        route.fulfill(status=503, json={"error": ERROR})
    else:
        route.continue_()


def expect_current(page: Page, media_id: str) -> None:
    expect(cell(page, media_id)).to_have_attribute("aria-current", "true")


def test_refused_mark_is_put_back_and_not_there_to_be_undone(reviewer: Visitor, house: House) -> None:
    reviewer.excuse("status of 503")
    first, second = house.draw("refused-mark", count=2)
    page = reviewer.open()
    choose(page, first)
    page.keyboard.press("4")
    house.wait_for_marks(first, 4, None)
    page.route("**/-/api/media/*", refuse)

    page.keyboard.press("6")
    expect(page.locator("#toasts")).to_contain_text("Not rated: Somebody else writes.")
    expect(cell(page, first)).to_have_attribute("data-label", "")
    page.unroute("**/-/api/media/*")
    page.keyboard.press("Control+z")

    house.wait_for_marks(first, 0, None)
    page.keyboard.press("n")
    page.keyboard.press("7")
    expect(cell(page, first)).to_have_attribute("data-label", "yellow")
    expect_current(page, second)
    page.keyboard.press("n")
    reviewer.post(f"/-/api/media/{first}", {"label": "green"})
    expect(cell(page, first)).to_have_attribute("data-label", "green")


def test_mark_is_undone_though_the_pictures_were_loaded_anew_or_others_are_shown(
    reviewer: Visitor, house: House
) -> None:
    picture = house.draw("undone-later")[0]
    page = reviewer.open("/-/library?q=undone-later")
    choose(page, picture)
    for key in ("3", "p", "0"):
        page.keyboard.press(key)
    house.wait_for_marks(picture, 0, "selected")
    page.get_by_role("button", name="Picked", exact=True).click()
    page.wait_for_url("**status=selected**")
    page.get_by_role("button", name="Picked", exact=True).click()
    page.wait_for_url("**q=undone-later")
    expect(page.locator("#grid")).to_have_attribute("aria-busy", "false")

    page.keyboard.press("Control+z")
    house.wait_for_marks(picture, 3, "selected")
    expect(cell(page, picture)).to_have_attribute("data-rating", "3")
    page.get_by_role("button", name="Rejected").click()
    expect(page.locator("#empty")).to_be_visible()
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")

    house.wait_for_marks(picture, 0, None)


@pytest.mark.parametrize("last_first", [False, True], ids=["answers in order", "the last answer first"])
def test_deleted_pictures_go_at_once_and_a_late_answer_leaves_a_newer_choice_alone(
    reviewer: Visitor, house: House, last_first: bool
) -> None:
    reviewer.excuse(GONE)
    prompt = f"quickly-gone-{last_first}"
    first, second, third, fourth = house.draw(prompt, count=4)
    page = reviewer.open(f"/-/library?q={prompt}")
    choose(page, first)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/-/api/trash", hold)

    page.keyboard.press("Delete")
    page.keyboard.press("Delete")
    expect_current(page, third)
    assert shown_ids(page) == [third, fourth]
    cell(page, fourth).click(modifiers=["Shift"])
    expect(page.locator("#selection-count")).to_have_text("2 pictures chosen")
    assert len(held) == 2
    for each in reversed(held) if last_first else held:
        with page.expect_response("**/-/api/trash"):
            each.continue_()

    expect(page.locator("#toasts")).to_contain_text("1 picture moved to the trash. Ctrl+Z brings it back.")
    expect(page.locator("#selection-count")).to_have_text("2 pictures chosen")
    page.unroute("**/-/api/trash")
    page.keyboard.press("Control+z")
    expect_current(page, second)
    page.keyboard.press("Control+z")
    expect_current(page, first)
    assert shown_ids(page) == [first, second, third, fourth]


def test_late_news_of_what_was_taken_back_here_moves_no_cursor(reviewer: Visitor, house: House) -> None:
    reviewer.excuse(GONE)
    first, second, third = house.draw("late-echo", count=3)
    held: list[Route] = []
    is_late = True

    def hold(route: Route) -> None:
        if is_late:
            held.append(route)
        else:
            route.continue_()

    page = reviewer.new_tab()
    page.route("**/-/api/events?*", hold)
    page.goto("/-/library?q=late-echo")
    choose(page, second)
    for _ in range(2):
        page.keyboard.press("Delete")
        expect_current(page, third)
        page.keyboard.press("Control+z")
        expect_current(page, second)

    is_late = False
    for each in held:
        each.continue_()
    newest = house.draw("late-echo-after")[0]

    expect(cell(page, newest)).to_be_visible()
    expect_current(page, second)
    assert shown_ids(page) == [newest, first, second, third]


def test_refused_deletion_brings_picture_and_cursor_back(reviewer: Visitor, house: House) -> None:
    reviewer.excuse("status of 503")
    first, second, third = house.draw("not-gone", count=3)
    page = reviewer.open("/-/library?q=not-gone")
    choose(page, second)
    page.route("**/-/api/trash", refuse)

    page.keyboard.press("Delete")

    expect(page.locator("#toasts")).to_contain_text("Not done: Somebody else writes.")
    expect_current(page, second)
    assert shown_ids(page) == [first, second, third]
    page.keyboard.press("Control+z")
    expect(page.locator("#toasts")).to_contain_text("There is nothing to undo.")
    page.goto("/-/library?q=nothing-like-this")
    page.keyboard.press("Delete")
    page.keyboard.press("Control+a")
    expect(page.locator("#selection-bar")).to_be_hidden()
    expect(page.locator("#toasts")).not_to_contain_text("moved")


def test_deleting_a_compared_picture_leaves_the_others_and_undo_brings_it_back(
    reviewer: Visitor, house: House
) -> None:
    reviewer.excuse(GONE)
    first, second, third, fourth = house.draw("compared-gone", count=4)
    page = reviewer.open("/-/library?q=compared-gone")
    cell(page, first).click()
    for each in (second, third):
        cell(page, each).click(modifiers=["Control"])
    page.keyboard.press("c")
    panes = page.locator("#compare .pane")
    expect(panes).to_have_count(3)
    page.keyboard.press("ArrowRight")
    page.wait_for_url(f"**#{second}")

    page.keyboard.press("Delete")
    expect(panes).to_have_count(2)
    assert loupe_id(page) == third
    page.keyboard.press("Control+z")
    expect(panes).to_have_count(3)
    page.wait_for_url(f"**#{second}")
    page.keyboard.press("Delete")
    expect(panes).to_have_count(2)
    page.keyboard.press("Delete")

    expect(page.locator("#compare")).to_be_hidden()
    assert loupe_id(page) == first
    page.keyboard.press("Control+z")
    page.wait_for_url(f"**#{third}")
    page.keyboard.press("Escape")
    expect(cell(page, fourth)).to_be_visible()


def test_choice_by_ctrl_that_leaves_one_picture_makes_it_the_current_one(
    reviewer: Visitor, house: House
) -> None:
    first, second, _ = house.draw("one-left", count=3)
    page = reviewer.open("/-/library?q=one-left")

    cell(page, first).click()
    cell(page, second).click(modifiers=["Control"])
    expect_current(page, second)
    cell(page, second).click(modifiers=["Control"])

    expect_current(page, first)
