"""Care of the library in the browser: its menu, keywords, import folders, duplicates, trash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Locator, Page, Route, expect

from hotfolder.database import Database
from hotfolder.files.paths import LibraryPaths
from hotfolder.library.duplicates import DuplicateFinder
from tests.browser.house import House, job
from tests.browser.light_table import cell, choose
from tests.browser.visitor import GONE, Visitor
from tests.scenarios.service import wait_for

PHONE = (360, 740)


@pytest.fixture
def compare(house: House) -> Iterator[Callable[[], object]]:
    """Compares the pictures that came, as the service does by and by."""
    database = Database(house.root / "library.db")
    finder = DuplicateFinder(database, LibraryPaths(house.root))
    yield lambda: finder.fill_some(10_000)
    database.close()


def open_care(page: Page, name: str) -> Locator:
    """Choose from the menu of the library; the dialog that opens."""
    page.locator("#care-button").click()
    page.get_by_role("menuitem", name=name).click()
    dialog = page.locator("dialog.care[open]")
    expect(dialog).to_be_visible()
    return dialog


def row_of(dialog: Locator, keyword: str) -> Locator:
    """A keyword in the list."""
    return dialog.get_by_role("list", name="Keywords").get_by_role("listitem").filter(has_text=keyword)


def give(reviewer: Visitor, media_ids: list[str], *keywords: str) -> None:
    reviewer.post("/-/api/media/bulk", {"mediaIds": media_ids, "addKeywords": list(keywords)})


def draw_scene(folder: Path, name: str, size: tuple[int, int]) -> Path:
    """A picture with shapes, the same in any size."""
    image = Image.new("RGB", size, (30, 50, 110))
    draw, (width, height) = ImageDraw.Draw(image), size
    for place in range(9):
        top = height * (0.3 + 0.07 * ((place * 7) % 5))
        draw.rectangle(
            (width * place / 9, top, width * (place + 0.7) / 9, height),
            fill=(30 * place, 200 - 20 * place, 60),
        )
    image.save(folder / name)
    return folder / name


def bring_scene(house: House, folder: Path, name: str, size: tuple[int, int]) -> str:
    """Import such a picture; its id."""
    draw_scene(folder, name, size).rename(house.root / "import" / name)
    sql = "SELECT id FROM media WHERE original_name = ?"
    rows = wait_for(lambda: house.query(sql, name), f"{name} in the library")
    return str(rows[0]["id"])


def test_menu_is_walked_by_keys_and_leads_to_the_trash(reviewer: Visitor) -> None:
    page = reviewer.open()
    button = page.locator("#care-button")

    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Import pictures…")).to_be_focused()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.press("Enter")

    page.wait_for_url("**deleted=only")


def test_click_on_the_button_closes_the_menu_again(reviewer: Visitor) -> None:
    page = reviewer.open()
    page.locator("#care-button").click()
    expect(page.get_by_role("menu")).to_be_visible()

    page.locator("#care-button").click()

    expect(page.get_by_role("menu")).to_have_count(0)


def test_keyword_is_renamed_in_place_and_the_filter_follows(reviewer: Visitor, house: House) -> None:
    pictures = house.draw("renamed-keyword", count=2)
    give(reviewer, pictures, "fjord-old")
    page = reviewer.open("/-/library?keyword=fjord-old")
    expect(page.locator("#grid .cell")).to_have_count(2)

    dialog = open_care(page, "Keywords…")
    dialog.get_by_label("Find keywords").fill("fjord")
    row = row_of(dialog, "fjord-old")
    expect(row).to_contain_text("2")
    row.get_by_role("button", name="Rename").click()
    page.keyboard.press("Escape")  # leaves the row, not the dialog
    row.get_by_role("button", name="Rename").click()
    page.keyboard.type("fjord-new")
    page.keyboard.press("Enter")

    expect(row_of(dialog, "fjord-new")).to_contain_text("2")
    expect(dialog.locator("#keywords-news")).to_contain_text("“fjord-old” is “fjord-new” now.")
    page.wait_for_url("**keyword=fjord-new")
    page.keyboard.press("Escape")
    expect(page.locator("#grid .cell")).to_have_count(2)
    expect(page.locator("#conditions")).to_contain_text("fjord-new")


def test_keywords_are_merged_into_one_and_deleted_with_consent(reviewer: Visitor, house: House) -> None:
    reviewer.excuse("status of 4")
    one, other = house.draw("merged-keywords", count=2)
    give(reviewer, [one], "quay-a")
    give(reviewer, [other], "quay-b")
    page = reviewer.open()
    dialog = open_care(page, "Keywords…")
    dialog.get_by_label("Find keywords").fill("quay")

    row_of(dialog, "quay-a").get_by_role("button", name="Rename").click()
    page.keyboard.type("quay-b")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert").filter(has_text="already")).to_be_visible()
    page.keyboard.press("Escape")
    row_of(dialog, "quay-a").get_by_role("button", name="Merge").click()
    page.keyboard.type("quay-b")
    page.keyboard.press("Enter")
    expect(row_of(dialog, "quay-a")).to_have_count(0)
    expect(row_of(dialog, "quay-b")).to_contain_text("2")

    row_of(dialog, "quay-b").get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete", exact=True).last.click()

    expect(row_of(dialog, "quay-b")).to_have_count(0)
    expect(dialog.locator("#keywords-hint")).to_contain_text("No keyword begins with “quay”.")


def test_keyword_for_many_says_which_pictures_have_no_room_for_it(reviewer: Visitor, house: House) -> None:
    def answer(route: Route) -> None:  # a picture with 500 keywords would hide all others from other tests
        route.fulfill(json=route.fetch().json() | {"skipped": 1})

    first, _ = house.draw("full-of-keywords", count=2)
    page = reviewer.open("/-/library?q=full-of-keywords")
    page.route("**/-/api/media/bulk", answer)
    choose(page, first)
    page.keyboard.press("Control+a")

    page.locator("#selection-bar").get_by_role("button", name="Keywords…").click()
    page.get_by_role("dialog", name="Keywords").get_by_label("Keywords").fill("one-more")
    page.keyboard.press("Enter")

    expect(page.locator("#toasts .warning")).to_contain_text("1 picture has no room for more keywords")


def test_visitor_looks_at_keywords_and_changes_none(
    reviewer: Visitor, visit: Callable[..., Visitor], house: House
) -> None:
    give(reviewer, house.draw("looked-at", count=1), "seen-by-all")
    page = visit().open()

    dialog = open_care(page, "Keywords…")

    row = row_of(dialog, "seen-by-all")
    expect(row.get_by_role("button")).to_have_count(1)
    expect(dialog).to_contain_text("log in with the scope “admin”")
    row.get_by_role("button").click()
    page.wait_for_url("**keyword=seen-by-all")
    page.locator("#care-button").click()
    for name in ("Trash", "Review", "Import folders…"):
        expect(page.get_by_role("menuitem", name=name)).to_have_count(0)


def test_import_folder_is_added_counted_and_removed(reviewer: Visitor, house: House, tmp_path: Path) -> None:
    reviewer.excuse("status of 4")
    draw_scene(tmp_path, "from-outside.png", (333, 222))
    page = reviewer.open()
    dialog = open_care(page, "Import folders…")
    path = dialog.get_by_label("Path on the machine of the library")

    path.fill("not/whole")
    page.keyboard.press("Enter")
    expect(dialog.locator("#folders-path-failure")).to_contain_text("Name its whole path.")
    expect(path).to_be_focused()
    path.fill(str(tmp_path))
    dialog.get_by_label("Keywords for all of its pictures").fill("outside, far")
    page.keyboard.press("Enter")

    row = dialog.get_by_role("list", name="Import folders").get_by_role("listitem")
    expect(row).to_contain_text(str(tmp_path))
    expect(row).to_contain_text("copied, with the folders below, outside, far")
    expect(row).to_contain_text("1 taken in")
    row.get_by_role("button", name=f"Watch {tmp_path} no longer").click()
    page.get_by_role("button", name="Remove", exact=True).last.click()

    expect(row).to_have_count(0)
    expect(dialog).to_contain_text("No folder is watched yet.")
    assert house.query("SELECT id FROM media WHERE original_name = 'from-outside.png'")


def test_others_of_a_group_go_into_the_trash_and_come_back(
    reviewer: Visitor, house: House, compare: Callable[[], object]
) -> None:
    reviewer.excuse(GONE)
    for name in ("twice-a", "twice-b"):
        house.drop(f"{name}.json", job("A bay that is drawn twice"))
    (older,), (newer,) = (house.wait_for_pictures_of(name, 1) for name in ("twice-a", "twice-b"))
    reviewer.post(f"/-/api/media/{older}", {"rating": 4})
    compare()
    page = reviewer.open()

    dialog = open_care(page, "Duplicates…")
    group = dialog.locator(".duplicate-group").filter(has=page.locator(f"[data-media-id='{older}']"))
    expect(group.locator("input:checked")).to_have_value(older)  # the best rated
    group.get_by_role("button", name="Put the other one into the trash").click()

    expect(group).to_have_count(0)
    done = dialog.locator(".duplicate-done")
    expect(done).to_contain_text("1 picture moved to the trash.")
    expect(cell(page, newer)).to_have_count(0)
    done.get_by_role("button", name="Undo").click()
    expect(group.locator(".duplicate-card")).to_have_count(2)
    expect(cell(page, newer)).to_be_attached()


def test_pictures_that_look_alike_are_suggested_until_somebody_says_no(
    reviewer: Visitor, house: House, compare: Callable[[], object], tmp_path: Path
) -> None:
    large = bring_scene(house, tmp_path, "scene-large.png", (640, 640))
    small = bring_scene(house, tmp_path, "scene-small.jpg", (200, 200))
    compare()
    page = reviewer.open()
    dialog = open_care(page, "Duplicates…")

    dialog.get_by_label("Look alike").check(force=True)
    group = dialog.locator(".duplicate-group").filter(has=page.locator(f"[data-media-id='{small}']"))
    assert group.locator("input:checked").get_attribute("value") == large
    expect(group).to_contain_text("640")
    group.get_by_role("button", name="Open scene-small.jpg in the loupe").click()
    page.wait_for_url(f"**#{small}")
    page.keyboard.press("Escape")

    dialog = open_care(page, "Duplicates…")
    group.get_by_role("button", name="Not duplicates").click()
    expect(dialog).to_contain_text("They are not suggested together again.")
    page.keyboard.press("Escape")
    open_care(page, "Duplicates…")
    expect(dialog.locator("#duplicates-hint")).not_to_have_text("Loading …")
    expect(dialog.locator(f"[data-media-id='{small}']")).to_have_count(0)


def test_trash_takes_no_ratings_and_gives_pictures_back(reviewer: Visitor, house: House) -> None:
    back, gone = house.draw("thrown", count=2)
    reviewer.post("/-/api/trash", {"mediaIds": [back, gone]})
    page = reviewer.open("/-/library?deleted=only")
    choose(page, back)

    page.keyboard.press("4")
    expect(page.locator("#toasts")).to_contain_text("It is in the trash: restore it first.")
    assert house.marks_of(back) == (0, None)
    page.get_by_role("button", name="Restore").click()
    expect(cell(page, back)).to_have_count(0)
    choose(page, gone)
    page.get_by_role("button", name="Empty the trash…").click()
    page.get_by_role("button", name="Delete all").click()

    expect(page.locator("#empty")).to_contain_text("The trash is empty")
    assert not house.query("SELECT id FROM media WHERE id = ?", gone)
    page.get_by_role("button", name="To the library").click()
    expect(cell(page, back)).to_be_visible()


def test_dialogs_fit_a_phone(
    visit: Callable[..., Visitor], house: House, compare: Callable[[], object]
) -> None:
    compare()
    page = visit(house.cookies, size=PHONE).open()

    for name in ("Keywords…", "Import folders…", "Duplicates…"):
        dialog = open_care(page, name)
        wide = dialog.evaluate("each => [each.scrollWidth, each.getBoundingClientRect().right]")
        assert wide[0] <= PHONE[0] - 16
        assert wide[1] <= PHONE[0]
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
