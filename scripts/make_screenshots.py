"""Takes the pictures of the documentation from a real library in a real browser.

    python scripts/make_screenshots.py [FOLDER]

Needs Chromium and playwright (`pip install .[dev]`). The library is a temporary one.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from screenshot_library import Client, served, wait_for

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
WINDOW: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
PHONE_GAP_PX = 24
PHONE_GROUND = (58, 62, 66)
LARGEST_BYTES = 300_000
PAGE_COLOURS = 64
CAMPAIGNS = (("Spring campaign", "Rose meadow hills at dawn"), ("Night campaign", "A city at night"))
PROMPT = "A lighthouse at dusk, long exposure,\nlow fog over the rocks"
# A function, not an expression: the pages allow nothing that would be evaluated again later.
ALL_LOADED = """
() => [...document.images].every((each) => {
  const { top, bottom } = each.getBoundingClientRect();
  const isSeen = bottom > 0 && top < innerHeight && each.checkVisibility({ visibilityProperty: true });
  return !isSeen || each.naturalWidth;
})
"""


def main(arguments: list[str]) -> int:
    """Take all pictures into a folder."""
    target = Path(arguments[0] if arguments else "docs/images")
    target.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="hotfolder-") as scratch,
        served(Path(scratch)) as client,
        opened_browser() as browser,
    ):
        desk, phone = (Camera(browser, client, target, each) for each in (WINDOW, PHONE))
        take_library(desk, client)
        take_loupe(desk, client)
        take_pages(desk, client)
        take_phone(phone, client, target)
        take_work(desk, client)
        take_review(desk, client)
    return 0


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """Chromium as the system has it."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise SystemExit(f"No browser is installed (looked for {', '.join(PROGRAMS)}).")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


class Camera:
    """A window of the reviewer's, and the folder for what it shows."""

    def __init__(self, browser: Browser, client: Client, target: Path, size: ViewportSize) -> None:
        self._target = target
        context = browser.new_context(base_url=client.url, viewport=size, reduced_motion="reduce")
        cookies = client.cookies.items()
        context.add_cookies([{"name": name, "value": it, "url": client.url} for name, it in cookies])
        self.page = context.new_page()

    def open(self, path: str, ready: str) -> Page:
        """Go there, and wait for what tells that the page is whole."""
        self.page.goto("about:blank")
        self.page.goto(path)
        self.page.locator(ready).first.wait_for()
        return self.page

    def shoot(self) -> Image.Image:
        """What the window shows, once its pictures are there."""
        self.page.wait_for_function(ALL_LOADED)
        return Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")

    def take(self, name: str) -> None:
        """A file of what the window shows."""
        save(self.shoot(), self._target / f"{name}.png")


def take_library(camera: Camera, client: Client) -> None:
    """The light table dark and light, its filter, and a dialog."""
    client.post("/-/api/preferences", preferences={"generate": "open", "info": "open"})
    page = open_light_table(camera)
    choose(page, "Fjord by evening")
    fill_form(page)
    page.locator("#generate-submit").click()
    page.mouse.move(0, 0)
    client.submit("Postcards", "A beach on a summer day", 1, count=3, size="768*512")
    wait_for(lambda: client.is_at_work("Lighthouse at dusk"))
    page.locator("#now .bar").wait_for()
    camera.take("light-table")
    client.wait_until_all_ended()

    client.post("/-/api/preferences", preferences={"theme": "light"})
    page = open_light_table(camera)
    choose(page, "Old town")
    camera.take("light-table-light")
    client.post("/-/api/preferences", preferences={"theme": "dark"})

    page = open_light_table(camera, "?minRating=3&origin=generation")
    page.locator("#filter-button").click()
    page.locator("#filter-panel .pill-button").first.wait_for()
    camera.take("filter")
    page.keyboard.press("Escape")

    page.locator("#care-button").click()
    page.get_by_role("menuitem", name="Duplicates").click()
    page.get_by_text("Look alike").click()
    page.locator(".duplicate-group").first.wait_for()
    camera.take("duplicates")


def open_light_table(camera: Camera, query: str = "") -> Page:
    """The library, once it has pictures."""
    return camera.open(f"/-/library{query}", "#grid .cell img")


def fill_form(page: Page) -> None:
    """Ask for some pictures."""
    page.locator("#generate-about summary").click()
    page.locator("#generate-title").fill("Lighthouse at dusk")
    page.locator("#generate-about summary").click()
    page.locator("#generate-param-prompt").fill(PROMPT)
    page.locator("#generate-ratio").get_by_text("3:2", exact=True).click()
    page.locator("#generate-count").get_by_text("4", exact=True).click()
    page.locator("#generate-cost").get_by_text("4 pictures, about").wait_for()


def choose(page: Page, title: str) -> None:
    """Make this picture the current one, and wait for all that is known of it."""
    page.get_by_role("option", name=title).first.click()
    page.locator("#info").get_by_text("SHA-256").wait_for()
    page.locator("#info-sections:not([aria-busy=true])").wait_for()
    page.locator("#info-preview[src*=original]").wait_for()


