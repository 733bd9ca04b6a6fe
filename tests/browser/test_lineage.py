"""The lineage page: from sources to what was made of them, by mouse and by keys, wide and narrow."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.browser.house import House
from tests.browser.light_table import wait_until_drawn
from tests.browser.visitor import Visitor

HOSTILE = "<img src=x onerror=alert(1)>"
PHONE = (360, 760)


class Family(NamedTuple):
    source: str
    other: str
    child: str
    grandchild: str


def draw(house: House, name: str, *refs: tuple[str, str], **job: Any) -> str:
    """A picture made from others, which are given with their roles; its id."""
    params = {"prompt": f"A {name}", "size": "96*64", "seed": 7, "steps": 1}
    found = {"endpointKey": "local.procedural.image", "params": params, **job}
    if refs:
        found["refs"] = [{"media": media_id, "role": role} for media_id, role in refs]
    house.drop(f"{name}.json", json.dumps(found))
    return house.wait_for_pictures_of(name, 1)[0]


@pytest.fixture(scope="module")
def family(house: House) -> Family:
    """Two sources, a child of both, and a grandchild."""
    source, other = draw(house, "grandmother", title=HOSTILE), draw(house, "grandfather", title="Grandfather")
    child = draw(house, "mother", (source, "content"), (other, "style"), title="Mother")
    return Family(source, other, child, draw(house, "daughter", (child, "content"), title="Daughter"))


def card(page: Page, media_id: str) -> Locator:
    return page.locator(f'#graph [data-key="{media_id}"]')


def place(page: Page, media_id: str) -> FloatRect:
    """Where a card stands."""
    found = card(page, media_id).bounding_box()
    assert found
    return found


def level(page: Page, number: int) -> Locator:
    return page.locator(f'#graph section[data-level="{number}"]')


def test_graph_goes_from_sources_to_what_was_made_of_them(reviewer: Visitor, family: Family) -> None:
    page = reviewer.open(f"/-/lineage/{family.child}")

    expect(page.locator("#graph section")).to_have_count(3)
    expect(level(page, -1).locator("b")).to_have_text([HOSTILE, "Grandfather"])
    expect(level(page, 0).locator("b")).to_have_text("Mother")
    expect(level(page, 1).locator("b")).to_have_text("Daughter")
    expect(page.locator("#graph path")).to_have_count(3)
    expect(card(page, family.other)).to_contain_text("as style")
    expect(card(page, family.child)).to_contain_text("image to image")
    expect(page.locator("#graph img[src='x']")).to_have_count(0)
    wait_until_drawn(card(page, family.source).locator("img"))
    places = [place(page, each)["x"] for each in (family.source, family.child, family.grandchild)]
    assert places == sorted(places)


def test_keys_lead_from_picture_to_picture_and_into_the_loupe(reviewer: Visitor, family: Family) -> None:
    page = reviewer.open(f"/-/lineage/{family.child}")

    card(page, family.grandchild).focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/-/lineage/{family.grandchild}")
    expect(page.locator("#lineage-title")).to_have_text("Daughter")
    expect(card(page, family.grandchild)).to_have_attribute("aria-current", "true")
    for number in (-2, -1, 0):
        expect(level(page, number)).to_be_visible()
    card(page, family.grandchild).press("Enter")

    page.wait_for_url(f"**/-/library#{family.grandchild}")


def test_lines_of_a_picture_light_up_with_it(reviewer: Visitor, family: Family) -> None:
    page = reviewer.open(f"/-/lineage/{family.child}")

    card(page, family.grandchild).focus()
    expect(page.locator("#graph path.lit")).to_have_count(1)
    card(page, family.child).focus()

    expect(page.locator("#graph path.lit")).to_have_count(3)


def test_deleted_source_keeps_its_thumbnail_and_leads_nowhere(reviewer: Visitor, house: House) -> None:
    source = draw(house, "gone", title="Gone")
    made = draw(house, "left", (source, "content"), title="Left")
    with sqlite3.connect(house.root / "library.db", timeout=20) as connection:
        connection.execute("UPDATE media SET deleted_at = created_at WHERE id = ?", (source,))

    page = reviewer.open(f"/-/lineage/{made}")

    gone = card(page, source)
    expect(gone).to_contain_text("deleted")
    wait_until_drawn(gone.locator("img"))
    assert gone.get_attribute("href") is None


def test_picture_without_relatives_says_so(reviewer: Visitor, house: House) -> None:
    page = reviewer.open(f"/-/lineage/{draw(house, 'alone', title='Alone')}")

    expect(page.locator("#lineage-empty")).to_contain_text("no relatives")
    expect(page.locator("#graph .card")).to_have_count(1)


def test_what_is_made_meanwhile_appears(reviewer: Visitor, house: House) -> None:
    source = draw(house, "beginning", title="Beginning")
    page = reviewer.open(f"/-/lineage/{source}")
    expect(page.locator("#lineage-empty")).to_be_visible()

    made = draw(house, "following", (source, "content"), title="Following")

    expect(card(page, made)).to_be_visible()
    expect(page.locator("#lineage-empty")).to_be_hidden()


def test_narrow_window_shows_a_list_that_fits(
    visit: Callable[..., Visitor], house: House, family: Family
) -> None:
    page = visit(house.cookies, size=PHONE).open(f"/-/lineage/{family.child}")

    expect(page.locator("#graph svg")).to_be_hidden()
    boxes = [place(page, each) for each in family]
    assert all(each["x"] >= 0 and each["x"] + each["width"] <= PHONE[0] for each in boxes)
    assert sorted(each["y"] for each in boxes) == [each["y"] for each in boxes]
    assert page.evaluate("document.querySelector('#lineage').scrollWidth <= innerWidth")


def test_visitor_may_look_and_unknown_picture_is_told_as_a_page(
    visit: Callable[..., Visitor], family: Family
) -> None:
    visitor = visit()
    visitor.excuse("status of 404")
    expect(card(visitor.open(f"/-/lineage/{family.child}"), family.source)).to_be_visible()

    page = visitor.open("/-/lineage/nothing")

    expect(page.locator("body")).to_contain_text("There is no picture nothing")
