"""The loupe: one picture, its neighbours at hand, or several beside each other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests import pictures
from tests.browser.house import House
from tests.browser.light_table import cell, choose, loupe_id, shown_ids
from tests.browser.visitor import Visitor
from tests.scenarios.service import wait_for

LARGE = (1536, 1024)
SHOWN = "#loupe-image > img"


@pytest.fixture(scope="module")
def large(house: House) -> list[str]:
    """Four pictures larger than the window, the newest first; the second was made from the last."""
    ids = draw_large(house, "first-large", 1)
    ids = draw_large(house, "other-large", 1) + ids
    ids = draw_large(house, "made-from", 1, refs=[{"media": ids[-1]}]) + ids
    return draw_large(house, "last-large", 1) + ids


def draw_large(house: House, name: str, count: int, refs: list[dict[str, str]] | None = None) -> list[str]:
    """Let a job draw pictures that do not fit into the window."""
    params = {"prompt": name, "size": f"{LARGE[0]}*{LARGE[1]}", "seed": 3, "steps": 1}
    found = {"endpointKey": "local.procedural.image", "params": params, "count": count, "refs": refs or []}
    house.drop(f"{name}.json", json.dumps(found))
    return house.wait_for_pictures_of(name, count)


def open_loupe(visitor: Visitor, media_id: str) -> Page:
    """The loupe on this picture, once it is sharp."""
    page = visitor.open(f"/-/library#{media_id}")
    wait_until_sharp(page)
    return page


def wait_until_sharp(page: Page) -> None:
    expect(page.locator("#loupe-image")).to_have_attribute("data-sharp", "true")


def go_to_loupe(page: Page, key: str) -> str:
    """Press a key that changes the picture in the loupe; its id, once it is shown sharp."""
    before = page.url
    page.keyboard.press(key)
    page.wait_for_function("before => location.href !== before", arg=before)
    wait_until_sharp(page)
    return loupe_id(page)


def rate(reviewer: Visitor, media_ids: list[str], stars: int) -> None:
    """Rate pictures as another tab would."""
    for each in media_ids:
        reviewer.post(f"/-/api/media/{each}", {"rating": stars})


def box_of(found: Locator) -> dict[str, float]:
    box = found.bounding_box()
    assert box is not None
    return dict(box)


def share_at(page: Page, x: float, y: float) -> tuple[float, float]:
    """The point of the picture that lies under this point of the window, from 0 to 1."""
    box = box_of(page.locator("#loupe-image"))
    return (x - box["x"]) / box["width"], (y - box["y"]) / box["height"]


def zoom_words(page: Page) -> str:
    return page.locator("#loupe-zoom").inner_text()


def touch(page: Page, *steps: list[tuple[int, int]]) -> None:
    """Put fingers down at the first of these places, move them over the others, and lift them."""
    session = page.context.new_cdp_session(page)
    for number, fingers in enumerate(steps):
        points = [{"x": x, "y": y, "id": each} for each, (x, y) in enumerate(fingers)]
        kind = "touchMove" if number else "touchStart"
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    session.detach()


def test_loupe_walks_the_filtered_pictures_in_order_and_back(reviewer: Visitor, house: House) -> None:
    wanted = house.draw("walked", count=4)
    rate(reviewer, wanted, 5)
    page = reviewer.open("/-/library?minRating=5")
    assert shown_ids(page) == wanted
    choose(page, wanted[0])

    page.keyboard.press("Enter")
    expect(page.locator("#loupe-place")).to_have_text("1 of 4")
    there = [loupe_id(page), *(go_to_loupe(page, "ArrowRight") for _ in range(3))]
    page.keyboard.press("ArrowRight")
    back = [loupe_id(page), *(go_to_loupe(page, "ArrowLeft") for _ in range(3))]

    assert there == wanted
    assert back == list(reversed(wanted))
    rate(reviewer, wanted, 0)


def test_escape_returns_to_the_grid_on_the_picture_that_was_seen_last(
    reviewer: Visitor, house: House
) -> None:
    seen = house.draw("seen", count=3)
    page = reviewer.open()
    choose(page, seen[0])
    page.keyboard.press("Enter")
    go_to_loupe(page, "ArrowRight")
    assert go_to_loupe(page, "ArrowRight") == seen[2]

    page.keyboard.press("Escape")

    expect(page.locator("#loupe")).to_be_hidden()
    expect(cell(page, seen[2])).to_have_attribute("aria-current", "true")
    expect(cell(page, seen[2])).to_be_focused()
    expect(cell(page, seen[2])).to_be_in_viewport()
    page.wait_for_url("**/-/library")


def test_link_to_a_picture_opens_the_loupe_and_back_closes_it(reviewer: Visitor, house: House) -> None:
    picture = house.draw("linked", count=2)[1]
    page = reviewer.open(f"/-/library#{picture}")
    expect(page.locator("#loupe")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#loupe")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page.locator("#loupe")).to_be_visible()

    page.go_back()

    expect(page.locator("#loupe")).to_be_hidden()
    expect(cell(page, picture)).to_have_attribute("aria-current", "true")


def test_wheel_and_trackpad_pinch_zoom_to_the_cursor(reviewer: Visitor, large: list[str]) -> None:
    page = open_loupe(reviewer, large[0])
    assert zoom_words(page).startswith("Fit")
    stage = box_of(page.locator("#stage"))
    x, y = stage["x"] + stage["width"] * 0.3, stage["y"] + stage["height"] * 0.6
    before = share_at(page, x, y)

    page.mouse.move(x, y)
    page.mouse.wheel(0, -400)
    expect(page.locator("#loupe-zoom")).not_to_contain_text("Fit")
    by_wheel = share_at(page, x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -40)
    page.keyboard.up("Control")

    assert by_wheel == pytest.approx(before, abs=0.002)
    assert share_at(page, x, y) == pytest.approx(before, abs=0.002)
    page.mouse.wheel(0, 5000)
    expect(page.locator("#loupe-zoom")).to_contain_text("Fit")


def test_double_click_shows_a_picture_pixel_for_each_of_the_screen_and_resets(
    reviewer: Visitor, large: list[str]
) -> None:
    page = open_loupe(reviewer, large[0])
    page.wait_for_timeout(400)  # a double click that opened the loupe would still be going on

    page.mouse.dblclick(500, 400)
    expect(page.locator("#loupe-zoom")).to_have_text("100 %")
    box = box_of(page.locator("#loupe-image"))
    page.mouse.dblclick(500, 400)

    assert (round(box["width"]), round(box["height"])) == LARGE
    expect(page.locator("#loupe-zoom")).to_contain_text("Fit")


def test_drag_and_shift_with_arrows_move_an_enlarged_picture_up_to_its_edge(
    reviewer: Visitor, large: list[str]
) -> None:
    page = open_loupe(reviewer, large[0])
    page.keyboard.press("z")
    before = box_of(page.locator("#loupe-image"))

    page.mouse.move(500, 400)
    page.mouse.down()
    page.mouse.move(460, 430, steps=4)
    page.mouse.up()
    dragged = box_of(page.locator("#loupe-image"))
    for _ in range(9):
        page.keyboard.press("Shift+ArrowLeft")
    stage = box_of(page.locator("#stage"))

    assert dragged["x"] - before["x"] == pytest.approx(-40, abs=1)
    assert dragged["y"] - before["y"] == pytest.approx(30, abs=1)
    assert box_of(page.locator("#loupe-image"))["x"] == pytest.approx(stage["x"], abs=1)
    assert loupe_id(page) == large[0]


def test_zoom_and_place_are_kept_from_picture_to_picture_unless_it_is_told_otherwise(
    reviewer: Visitor, large: list[str]
) -> None:
    page = open_loupe(reviewer, large[0])
    page.keyboard.press("z")
    page.keyboard.press("Shift+ArrowRight")
    before = box_of(page.locator("#loupe-image"))

    go_to_loupe(page, "ArrowRight")
    kept = box_of(page.locator("#loupe-image"))
    page.keyboard.press("l")
    expect(page.locator("#loupe-keep")).to_have_attribute("aria-pressed", "false")
    go_to_loupe(page, "ArrowLeft")

    assert kept == before
    expect(page.locator("#loupe-zoom")).to_contain_text("Fit")
    page.keyboard.press("l")  # it is remembered
    expect(page.locator("#loupe-keep")).to_have_attribute("aria-pressed", "true")


def test_plus_and_minus_go_by_round_levels(reviewer: Visitor, large: list[str]) -> None:
    page = open_loupe(reviewer, large[0])
    page.keyboard.press("z")

    page.keyboard.press("+")
    expect(page.locator("#loupe-zoom")).to_have_text("150 %")
    page.keyboard.press("-")
    expect(page.locator("#loupe-zoom")).to_have_text("100 %")
    page.locator("#loupe-zoom").click()
    expect(page.locator("#loupe-zoom")).to_contain_text("Fit")


def test_neighbours_are_sharp_in_the_next_frame_and_no_more_than_three_are_held(
    reviewer: Visitor, large: list[str]
) -> None:
    reviewer.scripts.append(
        "globalThis.made = []; globalThis.Image = class extends Image {"
        " constructor(...sizes) { super(...sizes); made.push(this); } };"
    )
    page = open_loupe(reviewer, large[1])
    held = "made.filter((image) => image.getAttribute('src')?.includes('/original'))"
    page.wait_for_function(f"() => {held}.length === 3 && {held}.every((image) => image.complete)")
    page.evaluate(f"() => Promise.all({held}.map((image) => image.decode()))")

    sharp = page.evaluate(
        "async () => {"
        " const key = new KeyboardEvent('keydown', { key: 'ArrowRight', bubbles: true });"
        " document.body.dispatchEvent(key);"
        " await new Promise(requestAnimationFrame); const shown = document.querySelector('#loupe-image');"
        " return [shown.dataset.sharp, shown.querySelector(':scope > img')?.src ?? '']; }"
    )

    assert sharp[0] == "true"
    assert large[2] in sharp[1]
    go_to_loupe(page, "ArrowRight")
    assert page.evaluate(f"() => {held}.length") <= 3


def test_thumbnail_stands_where_the_original_will_be(reviewer: Visitor, large: list[str]) -> None:
    release: list[bool] = []
    reviewer.context.route(
        f"**/media/{large[0]}/original*", lambda route: route.continue_() if release else release.append(True)
    )
    page = reviewer.new_tab()
    page.goto(f"/-/library#{large[0]}", wait_until="commit")  # it is not whole while the original is held
    picture = page.locator("#loupe-image")
    expect(picture).to_have_attribute("data-sharp", "false")
    expect(picture.locator(".placeholder img").last).to_be_visible()
    before = box_of(picture)

    reviewer.context.unroute_all()
    page.keyboard.press("ArrowRight")
    go_to_loupe(page, "ArrowLeft")

    assert loupe_id(page) == large[0]
    assert box_of(picture) == before


def test_original_that_is_gone_says_so(reviewer: Visitor, house: House) -> None:
    picture = house.draw("lost")[0]
    (row,) = house.query("SELECT file_path FROM media WHERE id = ?", picture)
    original = house.root / row["file_path"]
    away = original.rename(house.root.with_name("lost.png"))
    reviewer.excuse("status of 404")

    page = reviewer.open(f"/-/library#{picture}")

    expect(page.locator("#stage > .pane .stage-failed")).to_have_text("This original could not be shown.")
    away.rename(original)


def test_picture_that_lies_on_its_side_in_the_file_stands_upright(
    reviewer: Visitor, house: House, tmp_path: Path
) -> None:
    made = pictures.write_jpeg(tmp_path / "turned.jpg", (60, 90), orientation=6)
    picture = take_in(house, made, "turned.jpg")
    page = open_loupe(reviewer, picture)

    size = page.locator(SHOWN).evaluate("image => [image.naturalWidth, image.naturalHeight]")
    box = box_of(page.locator("#loupe-image"))

    assert size == [60, 90]
    assert box["width"] / box["height"] == pytest.approx(60 / 90, abs=0.01)


def test_transparent_picture_lies_on_a_checker(reviewer: Visitor, house: House, tmp_path: Path) -> None:
    Image.new("RGBA", (70, 50), (200, 0, 0, 40)).save(tmp_path / "clear.png")
    picture = take_in(house, tmp_path / "clear.png", "clear.png")

    page = open_loupe(reviewer, picture)

    ground = page.locator("#loupe-image").evaluate("each => getComputedStyle(each).backgroundImage")
    assert "conic-gradient" in ground


def take_in(house: House, picture: Path, name: str) -> str:
    """Drop a file into import/; its id once it is a picture of the library."""
    content = picture.read_bytes()
    hidden = house.root / "import" / f".{name}"
    hidden.write_bytes(content)
    hidden.rename(house.root / "import" / name)
    rows = wait_for(
        lambda: house.query("SELECT id FROM media WHERE original_name = ?", name), f"{name} to come in"
    )
    media_id: str = rows[0]["id"]
    return media_id


def test_filmstrip_keeps_the_current_picture_in_the_middle_and_a_click_goes_there(
    reviewer: Visitor, large: list[str]
) -> None:
    page = open_loupe(reviewer, large[0])
    strip = box_of(page.locator("#filmstrip"))
    frame = page.locator(f'#filmstrip [data-frame="{large[2]}"]')

    frame.click()

    expect(page.locator(f'#filmstrip [data-frame="{large[2]}"][aria-current="true"]')).to_be_visible()
    wait_until_sharp(page)
    assert loupe_id(page) == large[2]
    middle = box_of(frame)["x"] + box_of(frame)["width"] / 2
    assert middle == pytest.approx(strip["x"] + strip["width"] / 2, abs=3)
    page.mouse.move(strip["x"] + 60, strip["y"] + 30)
    page.mouse.wheel(0, 200)
    page.wait_for_function("() => document.querySelector('#filmstrip').scrollLeft > 200")
    assert loupe_id(page) == large[2]


def test_key_shows_what_it_did_over_the_picture_and_in_the_filmstrip(reviewer: Visitor, house: House) -> None:
    picture = house.draw("flashed")[0]
    page = open_loupe(reviewer, picture)

    page.keyboard.press("4")

    expect(page.locator("#flash")).to_have_text("★★★★☆")
    expect(page.locator(f'#filmstrip [data-frame="{picture}"]')).to_have_attribute("data-rating", "4")
    house.wait_for_marks(picture, 4, None)


def test_compared_pictures_share_their_zoom_and_keys_change_the_active_one(
    reviewer: Visitor, house: House, large: list[str]
) -> None:
    page = open_loupe(reviewer, large[0])
    panes = page.locator("#compare .pane")

    page.keyboard.press("c")
    expect(panes).to_have_count(2)
    expect(panes.nth(0)).to_have_attribute("aria-current", "true")
    expect(page.locator('#compare .picture[data-sharp="true"]')).to_have_count(2)
    page.keyboard.press("ArrowRight")
    expect(panes.nth(1)).to_have_attribute("aria-current", "true")
    page.keyboard.press("x")
    house.wait_for_marks(large[1], 0, "rejected")
    expect(panes.nth(1)).to_have_attribute("data-status", "rejected")
    page.keyboard.press("z")
    page.keyboard.press("Shift+ArrowRight")
    boxes = [box_of(panes.nth(each).locator(".picture")) for each in (0, 1)]
    edges = [box_of(panes.nth(each)) for each in (0, 1)]
    panes.nth(0).click()
    expect(panes.nth(0)).to_have_attribute("aria-current", "true")
    page.keyboard.press("Escape")

    assert [box["width"] for box in boxes] == [LARGE[0], LARGE[0]]
    assert boxes[0]["x"] - edges[0]["x"] == pytest.approx(boxes[1]["x"] - edges[1]["x"], abs=1)
    expect(page.locator("#compare")).to_be_hidden()
    expect(page.locator("#loupe")).to_be_visible()
    assert loupe_id(page) == large[0]
    assert house.marks_of(large[0]) == (0, None)
    reviewer.post(f"/-/api/media/{large[1]}", {"status": None})


def test_four_selected_pictures_are_compared_two_by_two(reviewer: Visitor, large: list[str]) -> None:
    page = reviewer.open()
    choose(page, large[0])
    for each in large:
        cell(page, each).click(modifiers=["Control"])
    if page.locator("#loupe").is_hidden():
        page.keyboard.press("Enter")

    page.keyboard.press("c")

    panes = page.locator("#compare .pane")
    expect(panes).to_have_count(4)
    first, second, third, fourth = (box_of(panes.nth(each)) for each in range(4))
    assert first["y"] == second["y"] < third["y"] == fourth["y"]
    assert first["x"] == third["x"] < second["x"] == fourth["x"]


def test_backslash_shows_what_a_picture_was_made_from_and_the_divider_moves_by_keys(
    reviewer: Visitor, large: list[str]
) -> None:
    page = open_loupe(reviewer, large[1])
    pane = page.locator("#stage > .pane")

    page.keyboard.press("\\")
    expect(pane).to_have_attribute("data-before", "whole")
    expect(pane.locator(".source img")).to_be_visible()
    assert large[3] in (pane.locator(".source img").get_attribute("src") or "")
    assert box_of(pane.locator(".source")) == box_of(page.locator("#loupe-image"))
    page.keyboard.press("\\")
    expect(pane).to_have_attribute("data-before", "off")
    page.keyboard.press("y")
    divider = page.get_by_role("slider", name="Divider")
    divider.focus()
    page.keyboard.press("ArrowRight")

    expect(divider).to_have_attribute("aria-valuenow", "52")
    assert loupe_id(page) == large[1]
    page.keyboard.press("Escape")
    expect(divider).to_be_hidden()
    expect(page.locator("#loupe")).to_be_visible()


def test_picture_made_from_nothing_has_no_before(reviewer: Visitor, large: list[str]) -> None:
    page = open_loupe(reviewer, large[3])

    page.keyboard.press("y")

    expect(page.locator("#toasts")).to_contain_text("not made from another one")
    expect(page.locator("#loupe-before")).to_have_attribute("aria-pressed", "false")


def test_escape_leaves_the_full_screen_before_the_loupe(reviewer: Visitor, large: list[str]) -> None:
    page = open_loupe(reviewer, large[0])

    page.keyboard.press("f")
    expect(page.locator("body.full-screen")).to_be_visible()
    expect(page.locator("#loupe[data-idle] .loupe-bar")).to_have_css("opacity", "0")
    page.mouse.move(300, 300)
    page.mouse.move(310, 300)
    expect(page.locator(".loupe-bar")).to_have_css("opacity", "1")
    page.keyboard.press("Escape")

    expect(page.locator("body.full-screen")).to_have_count(0)
    expect(page.locator("#loupe")).to_be_visible()


def test_tab_stays_in_the_loupe(reviewer: Visitor, large: list[str]) -> None:
    page = open_loupe(reviewer, large[0])
    outside = "() => document.activeElement.matches('.topbar *, .table *, .statusbar *')"

    for _ in range(40):
        page.keyboard.press("Tab")
        assert not page.evaluate(outside)
    for _ in range(3):
        page.keyboard.press("Shift+Tab")
        assert not page.evaluate(outside)


def test_picture_is_dragged_out_of_the_loupe_as_out_of_the_grid(reviewer: Visitor, large: list[str]) -> None:
    page = open_loupe(reviewer, large[0])
    picture = page.locator("#loupe-image")
    expect(picture).to_have_attribute("draggable", "true")

    dragged = picture.evaluate(
        "picture => { const dataTransfer = new DataTransfer();"
        " picture.dispatchEvent(new DragEvent('dragstart', { dataTransfer }));"
        " return dataTransfer.getData('application/x-hotfolder-media'); }"
    )

    assert json.loads(dragged) == [large[0]]
    page.keyboard.press("z")
    expect(picture).to_have_attribute("draggable", "false")


def test_finger_swipes_to_the_next_picture_pinches_and_swipes_down_to_the_grid(
    visit: Callable[..., Visitor], house: House, large: list[str]
) -> None:
    visitor = visit(house.log_in("bea"), size=(360, 740))
    page = open_loupe(visitor, large[0])
    assert page.evaluate("document.scrollingElement.scrollWidth - innerWidth") <= 0

    touch(page, [(300, 300)], [(220, 302)], [(120, 304)])
    expect(page).to_have_url(re.compile(large[1]))
    wait_until_sharp(page)
    touch(page, [(150, 300), (210, 300)], [(110, 300), (250, 300)], [(60, 300), (300, 300)])
    expect(page.locator("#loupe-zoom")).not_to_contain_text("Fit")
    assert loupe_id(page) == large[1]
    page.keyboard.press("z")
    touch(page, [(200, 250)], [(202, 340)], [(204, 420)])

    expect(page.locator("#loupe")).to_be_hidden()
