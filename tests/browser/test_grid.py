"""The grid with many pictures: few cells, any place at once, a calm cursor, pictures chosen together."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from hotfolder.library.browse import VIEWS_MAX
from tests.browser.crowd import PICTURES, crowd_id, fill
from tests.browser.house import House
from tests.browser.light_table import cell, choose, shown_ids, wait_until_drawn
from tests.browser.visitor import GONE, Visitor

STATIC = "/-/static-plugins/hotfolder"
VIEWS_KEPT = VIEWS_MAX  # the server forgets a view after so many others
MOST_CELLS = 150
IN_SIGHT = """() => {
  const { top, bottom } = document.querySelector("#scroller").getBoundingClientRect();
  const isInSight = (box) => box.bottom > top && box.top < bottom;
  const cells = [...document.querySelectorAll("#grid .cell")];
  return cells.filter((each) => isInSight(each.getBoundingClientRect())).map((each) => each.dataset.mediaId);
}"""
IS_LOADED = f"""() => {{
  const ids = ({IN_SIGHT})();
  return ids.length > 0 && ids.every((each) => each);
}}"""
STANDS_STILL = """async () => {
  const look = () => JSON.stringify(document.querySelector("#grid .cell").getBoundingClientRect());
  const next = () => new Promise(requestAnimationFrame);
  await next();
  await next();
  const seen = [look()];
  for (const _ of "123") seen.push(await next().then(look));
  return [seen[1] === seen[2], seen[2] === seen[3]];
}"""
DRAG = """(cell) => {
  const dataTransfer = new DataTransfer();
  cell.dispatchEvent(new DragEvent("dragstart", { bubbles: true, cancelable: true, dataTransfer }));
  return dataTransfer.getData("application/x-hotfolder-media");
}"""


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A library with many pictures."""
    made = House(tmp_path_factory.mktemp("crowd") / "library", settings="{intake: {settle_ms: 100}}")
    try:
        made.open_house()
        fill(made)
        yield made
    finally:
        made.kill()


@pytest.fixture
def visitor(chromium: Browser, crowd: House) -> Iterator[Visitor]:
    """Somebody who is logged in there; nothing may go wrong in any of the pages."""
    with Visitor(chromium, crowd.url, crowd.cookies) as made:
        yield made


@pytest.fixture
def page(visitor: Visitor) -> Page:
    """The crowd, newest first."""
    return visitor.open("/-/library?origin=import")


def wait_for_sight(page: Page, media_id: str) -> None:
    """Until this picture is in sight with its thumbnail."""
    page.wait_for_function(f"(mediaId) => ({IN_SIGHT})().includes(mediaId)", arg=media_id)
    wait_until_drawn(cell(page, media_id).locator("img"))


def top_of(page: Page, media_id: str) -> float:
    """How far down a picture stands in the window."""
    box = cell(page, media_id).bounding_box()
    assert box is not None
    return box["y"]


def selected(page: Page) -> list[str]:
    """The chosen pictures that have cells."""
    ids: list[str] = page.locator('#grid .cell[aria-selected="true"]').evaluate_all(
        "cells => cells.map((cell) => cell.dataset.mediaId)"
    )
    return ids


def test_only_pictures_near_the_window_have_cells_and_each_says_its_place(page: Page) -> None:
    first = cell(page, crowd_id(0))

    expect(first).to_have_attribute("aria-setsize", str(PICTURES))
    expect(first).to_have_attribute("aria-posinset", "1")
    assert len(shown_ids(page)) < MOST_CELLS
    assert shown_ids(page) == [crowd_id(place) for place in range(len(shown_ids(page)))]
    assert page.evaluate("scroller.scrollHeight > 20 * scroller.clientHeight")


