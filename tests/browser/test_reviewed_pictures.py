"""Pictures that wait for a review: marked for members, hidden from visitors, gone when discarded."""

from __future__ import annotations

import json
from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.house import House, job
from tests.browser.light_table import cell, choose, loupe_id, shown_ids
from tests.browser.visitor import Visitor


def draw_for_review(house: House, name: str, count: int) -> list[str]:
    """The ids of pictures that wait, the newest first."""
    house.drop(f"{name}.json", json.dumps({**json.loads(job(name, count=count)), "review": True}))
    return house.wait_for_pictures_of(name, count)


def test_discarded_picture_leaves_the_open_light_table(reviewer: Visitor, house: House) -> None:
    last, gone, other = draw_for_review(house, "discarded", 3)
    page = reviewer.open()
    images = page.locator(f'img[src*="{gone}"]')
    expect(cell(page, gone)).to_have_attribute("data-review", "awaiting")
    choose(page, gone)
    page.keyboard.press("Enter")
    expect(page.locator("#loupe-image")).to_have_attribute("data-sharp", "true")
    expect(page.locator("#info .more-facts")).to_contain_text(gone)  # nothing more is asked of it
    expect(page.locator(f'#filmstrip [data-frame="{gone}"]')).to_be_visible()

    reviewer.post(f"/-/api/review/{gone}", {"decision": "discard"})

    expect(images).to_have_count(0)
    assert loupe_id(page) == other
    expect(page.locator("#loupe-place")).to_have_text(f"2 of {house.count_pictures()}")
    page.keyboard.press("Escape")
    assert shown_ids(page)[:2] == [last, other]
    expect(page.locator("#count")).to_have_text(f"{house.count_pictures()} pictures")
    expect(page.locator("#info .more-facts")).to_contain_text(other)
    cell(page, other).focus()
    reviewer.post(f"/-/api/review/{other}", {"decision": "discard"})
    expect(cell(page, other)).to_have_count(0)
    assert page.evaluate("document.activeElement.classList.contains('cell')")


def test_picture_that_waits_is_marked_for_members_and_not_shown_to_visitors(
    visit: Callable[..., Visitor], reviewer: Visitor, house: House
) -> None:
    page, elsewhere = reviewer.open(), visit().open()
    (picture,) = draw_for_review(house, "shown-later", 1)
    expect(cell(page, picture)).to_have_attribute("data-review", "awaiting")
    assert "awaits its review" in str(cell(page, picture).get_attribute("aria-label"))
    mark = page.evaluate(
        "each => getComputedStyle(each, '::before').content", cell(page, picture).element_handle()
    )
    assert mark == '"review"'
    elsewhere.reload()
    expect(cell(elsewhere, picture)).to_have_count(0)

    reviewer.post(f"/-/api/review/{picture}", {"decision": "accept"})

    expect(cell(page, picture)).to_have_attribute("data-review", "accepted")
    expect(cell(elsewhere, picture)).to_be_visible()
