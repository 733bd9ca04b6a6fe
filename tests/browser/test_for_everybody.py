"""Every page for everybody: contrast, names, headings, the Tab key, a narrow window, calm."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.house import House
from tests.browser.visitor import Visitor

AUDIT = (Path(__file__).parent / "audit.js").read_text(encoding="utf-8")
PHONE: ViewportSize = {"width": 360, "height": 740}
CONTROLS = {
    "button", "checkbox", "combobox", "link", "listbox", "menuitem", "option", "radio", "searchbox", "slider",
    "spinbutton", "switch", "tab", "textbox", "dialog", "img",
}  # fmt: skip
TABS_MOST = 250


@pytest.fixture(scope="module")
def pictures(house: House) -> list[str]:
    """A picture, and one that was made from it."""
    (source,) = house.draw("for-everybody", title="Dunes")
    job = {
        "endpointKey": "local.procedural.image",
        "title": "Dunes again",
        "params": {"prompt": "Dunes", "size": "96*64", "seed": 3, "steps": 1},
        "refs": [{"media": source, "role": "content"}],
    }
    house.drop("again.json", json.dumps(job))
    return [source, *house.wait_for_pictures_of("again", 1)]


def open_library(page: Page, pictures: list[str]) -> None:
    page.goto("/-/library")
    page.locator("#grid .cell").first.click()
    page.locator("#info").get_by_text("SHA-256").wait_for()


def open_loupe(page: Page, pictures: list[str]) -> None:
    open_library(page, pictures)
    page.keyboard.press("Enter")
    page.wait_for_selector("#loupe-image[data-sharp=true]")


def open_filter(page: Page, pictures: list[str]) -> None:
    page.goto("/-/library?minRating=1&status=none")
    page.locator("#filter-button").click()
    page.locator("#filter-panel .pill-button").first.wait_for()


def open_generate(page: Page, pictures: list[str]) -> None:
    page.goto("/-/generate")
    page.locator("#generate-body").wait_for()
    for part in page.locator("#generate details summary").all():
        part.click()


def open_queue(page: Page, pictures: list[str]) -> None:
    page.goto("/-/queue")
    page.locator("#ended .job").first.wait_for()


def open_stats(page: Page, pictures: list[str]) -> None:
    page.goto("/-/stats")
    page.locator("#stats[aria-busy=false] .chart").first.wait_for()


def open_lineage(page: Page, pictures: list[str]) -> None:
    page.goto(f"/-/lineage/{pictures[0]}")
    page.locator("#graph .card").nth(1).wait_for()


def open_setup(page: Page, pictures: list[str]) -> None:
    page.goto("/-/setup")
    page.locator("#settings tr").first.wait_for()


def open_login(page: Page, pictures: list[str]) -> None:
    page.goto("/-/login")


STILL = """() => new Promise((done) => {
  let [frames, seen] = [0, ""];
  const look = () => {
    const edges = [...document.querySelectorAll("main *")].map((each) => each.getBoundingClientRect().right);
    frames = edges.join() === seen ? frames + 1 : 0;
    seen = edges.join();
    frames > 10 ? done() : requestAnimationFrame(look);
  };
  look();
})"""


@pytest.mark.parametrize(
    "open_page",
    [
        open_library,
        open_loupe,
        open_filter,
        open_generate,
        open_queue,
        open_stats,
        open_lineage,
        open_setup,
        open_login,
    ],
    ids=lambda each: each.__name__.removeprefix("open_"),
)
def test_page_is_for_everybody(
    reviewer: Visitor, pictures: list[str], open_page: Callable[[Page, list[str]], None]
) -> None:
    page = reviewer.new_tab()
    open_page(page, pictures)
    page.evaluate(AUDIT)

    found = {
        "faint": audit(page, "faint"),
        "faint in the light": audit_in_the_light(page),
        "ids given twice": audit(page, "twins"),
        "in motion": audit(page, "moving"),
        "nameless": list_nameless(page),
        "headings": list_wrong_headings(page),
        "by the Tab key": [] if page.locator(":popover-open").count() else walk(page),
    }
    page.set_viewport_size(PHONE)
    wait_until_still(page)
    found["cut off on a phone"] = audit(page, "cut")

    wrong = {what: each for what, each in found.items() if each}
    assert not wrong, json.dumps(wrong, indent=1, ensure_ascii=False)


def wait_until_still(page: Page) -> None:
    """What follows the size of the page, such as charts, is drawn in the frames after it has changed."""
    page.evaluate(STILL)


def audit(page: Page, what: str) -> list[str]:
    found: list[str] = page.evaluate(f"audit.{what}()")
    return found


def audit_in_the_light(page: Page) -> list[str]:
    """The same page in the other colours, and back."""
    before = page.evaluate("document.documentElement.dataset.theme")
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    found = audit(page, "faint")
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", before)
    return found


def list_nameless(page: Page) -> list[str]:
    """Controls and dialogs of which somebody who hears the page is told nothing."""
    nodes = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    return [str(each["role"]["value"]) for each in nodes if is_nameless(each)]


def is_nameless(node: dict[str, Any]) -> bool:
    role = node.get("role", {}).get("value")
    return not node.get("ignored") and role in CONTROLS and not node.get("name", {}).get("value", "").strip()


def list_wrong_headings(page: Page) -> list[str]:
    """One main part, which says what it is: by a heading or by a label."""
    count = page.locator("main").count()
    named = page.locator("main[aria-label], main:has(h1)").count()
    headings = page.locator("h1").count()
    is_right = (count, named) == (1, 1) and headings <= 1
    return [] if is_right else [f"{count} main, {named} named, {headings} h1"]


def walk(page: Page) -> list[str]:
    """Once around the page by Tab: in the order of the page, to every control, each seen."""
    expected = page.evaluate("audit.controls()")
    page.evaluate("audit.begin()")
    met = list(meet(page))
    order = [each["control"] for each in met]
    wrong = [f"{each['control']} is not seen to have the focus" for each in met if not each["isMarked"]]
    wrong += [f"{each['control']} is covered" for each in met if each["isCovered"]]
    wrong += [f"{each} is passed over" for each in expected if each not in order]
    places = [expected.index(each) for each in order if each in expected]
    return wrong + (["not in the order of the page"] if places != sorted(places) else [])


def meet(page: Page) -> Iterator[dict[str, Any]]:
    """Each control that Tab comes to, once; a date has several stops."""
    seen: set[str] = set()
    last = ""
    for _ in range(TABS_MOST):
        page.keyboard.press("Tab")
        found = page.evaluate("audit.focus()")
        if found is None or (found["control"] in seen and found["control"] != last):
            return
        if found["control"] != last:
            yield found
        last = found["control"]
        seen.add(last)


def test_top_bar_of_a_phone_shows_who_is_here_and_reaches_every_page(
    visit: Callable[..., Visitor], house: House
) -> None:
    page = visit(house.cookies, size=(PHONE["width"], PHONE["height"])).open("/-/setup")
    links = page.locator(".topbar nav a")

    for part in (links.filter(has_text="Setup"), page.locator(".actor"), page.get_by_text("Log out")):
        expect(part).to_be_in_viewport(ratio=0.9)
    for link in links.all():
        link.scroll_into_view_if_needed()
        expect(link).to_be_in_viewport(ratio=0.9)