def test_scrollbar_leads_to_any_place_and_its_pictures_are_loaded_there(page: Page) -> None:
    page.evaluate("scroller.scrollTop = scroller.scrollHeight")
    wait_for_sight(page, crowd_id(PICTURES - 1))

    page.evaluate("scroller.scrollTop = scroller.scrollHeight / 2")
    page.wait_for_function(IS_LOADED)

    middle = page.evaluate(IN_SIGHT)[0]
    assert 0.4 * PICTURES < int(middle[-12:]) < 0.6 * PICTURES
    assert len(shown_ids(page)) < MOST_CELLS


def test_end_and_home_go_to_the_oldest_and_the_newest_of_all_pictures(page: Page) -> None:
    choose(page, crowd_id(3))

    page.keyboard.press("End")
    expect(cell(page, crowd_id(PICTURES - 1))).to_be_focused()
    wait_for_sight(page, crowd_id(PICTURES - 1))
    page.keyboard.press("ArrowLeft")
    expect(cell(page, crowd_id(PICTURES - 2))).to_have_attribute("aria-current", "true")
    page.keyboard.press("Home")

    expect(cell(page, crowd_id(0))).to_be_focused()
    wait_for_sight(page, crowd_id(0))


def test_cursor_stays_where_it_was_while_others_are_looked_at(page: Page) -> None:
    choose(page, crowd_id(3))

    page.evaluate("scroller.scrollTop = 5000")
    page.wait_for_function(f"(mediaId) => !({IN_SIGHT})().includes(mediaId)", arg=crowd_id(3))
    expect(cell(page, crowd_id(3))).to_be_focused()
    page.keyboard.press("ArrowRight")

    expect(cell(page, crowd_id(4))).to_be_focused()
    wait_for_sight(page, crowd_id(4))


def test_cursor_is_shown_when_marked_and_kept_by_another_filter_and_by_a_reload(
    page: Page, crowd: House
) -> None:
    deep = crowd_id(PICTURES - 2)
    choose(page, crowd_id(0))
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    wait_for_sight(page, deep)

    page.evaluate("scroller.scrollTop = 0")
    page.wait_for_function(f"(mediaId) => !({IN_SIGHT})().includes(mediaId)", arg=deep)
    page.keyboard.press("u")
    page.keyboard.press("2")
    wait_for_sight(page, deep)
    crowd.wait_for_marks(deep, 2, None)
    page.keyboard.press("0")
    page.get_by_role("button", name="Rejected").click()
    expect(page.locator("#empty")).to_be_visible()
    page.go_back()
    expect(cell(page, crowd_id(0))).to_have_attribute("aria-current", "true")

    page.keyboard.press("End")
    wait_for_sight(page, crowd_id(PICTURES - 1))
    page.goto("/-/library")
    page.go_back()
    wait_for_sight(page, crowd_id(PICTURES - 1))
    page.get_by_role("button", name="Take away: Import").click()
    page.wait_for_url("**/-/library")

    wait_for_sight(page, crowd_id(PICTURES - 1))
    expect(cell(page, crowd_id(PICTURES - 1))).to_have_attribute("aria-current", "true")


def test_page_keys_move_the_cursor_by_a_window_in_its_column(page: Page) -> None:
    choose(page, crowd_id(1))

    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    expect(page.locator("#grid [aria-current]")).not_to_have_attribute("data-media-id", crowd_id(1))
    page.keyboard.press("PageUp")
    page.keyboard.press("PageUp")

    expect(cell(page, crowd_id(1))).to_have_attribute("aria-current", "true")


def test_scrubber_goes_by_month_with_keys_and_to_any_date_by_a_click(page: Page) -> None:
    scrubber = page.locator("#scrubber")
    expect(scrubber).to_be_visible()
    expect(scrubber).to_have_attribute("aria-valuetext", re.compile(r"20 November 2024"))

    scrubber.focus()
    page.keyboard.press("PageDown")
    expect(scrubber).to_have_attribute("aria-valuetext", re.compile(r"31 October 2024"))
    box = scrubber.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] - 1)

    wait_for_sight(page, crowd_id(PICTURES - 1))
    expect(page.locator("#scrubber-day")).to_have_text(re.compile(r"September 2024"))