def take_loupe(camera: Camera, client: Client) -> None:
    """One picture, several beside each other, and a picture over its source."""
    client.post("/-/api/preferences", preferences={"generate": "closed"})
    page = open_light_table(camera)
    choose(page, "Northern lights")
    page.keyboard.press("Enter")
    page.wait_for_selector("#loupe-image[data-sharp=true]")
    camera.take("loupe")
    page.keyboard.press("Escape")

    choose(page, "Old town")
    page.keyboard.press("Enter")
    page.keyboard.press("c")
    page.locator("#compare .pane").nth(1).wait_for()
    page.wait_for_timeout(500)
    camera.take("compare")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")

    choose(page, "Fjord by evening")
    page.keyboard.press("Enter")
    page.wait_for_selector("#loupe-image[data-sharp=true]")
    page.keyboard.press("y")
    page.locator(".divider").wait_for()
    page.wait_for_timeout(500)
    camera.take("before-after")


def take_pages(camera: Camera, client: Client) -> None:
    """Pages that show what was: statistics, lineage, setup."""
    camera.open("/-/stats", "#stats[aria-busy=false] .chart")
    camera.take("stats")
    camera.open(f"/-/lineage/{client.media_of('Fjord by evening')['mediaId']}", "#graph .card img")
    camera.take("lineage")
    camera.open("/-/setup", "#checks li")
    camera.take("setup")


def take_work(camera: Camera, client: Client) -> None:
    """Pages that show what is: the form alone, and the queue at work."""
    client.submit("Harbour, six ways", "A harbour at dusk", 1, count=6, steps=10, size="768*512")
    client.submit("Winter postcards", "A white winter coast", 1, count=4, size="768*512")
    client.submit("Skylines", "A neon city at midnight", 2, count=8, size="768*512")
    page = camera.open("/-/generate", "#generate-body:not([hidden])")
    fill_form(page)
    page.locator("#generate-jobs .now-job").first.wait_for()
    camera.take("generate")
    camera.open("/-/queue", "#running .job-pictures img")
    camera.take("queue")
    client.wait_until_all_ended()


def take_review(camera: Camera, client: Client) -> None:
    """Pictures that wait for somebody to look at them."""
    client.post("/-/api/preferences", preferences={"info": "open"})
    for title, prompt in CAMPAIGNS:
        client.submit(title, prompt, 9, count=4, size="960*640", review=True)
    wait_for(lambda: client.get("/-/api/media?review=awaiting")["total"] == 8)
    client.wait_until_all_ended()
    page = open_light_table(camera, "?review=awaiting")
    choose(page, "Spring campaign")
    camera.take("review")


def take_phone(camera: Camera, client: Client, target: Path) -> None:
    """The library, the loupe and the form on a phone, beside each other."""
    client.post("/-/api/preferences", preferences={"generate": "closed", "info": "closed"})
    page = open_light_table(camera)
    views = [camera.shoot()]
    page.locator("#grid .cell").nth(1).dblclick()
    page.wait_for_selector("#loupe-image[data-sharp=true]")
    views.append(camera.shoot())
    page = camera.open("/-/generate", "#generate-body:not([hidden])")
    fill_form(page)
    views.append(camera.shoot())
    save(side_by_side(views), target / "phone.png")


def side_by_side(views: list[Image.Image]) -> Image.Image:
    """One picture of all, with a gap around each."""
    width, height = views[0].size
    step = width + PHONE_GAP_PX
    whole = Image.new("RGB", (step * len(views) + PHONE_GAP_PX, height + 2 * PHONE_GAP_PX), PHONE_GROUND)
    for place, each in enumerate(views):
        whole.paste(each, (PHONE_GAP_PX + place * step, PHONE_GAP_PX))
    return whole


def save(shot: Image.Image, file: Path) -> None:
    """With as many shades as the file may hold."""
    for bits in (7, 6, 5, 4):
        coarsen(shot, bits).save(file, optimize=True)
        if file.stat().st_size <= LARGEST_BYTES:
            break
    print(f"{file}: {file.stat().st_size} bytes")  # noqa: T201 - a script tells what it did


def coarsen(shot: Image.Image, bits: int) -> Image.Image:
    """Fewer shades, which hardly shows in pictures; the colours of the page itself stay as they are."""
    most = sorted(shot.getcolors(shot.width * shot.height) or [], reverse=True)[:PAGE_COLOURS]
    kept = {colour for _, colour in most}
    half = 1 << (7 - bits)
    coarse = ImageOps.posterize(shot, bits).point(lambda value: value + half)
    pairs = zip(list_pixels(shot), list_pixels(coarse), strict=True)
    coarse.putdata([exact if exact in kept else rough for exact, rough in pairs])
    return coarse


def list_pixels(image: Image.Image) -> list[tuple[int, int, int]]:
    """Red, green and blue of each."""
    data = image.tobytes()
    return list(zip(data[0::3], data[1::3], data[2::3], strict=True))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
