"""The light table on a phone: what lies over the pictures gives way, what decides on them is in reach."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.house import House
from tests.browser.visitor import WIDE, Visitor

PHONE = {"width": 360, "height": 740}
SAY = """async () => {
  const { toast } = await import("/-/static-plugins/hotfolder/toast.js");
  toast("It is said here.");
}"""


def bottom(found: Locator) -> float:
    box = found.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


def top(found: Locator) -> float:
    box = found.bounding_box()
    assert box is not None
    return box["y"]


def open_on_a_phone(visitor: Visitor) -> Page:
    """The library, whose form was left open at a desk."""
    page = visitor.open()
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})
    while page.locator("#generate").is_hidden():
        page.locator("#generate-button").click()
    page.set_viewport_size(PHONE)
    page.reload()
    expect(page.locator("#grid .cell[aria-current]")).to_be_visible()
    return page


def test_what_covers_the_pictures_is_closed_at_first_and_easily(
    visit: Callable[..., Visitor], house: House
) -> None:
    page = open_on_a_phone(visit(house.log_in("pat")))
    info = page.locator("#info")
    expect(page.locator("#generate")).to_be_hidden()
    expect(info).to_be_hidden()

    def beside() -> None:
        page.mouse.click(20, 600)

    ways = (page.locator("#info-close").click, lambda: page.keyboard.press("Escape"), beside)
    for close in ways:
        page.locator("#info-button").click()
        expect(info).to_be_visible()
        close()
        expect(info).to_be_hidden()
    page.locator("#grid .cell").first.dblclick()
    page.locator("#loupe-info").click()
    expect(info).to_be_visible()
    page.keyboard.press("Escape")
    expect(info).to_be_hidden()
    expect(page.locator("#loupe")).to_be_visible()
    page.locator("#loupe-marks").evaluate("each => Object.assign(each.dataset, { rating: 5, label: 'red' })")
    assert page.locator(".loupe-bar").evaluate("bar => bar.scrollWidth <= innerWidth")
    for name in ("Smaller", "Larger"):
        expect(page.locator("#loupe").get_by_role("button", name=name)).to_be_in_viewport(ratio=1)


def test_message_stands_above_what_can_be_done_to_the_chosen_pictures(
    visit: Callable[..., Visitor], house: House
) -> None:
    page = open_on_a_phone(visit(house.log_in("pat")))
    page.locator("#grid .cell").nth(0).click()
    page.locator("#grid .cell").nth(1).click(modifiers=["Control"])
    expect(page.locator("#selection-bar")).to_be_visible()

    page.evaluate(SAY)

    said = page.locator(".toast").filter(has_text="It is said here.")
    expect(said).to_be_visible()
    assert bottom(said) <= top(page.locator("#selection-bar"))
