"""Collections in the browser: filters that are saved, and pictures that are dragged together."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from playwright.sync_api import Locator, Page, expect

from tests.browser.house import House
from tests.browser.light_table import shown_ids
from tests.browser.visitor import Visitor

DRAGGED = "application/x-hotfolder-media"


def open_menu(page: Page) -> Locator:
    """The menu of collections."""
    page.locator("#collections-button").click()
    menu = page.locator("#collections-panel")
    expect(menu).to_be_visible()
    return menu


def row_of(menu: Locator, name: str) -> Locator:
    """A collection in the menu."""
    return menu.locator(".collections li").filter(has_text=name)


def make(page: Page, name: str) -> Locator:
    """Make a collection by hand; its row in the menu, which is open."""
    open_menu(page).get_by_role("button", name="New collection…").click()
    answer_name(page, name)
    return row_of(open_menu(page), name)


def answer_name(page: Page, name: str) -> None:
    """Type a name into the dialog, which closes."""
    page.get_by_role("textbox", name="Name").fill(name)
    page.keyboard.press("Enter")
    expect(page.locator(".name-dialog")).to_have_count(0)


def drop_on(row: Locator, media_ids: Sequence[str]) -> None:
    """Drop pictures on a row, as a drag from the grid does."""
    row.evaluate(
        """(row, [type, text]) => {
            const dataTransfer = new DataTransfer();
            dataTransfer.setData(type, text);
            for (const each of ["dragenter", "dragover", "drop"])
                row.dispatchEvent(new DragEvent(each, { dataTransfer, bubbles: true, cancelable: true }));
        }""",
        [DRAGGED, json.dumps(list(media_ids))],
    )


def test_saved_filter_is_a_collection_that_holds_what_fits_it_later(reviewer: Visitor, house: House) -> None:
    first, later = house.draw("a saved osprey", count=2)
    reviewer.post(f"/-/api/media/{first}", {"rating": 4})
    page = reviewer.open("/-/library?minRating=4&q=osprey")

    open_menu(page).get_by_role("button", name="Save this filter…").click()
    answer_name(page, "Ospreys")

    expect(page.locator("#collections-button")).to_have_text("Ospreys")
    reviewer.post(f"/-/api/media/{later}", {"rating": 5})
    page.goto("/-/library")
    row = row_of(open_menu(page), "Ospreys")
    expect(row).to_contain_text("2")
    row.locator(".collection-open").click()
    expect(page.locator("#grid .cell")).to_have_count(2)
    assert shown_ids(page) == [first, later]
    assert page.url.endswith("?minRating=4&q=osprey")
    expect(page.locator("#collections-button")).to_have_text("Ospreys")


def test_everything_is_no_filter_to_save(reviewer: Visitor) -> None:
    page = reviewer.open()

    save = open_menu(page).get_by_role("button", name="Save this filter…")

    expect(save).to_be_disabled()
    expect(save).to_have_attribute("title", "Filter first: what is shown is everything.")


def test_pictures_dropped_on_a_collection_are_what_it_shows(reviewer: Visitor, house: House) -> None:
    pictures = house.draw("dropped", count=3)
    page = reviewer.open()
    row = make(page, "Dropped ones")

    drop_on(row, pictures[:2])
    expect(page.locator("#toasts")).to_contain_text("2 pictures added to “Dropped ones”.")
    drop_on(row, pictures[:2])
    expect(page.locator("#toasts")).to_contain_text("That is in “Dropped ones” already.")
    row.locator(".collection-open").click()

    expect(page.locator("#grid .cell")).to_have_count(2)
    assert set(shown_ids(page)) == set(pictures[:2])
    expect(page.locator("#conditions")).to_have_text("Dropped ones")
    page.get_by_role("combobox", name="Order").select_option("In its own order")
    page.wait_for_url("**sort=manual")
    page.reload()
    expect(page.locator("#conditions")).to_have_text("Dropped ones")


def test_name_that_is_taken_is_said_beside_the_field(reviewer: Visitor) -> None:
    reviewer.excuse("status of 4")
    page = reviewer.open()
    make(page, "Only once")
    page.keyboard.press("Escape")

    open_menu(page).get_by_role("button", name="New collection…").click()
    page.get_by_role("textbox", name="Name").fill("Only once")
    page.keyboard.press("Enter")

    expect(page.locator(".name-dialog [role=alert]")).to_contain_text("Only once")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator(".name-dialog")).to_have_count(0)


def test_collection_gets_another_name(reviewer: Visitor) -> None:
    page = reviewer.open()
    row = make(page, "Old name")

    row.hover()
    row.get_by_role("button", name="Rename").click()
    answer_name(page, "New name")

    menu = open_menu(page)
    expect(row_of(menu, "New name")).to_be_visible()
    expect(row_of(menu, "Old name")).to_have_count(0)


def test_deleted_collection_is_taken_back_or_gone_when_the_menu_closes(
    reviewer: Visitor, house: House
) -> None:
    page = reviewer.open()
    row = make(page, "Short-lived")

    row.hover()
    row.get_by_role("button", name="Delete").click()
    expect(row).to_contain_text("is deleted")
    row.get_by_role("button", name="Undo").click()
    expect(row.locator(".collection-open")).to_be_visible()
    assert house.query("SELECT id FROM collections WHERE name = 'Short-lived'")
    row.get_by_role("button", name="Delete").click()
    page.keyboard.press("Escape")

    expect(row_of(open_menu(page), "Short-lived")).to_have_count(0)
    assert not house.query("SELECT id FROM collections WHERE name = 'Short-lived'")


def test_visitor_opens_collections_and_is_told_why_there_is_no_more(
    reviewer: Visitor, visit: Callable[..., Visitor]
) -> None:
    reviewer.post("/-/api/collections", {"name": "For everybody"})
    page = visit().open()

    menu = open_menu(page)

    expect(menu).to_contain_text("hotfolder login")
    expect(menu.get_by_role("button", name="New collection…")).to_have_count(0)
    expect(menu.get_by_role("button", name="Delete")).to_have_count(0)
    row_of(menu, "For everybody").locator(".collection-open").click()
    expect(page.locator("#empty")).to_be_visible()


def test_new_name_makes_a_collection_from_which_pictures_are_taken_and_in_which_they_are_moved(
    reviewer: Visitor, house: House
) -> None:
    house.draw("put-in-order", count=3)
    page = reviewer.open("/-/library?q=put-in-order")
    page.locator("#grid").press("Control+a")
    page.locator("#selection-actions").get_by_role("button", name="Add to…").click()
    page.get_by_role("combobox", name="Name of the collection").fill("In order")
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Added to In order")
    (row,) = house.query("SELECT id FROM collections WHERE name = 'In order'")
    page.goto(f"/-/library?collection={row['id']}&sort=manual")
    expect(page.locator("#grid .cell")).to_have_count(3)
    first, second, third = shown_ids(page)

    drop_on(page.locator(f'#grid .cell[data-media-id="{first}"]'), [third])
    expect_order(page, third, first, second)
    page.locator(f'#grid .cell[data-media-id="{third}"]').click()
    page.keyboard.press("Alt+ArrowRight")
    expect_order(page, first, third, second)
    page.keyboard.press("Control+z")
    expect_order(page, third, first, second)

    page.locator("#grid .cell").nth(1).click(modifiers=["Control"])
    expect(page.get_by_role("button", name="Trash, out of the library")).to_be_visible()
    page.get_by_role("button", name="Remove from In order").click()
    expect_order(page, second)
    page.keyboard.press("Control+z")
    expect_order(page, third, first, second)
    page.locator("#grid .cell").nth(2).click(button="right")
    page.get_by_role("menuitem", name="Remove from In order").click()
    expect_order(page, third, first)
    assert house.query("SELECT deleted_at FROM media WHERE id = ?", second)[0]["deleted_at"] is None


def expect_order(page: Page, *media_ids: str) -> None:
    """The pictures in the grid, until they stand so."""
    page.wait_for_function(
        "ids => [...document.querySelectorAll('#grid .cell')].map((each) => each.dataset.mediaId).join()"
        " === ids",
        arg=",".join(media_ids),
    )
