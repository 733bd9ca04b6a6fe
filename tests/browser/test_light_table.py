"""The light table: pictures in a grid and in the loupe, marked by keys, filtered by the address."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.house import REVIEWER, House
from tests.browser.light_table import choose, shown_ids, wait_until_drawn
from tests.browser.visitor import Visitor

MARKS = [("p", (0, "selected")), ("x", (0, "rejected")), ("4", (4, None)), ("5", (5, None))]


def rate(reviewer: Visitor, media_ids: list[str], stars: int) -> None:
    """Rate pictures as another tab would."""
    for each in media_ids:
        reviewer.post(f"/-/api/media/{each}", {"rating": stars})


def test_printed_link_logs_in_and_lands_on_the_library(visit: Callable[..., Visitor], house: House) -> None:
    url, token = house.wait_for_link()
    visitor = visit()

    page = visitor.open(f"/-/auth-token?token={token}")

    assert page.url == f"{url}/-/library"
    expect(page.locator(".actor")).not_to_have_text("looking only")
    assert len(shown_ids(page)) >= 8
    wait_until_drawn(page.locator("#grid img").first)
    again = visit()
    again.excuse("status of 403")
    expect(again.open(f"/-/auth-token?token={token}").locator("h1")).to_contain_text("has been used")


def test_first_image_of_the_page_is_the_newest_picture_without_any_script(
    house: House, chromium: Browser
) -> None:
    newest = house.draw("newest")[0]
    context = chromium.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(f"{house.url}/-/library")
        assert newest in page.locator("img").first.get_attribute("src")
    finally:
        context.close()


@pytest.mark.parametrize(("key", "marks"), MARKS, ids=[key for key, _ in MARKS])
def test_key_marks_the_picture_in_the_database_under_the_name_of_the_reviewer(
    reviewer: Visitor, house: House, key: str, marks: tuple[int, str | None]
) -> None:
    picture = house.draw(f"marked-{key}")[0]
    page = reviewer.open()
    shown = choose(page, picture)

    page.keyboard.press(key)

    house.wait_for_marks(picture, *marks)
    expect(shown).to_have_attribute("data-rating", str(marks[0]))
    expect(shown).to_have_attribute("data-status", marks[1] or "")
    page.keyboard.press("u")
    page.keyboard.press("0")
    house.wait_for_marks(picture, 0, None)
    rows = house.query("SELECT actor FROM rating_history WHERE media_id = ?", picture)
    assert [row["actor"] for row in rows] == [REVIEWER, REVIEWER]


def test_marks_given_in_a_hurry_all_arrive_and_the_last_one_counts(reviewer: Visitor, house: House) -> None:
    pictures = house.draw("hurry", count=3)
    page = reviewer.open()
    choose(page, pictures[0])

    for key in ("1", "2", "3", "p", "ArrowRight", "5", "x", "2", "ArrowRight", "x", "p", "u", "4"):
        page.keyboard.press(key)

    house.wait_for_marks(pictures[0], 3, "selected")
    house.wait_for_marks(pictures[1], 2, "rejected")
    house.wait_for_marks(pictures[2], 4, None)


def test_filter_survives_reload_and_back(reviewer: Visitor, house: House) -> None:
    rated = house.draw("filtered", count=2)
    rate(reviewer, rated, 5)
    page = reviewer.open()
    everything = shown_ids(page)

    page.get_by_role("button", name="at least 5 stars").click()
    expect(page.locator("#grid .cell")).to_have_count(2)
    assert page.url.endswith("/-/library?minRating=5")
    assert shown_ids(page) == rated
    page.reload()
    assert shown_ids(page) == rated
    page.get_by_role("button", name="Picked").click()
    expect(page.locator("#empty")).to_be_visible()
    page.go_back()
    expect(page.locator("#grid .cell")).to_have_count(2)
    page.go_back()

    expect(page.locator("#grid .cell")).to_have_count(len(everything))
    assert shown_ids(page) == everything
    rate(reviewer, rated, 0)


def test_visitor_without_login_is_told_so_and_changes_nothing(
    visit: Callable[..., Visitor], house: House
) -> None:
    picture = house.draw("untouched")[0]
    visitor = visit()
    posts: list[str] = []
    visitor.context.on(
        "request", lambda request: posts.append(request.url) if request.method == "POST" else None
    )
    page = visitor.open()
    shown = choose(page, picture)

    for key in "4px":
        page.keyboard.press(key)

    expect(page.locator("#toasts")).to_contain_text("hotfolder login")
    expect(shown).to_have_attribute("data-rating", "0")
    expect(shown).to_have_attribute("data-status", "")
    assert house.marks_of(picture) == (0, None)
    assert posts == []


def test_keys_do_nothing_while_somebody_types_or_a_dialog_is_open(reviewer: Visitor, house: House) -> None:
    picture = house.draw("typed")[0]
    page = reviewer.open()
    choose(page, picture)
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if is_mark(request) else None)
    page.evaluate("document.querySelector('#filters').append(document.createElement('input'))")

    field = page.locator("#filters > input")
    field.focus()
    page.keyboard.type("4pxui")
    field.press("Enter")
    assert field.input_value() == "4pxui"
    field.evaluate("field => field.remove()")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("4")
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("Control+4")

    expect(page.locator("#loupe")).to_be_hidden()
    with page.expect_request(is_mark):
        page.keyboard.press("3")  # its answer comes after those of all keys before
    house.wait_for_marks(picture, 3, None)
    assert len(posts) == 1


def is_mark(request: Request) -> bool:
    """The form beside the grid asks by POST too, whether its job is sound."""
    return request.method == "POST" and "/api/media/" in request.url


@pytest.mark.parametrize("path", ["/-/library", "/-/queue", "/-/setup"])
def test_narrow_window_needs_no_sideways_scrolling(
    visit: Callable[..., Visitor], house: House, path: str
) -> None:
    page = visit(house.cookies, size=(600, 800)).open(path)
    expect(page.locator(".statusbar")).to_be_visible()
    assert overhang_px(page) <= 0
    if path == "/-/library":
        page.keyboard.press("Enter")
        expect(page.locator("#loupe")).to_be_visible()
        assert overhang_px(page) <= 0


def overhang_px(page: Page) -> int:
    found: int = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
    return found


def test_refused_rating_is_put_back_with_a_message_and_the_page_recovers(
    chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> None:
    own = House(tmp_path_factory.mktemp("stopping") / "library", settings="")
    try:
        own.open_house()
        picture = own.draw("refused")[0]
        with Visitor(chromium, own.url, own.cookies) as visitor:
            visitor.excuse("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET")
            page = visitor.open()
            shown = choose(page, picture)
            assert own.stop() == 0
            expect(page.locator("#engine-words")).to_have_text("Not connected")

            page.keyboard.press("4")

            expect(page.locator("#toasts")).to_contain_text("Not rated: The server cannot be reached.")
            expect(shown).to_have_attribute("data-rating", "0")
            own.start_web(port=int(own.url.rpartition(":")[2]))
            expect(page.locator("#engine-words")).not_to_have_text("Not connected")
            page.keyboard.press("3")
            own.wait_for_marks(picture, 3, None)
    finally:
        own.kill()
