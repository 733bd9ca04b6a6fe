"""The panel beside the pictures: what is known of one, changed in place, copied, and what several share."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.house import House
from tests.browser.light_table import choose
from tests.browser.visitor import Visitor
from tests.scenarios.service import wait_for

HOSTILE = "<img src=x onerror=alert(1)>"
PHONE = (360, 760)


def draw(house: House, name: str, **job: Any) -> str:
    """Let a job draw one picture; its id."""
    params = {"prompt": f"A {name}", "size": "96*64", "seed": 421337, "steps": 1}
    house.drop(f"{name}.json", json.dumps({"endpointKey": "local.procedural.image", "params": params} | job))
    return house.wait_for_pictures_of(name, 1)[0]


@pytest.fixture(scope="module")
def pair(house: House) -> tuple[str, str]:
    """A picture and one that was made from it."""
    source = draw(house, "quarry", title="Quarry")
    refs = [{"media": source, "role": "composition"}]
    return source, draw(house, "statue", title="Statue", refs=refs, keywords=["stone"])


def panel(page: Page) -> Locator:
    return page.locator("#info")


def section(page: Page, name: str) -> Locator:
    return page.locator(f'#info [data-section="{name}"]')


def unfold(page: Page, name: str) -> Locator:
    """A section, open, however it was left."""
    fold = section(page, name).locator(".fold")
    if fold.get_attribute("aria-expanded") == "false":
        fold.click()
    return section(page, name)


def fact(page: Page, name: str, of: str) -> Locator:
    """The value of a fact in a section."""
    return section(page, of).locator(f'dt:text-is("{name}") + dd')


def wait_for_words(house: House, media_id: str, keywords: list[str]) -> None:
    """Until the database has these keywords."""
    sql = "SELECT keyword FROM keywords JOIN media_keywords ON keyword_id = id WHERE media_id = ?"
    wait_for(lambda: [row["keyword"] for row in house.query(sql, media_id)] == keywords, f"{keywords}")


def column(house: House, media_id: str, name: str) -> Any:
    (row,) = house.query(f"SELECT {name} FROM media WHERE id = ?", media_id)
    return row[name]


def test_panel_tells_all_that_is_known(reviewer: Visitor, pair: tuple[str, str]) -> None:
    page = reviewer.open()
    choose(page, pair[1])

    expect(panel(page).locator(".info-title")).to_have_text("Statue")
    expect(panel(page).locator(".prompt")).to_have_text("A statue")
    expect(fact(page, "Seed", "generation")).to_have_text("421\u2009337")
    expect(fact(page, "Model", "generation")).to_have_text("Procedural (no AI model)")
    expect(fact(page, "Mode", "generation")).to_have_text("image to image")
    expect(fact(page, "Time", "generation")).to_have_text(re.compile(r"^[\d.]+ s$"))
    expect(fact(page, "Job", "generation")).to_have_text("statue.json")
    expect(fact(page, "Size", "file")).to_have_text("96 \u00d7 64, 0.006 MP")
    expect(fact(page, "SHA-256", "file")).to_have_text(re.compile("^[0-9a-f]{64}$"))
    expect(fact(page, "Written", "file")).to_have_text("embedded + .json + .xmp")
    expect(fact(page, "Result file", "delivered")).to_contain_text("statue.json.result.json")
    expect(section(page, "sources").locator("small")).to_have_text("composition")


def test_picture_and_what_was_made_from_it_lead_to_each_other(
    reviewer: Visitor, pair: tuple[str, str]
) -> None:
    source, made = pair
    page = reviewer.open()
    choose(page, made)

    section(page, "sources").locator("a").first.click()
    expect(page.locator("#loupe")).to_be_visible()
    expect(panel(page).locator(".info-title")).to_have_text("Quarry")
    assert page.url.endswith(f"#{source}")
    section(page, "made").locator("ul a").click()

    expect(panel(page).locator(".info-title")).to_have_text("Statue")
    section(page, "sources").get_by_role("link", name="Lineage").click()
    page.wait_for_url(f"**/-/lineage/{made}")


def test_sections_fold_by_key_and_stay_as_they_were_left(
    visit: Callable[..., Visitor], house: House, pair: tuple[str, str]
) -> None:
    page = visit(house.log_in("folder")).open()
    choose(page, pair[1])
    fold = section(page, "file").get_by_role("button", name="File")
    expect(section(page, "history").locator(".section-body")).to_be_hidden()

    fold.focus()
    page.keyboard.press("Enter")
    expect(fold).to_have_attribute("aria-expanded", "false")
    section(page, "history").get_by_role("button", name="History").click()
    page.reload()
    choose(page, pair[1])

    expect(section(page, "history").locator(".section-body")).to_be_visible()
    expect(section(page, "file").locator(".section-body")).to_be_hidden()
    expect(page.locator("#loupe")).to_be_hidden()


def test_title_and_description_are_changed_in_place(reviewer: Visitor, house: House) -> None:
    picture = draw(house, "nameless")
    page = reviewer.open()
    choose(page, picture)

    panel(page).get_by_role("button", name="Rename").click()
    page.keyboard.type("Not this")
    page.keyboard.press("Escape")
    expect(panel(page).locator("form")).to_be_hidden()
    panel(page).get_by_role("button", name="Rename").click()
    page.keyboard.type(HOSTILE)
    panel(page).get_by_label("Description").fill("By the sea")
    panel(page).get_by_label("Title").press("Enter")

    expect(panel(page).locator(".info-title")).to_have_text(HOSTILE)
    expect(panel(page).locator(".info-description")).to_have_text("By the sea")
    assert column(house, picture, "title") == HOSTILE
    expect(unfold(page, "history").locator("li")).to_have_count(2)
    expect(section(page, "history")).to_contain_text(f"anna named it “{HOSTILE}”")


def test_keywords_are_added_and_removed_as_chips(reviewer: Visitor, house: House) -> None:
    picture = draw(house, "worded", keywords=["first"])
    page = reviewer.open()
    choose(page, picture)
    chips = panel(page).locator(".keyword-chips li span")
    expect(chips).to_have_text(["first"])

    field = panel(page).get_by_label("Add a keyword")
    field.focus()
    page.keyboard.insert_text(f"{HOSTILE}, First")
    page.keyboard.press("Enter")

    expect(chips).to_have_text([HOSTILE, "first"])
    expect(field).to_be_focused()
    panel(page).get_by_role("button", name="Remove the keyword first").click()
    expect(chips).to_have_text([HOSTILE])
    wait_for_words(house, picture, [HOSTILE])
    page.reload()
    choose(page, picture)
    expect(chips).to_have_text([HOSTILE])


def test_label_is_given_and_taken_by_a_click(reviewer: Visitor, house: House) -> None:
    picture = draw(house, "labelled")
    page = reviewer.open()
    choose(page, picture)
    purple = panel(page).get_by_role("button", name="Purple")

    purple.click()
    expect(purple).to_have_attribute("aria-pressed", "true")
    expect(unfold(page, "history")).to_contain_text("labelled it purple")
    assert column(house, picture, "label") == "purple"
    purple.click()

    expect(section(page, "history")).to_contain_text("took the label away")
    assert column(house, picture, "label") is None


def test_copied_job_file_makes_the_same_picture_again(
    reviewer: Visitor, house: House, pair: tuple[str, str]
) -> None:
    reviewer.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = reviewer.open()
    choose(page, pair[1])

    def copied(words: str) -> str:
        panel(page).get_by_role("button", name=words, exact=True).click()
        expect(page.locator("#toasts")).to_contain_text(words)
        text: str = page.evaluate("navigator.clipboard.readText()")
        return text

    assert (copied("prompt"), copied("seed")) == ("A statue", "421337")
    text = copied("job YAML")
    assert yaml.safe_load(text) == json.loads(copied("job JSON"))
    house.drop("again.yaml", text)

    sql = """
        SELECT pixel_sha256 FROM media JOIN generations ON generations.id = generation_id
        JOIN jobs ON jobs.id = job_id WHERE jobs.file_name = ?
    """
    (twin,) = wait_for(lambda: house.query(sql, "again.yaml"), "the same picture again")
    assert twin["pixel_sha256"] == column(house, pair[1], "pixel_sha256")


def test_text_to_copy_is_shown_selected_where_scripts_may_not_copy(
    reviewer: Visitor, pair: tuple[str, str]
) -> None:
    reviewer.scripts.append("delete Navigator.prototype.clipboard; document.execCommand = () => false;")
    page = reviewer.open()
    choose(page, pair[1])

    panel(page).get_by_role("button", name="prompt", exact=True).click()

    expect(page.get_by_label("Text to copy")).to_have_value("A statue")
    assert page.evaluate("getSelection().toString()") == "A statue"
    page.keyboard.press("Escape")
    expect(page.locator("#copy-dialog")).to_be_hidden()


def test_raw_sidecar_is_loaded_on_a_click_and_shown_as_text(reviewer: Visitor, house: House) -> None:
    picture = draw(house, "raw", title=HOSTILE)
    page = reviewer.open()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    choose(page, picture)
    unfold(page, "sidecar")
    assert not any(each.endswith("/sidecar") for each in asked)

    section(page, "sidecar").get_by_role("button", name="Show .json").click()

    expect(section(page, "sidecar").locator("pre")).to_contain_text('"schema": "hotfolder/sidecar@1"')
    expect(section(page, "sidecar").locator("pre")).to_contain_text(HOSTILE)
    section(page, "sidecar").get_by_role("button", name="Show .xmp").click()
    expect(section(page, "sidecar").locator("pre")).to_contain_text("<x:xmpmeta")


def test_answer_that_comes_late_does_not_replace_what_is_shown(
    reviewer: Visitor, pair: tuple[str, str]
) -> None:
    held: list[Route] = []
    page = reviewer.open()

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**/-/api/media/{pair[0]}", hold)
    with page.expect_request(f"**/-/api/media/{pair[0]}"):
        choose(page, pair[0])
    expect(page.locator("#info-sections")).to_have_attribute("aria-busy", "true")

    choose(page, pair[1])
    expect(panel(page).locator(".prompt")).to_have_text("A statue")
    for route in held:
        route.fulfill(json={"mediaId": pair[0], "generation": None})

    expect(panel(page).locator(".prompt")).to_have_text("A statue")
    expect(panel(page).locator(".info-title")).to_have_text("Statue")


def test_what_others_change_is_shown_without_a_reload(reviewer: Visitor, house: House) -> None:
    picture = draw(house, "watched")
    page = reviewer.open()
    choose(page, picture)
    expect(panel(page).locator(".prompt")).to_be_visible()

    reviewer.post(f"/-/api/media/{picture}", {"keywords": ["news"], "description": "Told later"})

    expect(panel(page).locator(".keyword-chips li span")).to_have_text(["news"])
    expect(panel(page).locator(".info-description")).to_have_text("Told later")


def test_several_pictures_are_shown_with_what_they_share_and_marked_together(
    reviewer: Visitor, house: House
) -> None:
    pictures = house.draw("several", count=3)
    page = reviewer.open()
    choose(page, pictures[0])
    for each in pictures:
        page.locator(f'#grid .cell[data-media-id="{each}"]').click(modifiers=["Control"])

    expect(panel(page).locator(".info-title")).to_have_text("3 pictures")
    expect(page.locator('#info-common dt:text-is("Size") + dd')).to_have_text("96 \u00d7 64")
    expect(page.locator("#info-collage img")).to_have_count(3)
    panel(page).get_by_role("button", name="4 stars").click()
    field = panel(page).get_by_label("Add a keyword to all")
    field.fill("together")
    field.press("Enter")

    expect(panel(page).get_by_role("button", name="4 stars")).to_have_attribute("aria-pressed", "true")
    for each in pictures:
        house.wait_for_marks(each, 4, None)
        wait_for_words(house, each, ["together"])


def test_keyword_that_is_half_typed_is_not_for_the_next_picture(
    reviewer: Visitor, pair: tuple[str, str]
) -> None:
    page = reviewer.open()
    choose(page, pair[0])
    field = panel(page).get_by_label("Add a keyword")
    field.fill("half")

    choose(page, pair[1])
    expect(field).to_have_value("")
    field.fill("half")
    page.locator(f'#grid .cell[data-media-id="{pair[0]}"]').click(modifiers=["Control"])

    expect(panel(page).get_by_label("Add a keyword to all")).to_have_value("")


def test_panel_is_about_the_picture_in_the_loupe_whatever_is_chosen(
    reviewer: Visitor, house: House, pair: tuple[str, str]
) -> None:
    page = reviewer.open()
    for each in pair:
        page.locator(f'#grid .cell[data-media-id="{each}"]').click(modifiers=["Control"])
    title = panel(page).locator(".info-title")
    expect(title).to_have_text("2 pictures")

    page.keyboard.press("Enter")
    expect(title).to_have_text("Statue")
    panel(page).get_by_role("button", name="3 stars").click()
    house.wait_for_marks(pair[1], 3, None)
    assert house.marks_of(pair[0]) == (0, None)
    page.keyboard.press("Escape")

    expect(title).to_have_text("2 pictures")
    reviewer.post(f"/-/api/media/{pair[1]}", {"rating": 0})


def test_visitor_sees_all_and_is_told_why_nothing_can_be_done(
    visit: Callable[..., Visitor], pair: tuple[str, str]
) -> None:
    page = visit().open()
    choose(page, pair[1])
    expect(panel(page).locator(".prompt")).to_have_text("A statue")

    expect(panel(page).get_by_role("button", name="Rename")).to_be_hidden()
    expect(panel(page).get_by_label("Add a keyword")).to_be_hidden()
    expect(panel(page).locator(".keyword-chips li")).to_have_text(["stone"])
    for name in ("Run again", "Vary seed", "Upscale", "Use as reference"):
        button = panel(page).get_by_role("button", name=name)
        expect(button).to_be_disabled()
        expect(button).to_have_attribute("title", re.compile("only looking"))


def test_what_needs_a_run_is_disabled_for_an_import(reviewer: Visitor, house: House) -> None:
    (row,) = house.query("SELECT id FROM media WHERE original_name = 'holiday.png'")
    page = reviewer.open("/-/library?origin=import&order=asc")  # others draw many pictures
    choose(page, row["id"])

    expect(fact(page, "Was", "file")).to_have_text("holiday.png")
    expect(panel(page).get_by_role("button", name="Vary seed")).to_be_disabled()
    expect(panel(page).get_by_role("button", name="Use as reference")).to_be_enabled()
    expect(section(page, "generation")).to_be_hidden()


def test_panel_fits_a_phone(visit: Callable[..., Visitor], house: House, pair: tuple[str, str]) -> None:
    page = visit(house.cookies, size=PHONE).open(f"/-/library#{pair[1]}")
    if panel(page).is_hidden():
        page.locator("#loupe-info").click()

    expect(panel(page).locator(".prompt")).to_be_visible()
    assert page.evaluate("document.querySelector('#info').scrollWidth <= innerWidth")
    assert page.evaluate("document.querySelector('#info').getBoundingClientRect().right <= innerWidth")
