"""Filters, search and order: chosen above the grid, kept in the address, each with its number of pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.house import House, job
from tests.browser.light_table import shown_ids
from tests.browser.visitor import Visitor

PHONE = (360, 740)
PANEL_VALUES = [
    ("rating", "0"), ("status", "none"), ("label", "none"), ("origin", "generation"), ("type", "png"),
    ("orientation", "landscape"), ("refs", "no"), ("endpoint", "local.procedural.image"),
]  # fmt: skip


def asked(page: Page) -> dict[str, list[str]]:
    """The filter in the address."""
    return parse_qs(urlsplit(page.url).query)


def open_panel(page: Page) -> Locator:
    """The filter panel, once it shows its counts."""
    page.locator("#filter-button").click()
    panel = page.locator("#filter-panel")
    expect(panel.locator('[data-name="status"] small').first).to_have_text(re.compile(r"\d"))
    return panel


def value_of(panel: Locator, name: str, value: str) -> Locator:
    """The button of a value in the panel."""
    return panel.locator(f'[data-name="{name}"][data-value="{value}"]')


def expect_total(page: Page, total: int) -> None:
    """The count above the grid says so many."""
    expect(page.locator("#count")).to_have_text(re.compile(rf"^{total:,} of "))


def draw_with_keywords(house: House, name: str, keywords: list[str], count: int = 1) -> list[str]:
    """Pictures of a job that gives them keywords."""
    house.drop(f"{name}.json", json.dumps({**json.loads(job(name, count=count)), "keywords": keywords}))
    return house.wait_for_pictures_of(name, count)


@pytest.mark.parametrize(("name", "value"), PANEL_VALUES, ids=[name for name, _ in PANEL_VALUES])
def test_count_beside_a_value_is_what_the_click_on_it_shows(
    reviewer: Visitor, house: House, name: str, value: str
) -> None:
    page = reviewer.open()
    button = value_of(open_panel(page), name, value)
    shown = int(button.locator("small").inner_text().replace(",", ""))

    button.click()

    expect_total(page, shown)
    assert asked(page) == {name: [value]}
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.locator(f'#conditions [data-condition="{name}"]')).to_have_count(1)
    page.reload()
    expect_total(page, shown)
    page.locator(f'#conditions [data-condition="{name}"]').click()
    expect(page.locator("#count")).to_have_text(f"{house.count_pictures()} pictures")
    assert asked(page) == {}


def test_rating_menu_asks_for_exactly_so_many_stars(reviewer: Visitor, house: House) -> None:
    three, four = house.draw("stars", count=2)
    reviewer.post(f"/-/api/media/{three}", {"rating": 3})
    reviewer.post(f"/-/api/media/{four}", {"rating": 4})
    page = reviewer.open("/-/library?minRating=3")
    assert {three, four} <= set(shown_ids(page))

    page.locator("#rating-button").click()
    page.locator("#rating-panel").get_by_role("button", name="★ 3").last.click()

    expect(page.locator("#rating-words")).to_have_text("exactly 3")
    assert asked(page) == {"rating": ["3"]}
    expect(page.locator(f'#grid [data-media-id="{four}"]')).to_have_count(0)
    assert three in shown_ids(page)
    for each in (three, four):
        reviewer.post(f"/-/api/media/{each}", {"rating": 0})


def test_keyword_is_completed_and_several_are_all_asked_for(reviewer: Visitor, house: House) -> None:
    both = draw_with_keywords(house, "keyworded", ["zebra", "zoo"])
    draw_with_keywords(house, "half-keyworded", ["zebra"])
    page = reviewer.open()
    panel = open_panel(page)
    field = panel.get_by_role("combobox", name="Add a keyword")

    field.fill("zeb")
    expect(panel.get_by_role("option")).to_have_text(re.compile("zebra"))
    field.press("ArrowDown")
    field.press("Enter")
    expect_total(page, 2)
    value_of(panel, "keyword", "zoo").click()

    expect_total(page, 1)
    assert asked(page) == {"keyword": ["zebra", "zoo"]}
    assert shown_ids(page) == both
    value_of(panel, "keyword", "zebra").click()
    expect(page.locator("#conditions")).to_have_text("zoo")


def test_period_is_two_days_in_the_address_and_is_taken_back(reviewer: Visitor) -> None:
    page = reviewer.open()
    panel = open_panel(page)
    today = datetime.now(UTC).date().isoformat()

    value_of(panel, "period", "month").click()

    expect(value_of(panel, "period", "month")).to_have_attribute("aria-pressed", "true")
    assert asked(page) == {"from": [f"{today[:7]}-01"], "to": [today]}
    panel.get_by_label("from", exact=True).fill("2020-02-01")
    expect(page.locator("#conditions")).to_contain_text("since 2020-02-01")
    panel.get_by_role("button", name="Clear all").click()
    expect(page.locator("#conditions-row")).to_be_hidden()
    assert asked(page) == {}


def test_typed_search_finds_pictures_and_is_one_step_of_the_history(reviewer: Visitor, house: House) -> None:
    found = house.draw("a walrus on the ice", count=2)
    page = reviewer.open()
    everything = house.count_pictures()
    steps = page.evaluate("history.length")

    page.locator("#search").press_sequentially("walrus", delay=300)

    expect_total(page, 2)
    assert shown_ids(page) == found
    assert asked(page) == {"q": ["walrus"]}
    assert page.evaluate("history.length") == steps + 1
    page.go_back()
    expect(page.locator("#count")).to_have_text(f"{everything} pictures")
    expect(page.locator("#search")).to_have_value("")
    page.go_forward()
    expect(page.locator("#search")).to_have_value("walrus")


def test_escape_clears_the_search_first_and_leaves_it_then(reviewer: Visitor) -> None:
    page = reviewer.open("/-/library?q=harbour")
    search = page.locator("#search")
    expect(search).to_have_value("harbour")
    search.focus()

    page.keyboard.press("Escape")
    expect(search).to_have_value("")
    expect(search).to_be_focused()
    page.wait_for_url("**/-/library")
    page.keyboard.press("Escape")

    expect(search).not_to_be_focused()


def expect_arrows_move(page: Page, key: str) -> None:
    """The arrow goes to another picture, and takes the focus there."""
    before = page.locator("#grid .cell[aria-current]").get_attribute("data-media-id")
    page.keyboard.press(key)
    expect(page.locator("#grid .cell[aria-current]")).not_to_have_attribute("data-media-id", before or "")
    expect(page.locator("#grid .cell[aria-current]")).to_be_focused()


def test_search_is_left_for_what_it_finds_by_enter_and_arrow_down(reviewer: Visitor, house: House) -> None:
    found = house.draw("an otter asleep", count=2)
    page = reviewer.open()
    for key, text in (("Enter", "otter"), ("ArrowDown", "otter asleep")):
        page.locator("#search").focus()
        page.locator("#search").fill(text)
        page.keyboard.press(key)
        page.wait_for_url(lambda url, text=text: parse_qs(urlsplit(url).query).get("q") == [text])
        expect_total(page, 2)
        assert shown_ids(page) == found
        expect(page.locator("#grid .cell[aria-current]")).to_be_focused()
    expect_arrows_move(page, "ArrowRight")


def test_arrows_go_to_the_pictures_after_the_pointer_touched_the_bar(reviewer: Visitor) -> None:
    page = reviewer.open()
    page.set_viewport_size({"width": 1600, "height": 900})
    page.get_by_role("button", name="Generated").click()
    expect(page.locator("#grid .cell[aria-current]")).to_be_focused()
    page.locator("#sort").dispatch_event("pointerdown")
    page.locator("#sort").select_option("Oldest first")
    page.wait_for_url("**order=asc")
    expect(page.locator("#grid .cell[aria-current]")).to_be_focused()
    open_panel(page)
    page.keyboard.press("Escape")
    expect(page.locator("#grid .cell[aria-current]")).to_be_focused()
    page.locator("#advance-button").click()
    expect_arrows_move(page, "ArrowLeft")  # the newest is the last now
    page.locator("#advance-button").click()
    page.locator("#size").focus()
    current = page.locator("#grid .cell[aria-current]").get_attribute("data-media-id") or ""
    page.keyboard.press("ArrowRight")
    expect(page.locator("#grid .cell[aria-current]")).to_have_attribute("data-media-id", current)
    expect(page.locator("#size")).to_be_focused()


def test_words_and_values_that_mean_nothing_are_left_out_of_the_filter(reviewer: Visitor) -> None:
    page = reviewer.open("/-/library")
    page.evaluate(
        """() => {
            history.pushState({}, "", "?rating=9&from=2026-02-31&sort=relevance&colour=red&status=selected");
            dispatchEvent(new PopStateEvent("popstate"));
        }"""
    )

    expect(page.locator("#conditions")).to_have_text("Picked")
    expect(page.locator("#sort")).to_have_value("date")


def test_order_is_in_the_address_and_best_match_needs_a_text(reviewer: Visitor, house: House) -> None:
    page = reviewer.open("/-/library?origin=import")
    newest_first = shown_ids(page)
    order = page.get_by_role("combobox", name="Order")

    order.select_option("Oldest first")

    expect(page.locator("#grid .cell").first).to_have_attribute("data-media-id", newest_first[-1])
    assert asked(page) == {"origin": ["import"], "order": ["asc"]}
    expect(order.locator("option[value=relevance]")).to_be_disabled()
    page.locator("#search").fill("holiday")
    page.locator("#search").press("Enter")
    expect(order.locator("option[value=relevance]")).to_be_enabled()
    order.select_option("Best match first")
    page.wait_for_url("**sort=relevance")


def test_nothing_found_offers_to_take_single_conditions_away(reviewer: Visitor, house: House) -> None:
    house.draw("a lonely heron")
    page = reviewer.open("/-/library?status=rejected&q=heron")

    offer = page.locator(".offers button")
    expect(offer.filter(has_text="Without Rejected: 1")).to_be_visible()
    offer.filter(has_text="Without Rejected: 1").click()

    expect_total(page, 1)
    assert asked(page) == {"q": ["heron"]}


def test_counts_are_asked_only_while_the_panel_is_open(reviewer: Visitor, house: House) -> None:
    page = reviewer.open()
    questions: list[str] = []
    page.on(
        "request", lambda request: questions.append(request.url) if "/-/api/facets" in request.url else None
    )
    page.get_by_role("button", name="at least 1 star", exact=True).click()
    page.wait_for_url("**minRating=1")
    assert questions == []

    panel = open_panel(page)
    for value in ("landscape", "portrait", "square", "landscape"):
        value_of(panel, "orientation", value).click()
    page.wait_for_url("**orientation=landscape")
    expect(value_of(panel, "orientation", "landscape")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    asked_so_far = len(questions)
    page.get_by_role("button", name="at least 1 star", exact=True).click()
    page.wait_for_url(lambda url: "minRating" not in url)

    assert 1 <= asked_so_far <= 4
    assert len(questions) == asked_so_far


def test_panel_is_used_by_keyboard_alone_and_no_key_rates_a_picture(reviewer: Visitor, house: House) -> None:
    picture = house.draw("unharmed")[0]
    page = reviewer.open()
    page.locator("#filter-button").focus()

    page.keyboard.press("Enter")
    expect(page.locator("#filter-panel")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("5")
    page.keyboard.press("Enter")
    page.wait_for_url("**minRating=1")
    page.keyboard.press("Enter")
    page.wait_for_url("**/-/library")
    page.keyboard.press("Escape")

    expect(page.locator("#filter-panel")).to_be_hidden()
    expect(page.locator("#filter-button")).to_be_focused()
    assert house.marks_of(picture) == (0, None)


def test_visitor_is_not_asked_about_reviews_and_saves_nothing(visit: Callable[..., Visitor]) -> None:
    page = visit().open()

    panel = open_panel(page)

    expect(panel.locator('[data-name="origin"]')).to_have_count(2)
    expect(panel.locator('[data-name="review"]')).to_have_count(0)
    expect(panel.get_by_role("button", name="Save this filter…")).to_have_count(0)


def test_panel_fills_a_phone_and_nothing_is_wider_than_it(
    visit: Callable[..., Visitor], house: House
) -> None:
    page = visit(house.log_in("phil"), size=PHONE).open("/-/library?status=none&q=harbour")
    panel = open_panel(page)

    box = panel.bounding_box()

    assert box is not None
    assert (box["width"], box["height"]) == PHONE
    rights = panel.locator("*").evaluate_all("all => all.map((each) => each.getBoundingClientRect().right)")
    assert max(rights) <= PHONE[0] + 1
    panel.get_by_role("button", name="Done").click()
    expect(panel).to_be_hidden()
    assert page.locator("#filters").evaluate("bar => bar.scrollWidth <= innerWidth")
