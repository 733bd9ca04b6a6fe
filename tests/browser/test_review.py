"""The review with one hand: accept, discard, the next picture; why each waits; many at once; none left."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.house import House, job
from tests.browser.light_table import cell, choose, shown_ids
from tests.browser.visitor import Visitor
from tests.scenarios.service import wait_for

REVIEW = "/-/library?review=awaiting"


@pytest.fixture
def draw(reviewer: Visitor, house: House) -> Callable[..., list[str]]:
    """Draws pictures that wait for a review; those of other tests wait no longer."""

    def draw_some(name: str, count: int, **more: object) -> list[str]:
        waiting = house.query("SELECT id FROM media WHERE review = 'awaiting' AND deleted_at IS NULL")
        if waiting:
            ids = [row["id"] for row in waiting]
            reviewer.post("/-/api/review", {"mediaIds": ids, "decision": "accept"})
        house.drop(f"{name}.json", json.dumps({**json.loads(job(name, count=count)), "review": True, **more}))
        return house.wait_for_pictures_of(name, count)

    return draw_some


def review_of(house: House, media_id: str) -> str:
    return str(house.query("SELECT review FROM media WHERE id = ?", media_id)[0]["review"])


def expect_current(page: Page, media_id: str) -> None:
    expect(cell(page, media_id)).to_have_attribute("aria-current", "true")


def test_decisions_by_key_go_on_to_the_next_picture_without_waiting(
    reviewer: Visitor, house: House, draw: Callable[..., list[str]]
) -> None:
    first, second, third, last = draw("by-key", 4)
    page = reviewer.open(REVIEW)
    choose(page, first)

    page.keyboard.press("a")
    expect_current(page, second)
    page.keyboard.press("d")
    expect_current(page, third)
    page.keyboard.press("ArrowRight")
    expect_current(page, last)
    page.keyboard.press("a")
    expect_current(page, third)

    expect(page.locator("#awaiting")).to_have_text("1")
    assert [review_of(house, each) for each in (first, second, third, last)] == [
        "accepted", "discarded", "awaiting", "accepted",
    ]  # fmt: skip
    assert page.evaluate("document.activeElement.classList.contains('cell')")


def test_two_quick_keys_decide_on_two_pictures(
    reviewer: Visitor, house: House, draw: Callable[..., list[str]]
) -> None:
    first, second, third = draw("quick", 3)
    page = reviewer.open(REVIEW)
    choose(page, first)

    page.keyboard.type("aa")

    expect_current(page, third)
    expect(page.locator("#awaiting")).to_have_text("1")
    assert {review_of(house, each) for each in (first, second)} == {"accepted"}


def test_loupe_shows_the_next_picture_and_closes_after_the_last(
    reviewer: Visitor, draw: Callable[..., list[str]]
) -> None:
    first, second = draw("in-the-loupe", 2)
    page = reviewer.open(REVIEW)
    choose(page, first)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**#{first}")

    page.keyboard.press("a")
    page.wait_for_url(f"**#{second}")
    page.keyboard.press("d")

    expect(page.locator("#loupe")).to_be_hidden()
    expect(page.locator("#empty")).to_contain_text("Nothing waits for a review")
    expect(page.locator("#awaiting")).to_be_hidden()


def test_loupe_has_buttons_to_decide_only_in_the_review(
    reviewer: Visitor, house: House, draw: Callable[..., list[str]]
) -> None:
    first, second, third = draw("by-button", 3)
    page = reviewer.open(f"{REVIEW}#{first}")
    buttons = page.locator("#loupe-review")

    buttons.get_by_role("button", name="Accept").click()
    page.wait_for_url(f"**#{second}")
    buttons.get_by_role("button", name="Discard").click()
    page.wait_for_url(f"**#{third}")

    wait_for(lambda: review_of(house, second) == "discarded", "a discarded picture")
    assert review_of(house, first) == "accepted"
    page.goto(f"/-/library#{first}")
    expect(page.locator("#loupe-image")).to_be_visible()
    expect(buttons).to_be_hidden()


def test_refused_decision_brings_the_picture_back(reviewer: Visitor, draw: Callable[..., list[str]]) -> None:
    reviewer.excuse("status of 503")
    first, _ = draw("refused", 2)
    page = reviewer.open(REVIEW)
    choose(page, first)

    def refuse(route: Route) -> None:
        error = {"code": "library.busy", "message": "Somebody else writes.", "hint": None}
        route.fulfill(status=503, json={"error": error})

    page.route("**/-/api/review", refuse)
    page.keyboard.press("a")

    expect(page.locator("#toasts")).to_contain_text("Somebody else writes.")
    expect(cell(page, first)).to_be_visible()


def test_many_are_decided_at_once_into_a_collection(
    reviewer: Visitor, house: House, draw: Callable[..., list[str]]
) -> None:
    pictures = draw("many", 3)
    page = reviewer.open(REVIEW)
    choose(page, pictures[0])

    page.keyboard.press("Control+a")
    expect(page.locator("#selection-count")).to_have_text("3 pictures chosen")
    page.get_by_role("button", name="Accept into…").click()
    page.get_by_label("Name of the collection").fill("Reviewed together")
    page.keyboard.press("Enter")

    expect(page.locator("#toasts")).to_contain_text("3 pictures accepted")
    expect(page.locator("#empty")).to_contain_text("Nothing waits for a review")
    sql = "SELECT count(*) AS n FROM collection_media JOIN collections ON id = collection_id WHERE name = ?"
    assert house.query(sql, "Reviewed together")[0]["n"] == 3


def test_bar_says_who_submitted_and_why_it_waits(
    reviewer: Visitor, house: House, draw: Callable[..., list[str]]
) -> None:
    (asked,) = draw("asked-for", 1, owner="berta")
    page = reviewer.open(REVIEW)
    choose(page, asked)

    why = page.locator(".review-why")

    expect(why).to_contain_text("Submitted by berta with asked-for.json")
    expect(why).to_contain_text("Its job asked for a review.")


def test_undo_after_a_discard_takes_it_out_of_the_trash_and_an_acceptance_stays(
    reviewer: Visitor, house: House, draw: Callable[..., list[str]]
) -> None:
    first, second = draw("undone", 2)
    page = reviewer.open(REVIEW)
    choose(page, first)
    page.keyboard.press("d")
    expect(page.locator("#toasts")).to_contain_text("1 picture discarded")
    page.keyboard.press("Control+z")
    expect(page.locator("#toasts")).to_contain_text("in the library now, as accepted")
    assert review_of(house, first) == "accepted"

    expect_current(page, second)
    page.keyboard.press("a")
    expect(page.locator("#toasts")).to_contain_text("1 picture accepted")
    page.keyboard.press("Control+z")

    expect(page.locator("#toasts")).to_contain_text("an accepted picture stays accepted")
    assert shown_ids(page) == []