def test_scrubber_hides_when_the_order_is_not_by_date_or_all_fits_the_window(
    visitor: Visitor, crowd: House
) -> None:
    by_name = visitor.open("/-/library?origin=import&sort=name")
    expect(cell(by_name, shown_ids(by_name)[0])).to_be_visible()
    expect(by_name.locator("#scrubber")).to_be_hidden()

    crowd.draw("few")
    few = visitor.open("/-/library?origin=generation")
    expect(few.locator("#grid .cell").first).to_be_visible()
    expect(few.locator("#scrubber")).to_be_hidden()


def test_pictures_stand_still_at_every_height_of_the_window(visitor: Visitor, crowd: House) -> None:
    crowd.draw("still", count=3)
    page = visitor.open("/-/library?origin=generation")
    expect(page.locator("#grid .cell").first).to_be_visible()

    for height in range(330, 850, 10):  # once the scrubber is shown and once it is not, with larger cells
        page.set_viewport_size({"width": 1280, "height": height})
        assert page.evaluate(STANDS_STILL) == [True, True], height


def test_pictures_are_chosen_one_by_one_in_ranges_and_all_together(page: Page) -> None:
    cell(page, crowd_id(1)).click()
    assert selected(page) == [crowd_id(1)]
    cell(page, crowd_id(4)).click(modifiers=["Control"])
    assert selected(page) == [crowd_id(1), crowd_id(4)]
    cell(page, crowd_id(4)).click(modifiers=["Control"])
    assert selected(page) == [crowd_id(1)]
    cell(page, crowd_id(1)).click()
    cell(page, crowd_id(6)).click(modifiers=["Shift"])
    assert selected(page) == [crowd_id(place) for place in range(1, 7)]
    page.keyboard.press("Shift+ArrowLeft")
    assert selected(page) == [crowd_id(place) for place in range(1, 6)]

    page.keyboard.press("Control+a")
    assert selected(page) == shown_ids(page)
    cell(page, crowd_id(2)).click(modifiers=["Control"])
    assert crowd_id(2) not in selected(page)
    page.keyboard.press("ArrowRight")

    assert selected(page) == [crowd_id(3)]


def test_double_click_opens_the_loupe_and_a_second_single_click_does_not(page: Page) -> None:
    shown = choose(page, crowd_id(2))
    shown.click()
    expect(page.locator("#loupe")).to_be_hidden()

    shown.dblclick()

    expect(page.locator("#loupe")).to_be_visible()


def test_dragged_picture_takes_the_chosen_ones_along(page: Page) -> None:
    cell(page, crowd_id(1)).click()
    cell(page, crowd_id(3)).click(modifiers=["Control"])

    together = cell(page, crowd_id(3)).evaluate(DRAG)
    alone = cell(page, crowd_id(5)).evaluate(DRAG)

    assert json.loads(together) == [crowd_id(3), crowd_id(1)]
    assert json.loads(alone) == [crowd_id(5)]


