"""Takes the pictures of the documentation from a real library in a real browser.

    python scripts/make_screenshots.py [FOLDER]

Needs Chromium and playwright (`pip install .[dev]`). The library is a temporary one.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
from PIL import Image, ImageOps
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from hotfolder.cli.demo import find_examples, make_copy

T = TypeVar("T")

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
WINDOW: ViewportSize = {"width": 1440, "height": 900}
CELL_PX = "164"
STEP_MS = "60"
LIMIT_S = 120.0
LOOK_S = 0.1
REVIEWER = "anna"
# A function, not an expression: the pages allow nothing that would be evaluated again later.
ALL_LOADED = """
() => [...document.images].filter((each) => each.checkVisibility()).every((each) => each.naturalWidth)
"""
SCENES = (
    ("Alpine morning", "Mountain peaks on a pink spring morning", "3:2", 3),
    ("Old town", "A castle town by night, stars and a full moon", "3:2", 8),
    ("Dunes", "Yellow desert dunes with a fox", "4:5", 5),
    ("Northern lights", "Aurora over a teal lake, magic", "16:9", 21),
    ("First snow", "Snow and frost on white hills in winter", "3:2", 4),
    ("Clearing", "A green forest garden full of moss", "2:3", 9),
    ("Open sea", "A ship on the blue ocean on a summer day", "3:2", 12),
    ("Lavender", "A violet dream of lavender fields", "1:1", 6),
    ("Embers", "A volcano cliff at sunset, red and warm", "3:2", 17),
    ("Skyline", "The skyline of a neon city at midnight", "16:9", 33),
    ("Island", "An island beach at noon, water all around", "1:1", 14),
)
RATINGS = (4, 5, 3, 0, 4, 5, 2, 4, 0, 3, 5, 1, 0, 2, 3, 0, 4, 0, 3, 5, 4)
STATUSES = {1: "selected", 5: "selected", 6: "rejected", 10: "selected", 13: "rejected", 19: "selected"}


def main(arguments: list[str]) -> int:
    """Take all pictures into a folder."""
    target = Path(arguments[0] if arguments else "docs/images")
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        library = make_copy(find_examples(), Path(scratch) / "library")
        expected = json.loads((library / "expected.json").read_text(encoding="utf-8"))
        with served(library) as client:
            client.wait_until_ended(len(expected["jobs"]), expected["imports"])
            drop_scenes(library)
            client.wait_until_ended(len(expected["jobs"]) + len(SCENES), expected["imports"])
            client.rate()
            with opened_browser() as browser:
                take_all(browser, client, library, target)
    return 0


def drop_scenes(library: Path) -> None:
    """A job for each scene; without the strip of text, which stars would cover."""
    for place, (title, prompt, ratio, seed) in enumerate(SCENES):
        size = {"resolution": 960, "aspectRatio": ratio}
        drop(library, f"scene-{place:02}.json", title, prompt, seed, caption=False, **size)


def drop(library: Path, name: str, title: str, prompt: str, seed: int, **more: Any) -> None:
    """Put a job file into the inbox, whole at once."""
    count = more.pop("count", 1)
    params = {"prompt": prompt, "seed": seed, **more}
    job = {"endpointKey": "local.procedural.image", "title": title, "params": params, "count": count}
    draft = library / "inbox" / f".{name}.tmp"
    draft.write_text(json.dumps(job), encoding="utf-8")
    draft.rename(draft.with_name(name))


class Client:
    """A reviewer who is logged in to the library."""

    def __init__(self, url: str, link: str) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, headers={"Origin": url})
        self._http.get(link)
        self.cookies = dict(self._http.cookies)

    def wait_until_ended(self, jobs: int, imports: int) -> None:
        """Until so many jobs and imports have ended."""
        wait_for(lambda: len(self.get("/-/api/jobs?state=ended&limit=500")["items"]) >= jobs)
        wait_for(lambda: self.get("/-/api/media?origin=import")["total"] >= imports)

    def rate(self) -> None:
        """Stars and marks for the first pictures of the grid."""
        for place, media in enumerate(self.get("/-/api/media")["items"][: len(RATINGS)]):
            changes = {"rating": RATINGS[place], "status": STATUSES.get(place)}
            self._http.post(f"/-/api/media/{media['mediaId']}", json=changes).raise_for_status()

    def is_half_done(self) -> bool:
        """Whether a job is well on its way."""
        jobs = self.get("/-/api/jobs?state=active")["items"]
        return any(40 <= ((each["progress"] or {}).get("percentage") or 0) < 80 for each in jobs)

    def get(self, path: str) -> Any:
        """The answer of the API."""
        return self._http.get(path).raise_for_status().json()


@contextmanager
def served(library: Path) -> Iterator[Client]:
    """`hotfolder up` on a free port, and somebody who is logged in to it."""
    command = [sys.executable, "-m", "hotfolder"]
    environment = {**os.environ, "HOTFOLDER_PROCEDURAL_STEP_MS": STEP_MS}
    service = subprocess.Popen(
        [*command, "up", str(library), "--port", "0"], env=environment, stdout=subprocess.DEVNULL
    )
    try:
        note = wait_for(lambda: find_note(library / "run" / "web"))
        login = [*command, "--library", str(library), "login", "--name", REVIEWER, "--json"]
        told = subprocess.run(login, capture_output=True, check=True)
        yield Client(note["url"], json.loads(told.stdout)["url"])
    finally:
        service.terminate()
        service.wait(LIMIT_S)


def find_note(file: Path) -> Any:
    """The address that the web has left, once it has."""
    return json.loads(file.read_bytes()) if file.is_file() else None


@contextmanager
def opened_browser() -> Iterator[Browser]:
    """Chromium as the system has it."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        raise SystemExit(f"No browser is installed (looked for {', '.join(PROGRAMS)}).")
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])


def take_all(browser: Browser, client: Client, library: Path, target: Path) -> None:
    """The light table, the loupe, and the queue at work."""
    context = browser.new_context(base_url=client.url, viewport=WINDOW, reduced_motion="reduce")
    context.add_cookies(
        [{"name": name, "value": it, "url": client.url} for name, it in client.cookies.items()]
    )
    context.add_init_script(f"localStorage.setItem('hotfolder.size', '{CELL_PX}')")
    page = context.new_page()

    page.goto("/-/library")
    page.wait_for_function(ALL_LOADED)
    page.keyboard.press("ArrowRight")
    page.locator("#info").get_by_text("SHA-256").wait_for()
    save(page, target / "light-table.png")

    page.keyboard.press("Enter")
    page.wait_for_selector("#loupe-image[data-sharp=true]")
    page.wait_for_function(ALL_LOADED)
    save(page, target / "loupe.png")

    page.goto("/-/queue")
    drop(library, "harbour.json", "Harbour, six ways", "A harbour at dusk", 1, count=6, steps=10)
    drop(library, "postcards.json", "Postcards", "A beach on a summer day", 1, count=4)
    wait_for(client.is_half_done)
    save(page, target / "queue.png")


def save(page: Page, file: Path) -> None:
    """What the window shows, in 7 bits a colour: nobody sees it, and the file is a fifth smaller."""
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    ImageOps.posterize(shot, 7).save(file, optimize=True)
    print(f"{file}: {file.stat().st_size} bytes")  # noqa: T201 - a script tells what it did


def wait_for(look: Callable[[], T]) -> T:
    """What `look` finds, as soon as it finds something."""
    deadline = time.monotonic() + LIMIT_S
    while not (found := look()):
        if time.monotonic() > deadline:
            raise SystemExit("The library did not come so far in time.")
        time.sleep(LOOK_S)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