def test_menu_opens_by_pointer_and_keys_stays_in_the_window_and_gives_the_focus_back(page: Page) -> None:
    last = page.evaluate(IN_SIGHT)[-1]
    cell(page, last).scroll_into_view_if_needed()
    cell(page, last).click(button="right")
    menu = page.get_by_role("menu")
    expect(menu).to_be_visible()
    box = menu.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 800
    assert box["x"] + box["width"] <= 1280
    expect(menu.get_by_role("menuitem").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(cell(page, last)).to_be_focused()

    page.keyboard.press("Shift+F10")

    expect(menu).to_be_visible()
    page.mouse.click(5, 5)
    expect(menu).to_have_count(0)


def test_size_of_the_thumbnails_changes_around_the_picture_that_is_looked_at(page: Page) -> None:
    page.evaluate("scroller.scrollTop = 3000")
    page.wait_for_function(IS_LOADED)
    looked = page.evaluate(IN_SIGHT)[3]
    choose(page, looked)
    before = top_of(page, looked)

    page.locator("#size").fill("260")

    assert top_of(page, looked) == pytest.approx(before, abs=1)


def test_what_is_looked_at_stays_when_a_picture_arrives_and_when_it_leaves(
    visitor: Visitor, crowd: House
) -> None:
    visitor.excuse(GONE)
    page = visitor.open()
    page.evaluate("scroller.scrollTop = 2000")
    page.wait_for_function(IS_LOADED)
    looked = page.evaluate(IN_SIGHT)[-1]
    before = top_of(page, looked)

    picture = crowd.draw("arriving-above")[0]
    expect(page.locator("#arrivals")).to_have_text("↑ 1 new")
    assert top_of(page, looked) == before
    page.locator("#arrivals").click()
    wait_for_sight(page, picture)
    assert shown_ids(page)[0] == picture
    expect(cell(page, picture)).to_be_focused()
    expect(cell(page, picture)).to_have_attribute("aria-current", "true")

    above = shown_ids(page)[1]
    visitor.post("/-/api/trash", {"mediaIds": [picture]})

    expect(cell(page, picture)).to_have_count(0)
    assert shown_ids(page)[0] == above


def test_expired_view_is_renewed_around_what_is_looked_at_and_the_cursor_gets_there(
    visitor: Visitor, page: Page
) -> None:
    visitor.excuse("410")
    for number in range(VIEWS_KEPT + 1):
        assert visitor.context.request.get(f"/-/api/media?q=nothing{number}&offset=0").ok

    page.evaluate("scroller.scrollTop = 20_000")
    page.wait_for_function(IS_LOADED)
    assert page.evaluate("scroller.scrollTop") == 20_000
    for number in range(VIEWS_KEPT + 1):
        assert visitor.context.request.get(f"/-/api/media?q=never{number}&offset=0").ok
    page.keyboard.press("End")

    expect(cell(page, crowd_id(PICTURES - 1))).to_have_attribute("aria-current", "true")
    wait_for_sight(page, crowd_id(PICTURES - 1))


def test_place_in_a_sheet_too_long_for_a_browser_is_the_same_there_and_back(page: Page) -> None:
    found = page.evaluate(
        """async (static) => {
          const { Stretch } = await import(`${static}/stretch.js`);
          const stretch = new Stretch(40_000_000);
          const heights = [0, 1, 999_999, 5_000_000, 20_000_000, 39_000_001, 39_999_200];
          const there = heights.map((each) => stretch.toShown(each));
          const back = there.map((each) => Math.round(stretch.toWhole(each)));
          return { shown: stretch.shown, there, back, heights };
        }""",
        STATIC,
    )

    assert found["back"] == found["heights"]
    assert found["there"] == sorted(found["there"])
    assert found["there"][:3] == [0, 1, 999_999]
    assert found["there"][-1] == found["shown"] - 800


def test_places_close_up_behind_what_left_and_open_again(page: Page) -> None:
    found = page.evaluate(
        """async (static) => {
          const { Places } = await import(`${static}/places.js`);
          const places = new Places(10);
          [3, 7, 4, 3].forEach((each) => places.take(each));
          const after = Array.from({ length: places.length }, (_, place) => places.offsetAt(place));
          const back = after.map((offset) => places.placeOf(offset));
          places.putBack(4);
          return { after, back, again: places.offsetAt(3), length: places.length };
        }""",
        STATIC,
    )

    assert found == {"after": [0, 1, 2, 5, 6, 8, 9], "back": list(range(7)), "again": 4, "length": 8}


def test_phone_shows_the_grid_without_sideways_scrolling(chromium: Browser, crowd: House) -> None:
    with Visitor(chromium, crowd.url, crowd.log_in("ben"), size=(360, 740)) as visitor:
        page = visitor.open()
        expect(page.locator("#grid .cell").first).to_be_visible()

        assert page.evaluate("document.querySelector('#table').getBoundingClientRect().right") <= 360
        assert page.evaluate("scroller.scrollWidth - scroller.clientWidth") <= 0
        assert top_of(page, shown_ids(page)[0]) == top_of(page, shown_ids(page)[1])
