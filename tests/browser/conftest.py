"""A library with pictures, served by a real `hotfolder up`, and Chromium to look at it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from tests.browser.house import SETTINGS, House
from tests.browser.visitor import ALONE, ONE_PROCESS, Visitor, wear

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PATIENCE_MS = 15_000


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One library for all tests of a worker: each draws the pictures it changes."""
    folder = tmp_path_factory.mktemp("house")
    made = House(folder / "library", settings=SETTINGS)
    try:
        made.open_house()
        made.draw("harbour", count=6)
        made.bring("holiday.png", folder, (120, 80))
        made.bring("portrait.png", folder, (80, 120))
        yield made
    finally:
        made.kill()


def scope_of_browser(fixture_name: str, config: pytest.Config) -> Literal["session", "module"]:
    """For all tests where there are no others: its event loop would be in the way of those."""
    are_alone = all("tests/browser" in Path(each).as_posix() for each in config.args)
    return "session" if are_alone else "module"


@pytest.fixture(scope=scope_of_browser)
def chromium() -> Iterator[Browser]:
    """One browser for many tests; each opens windows of its own."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        pytest.skip(f"no browser is installed (looked for {', '.join(PROGRAMS)}); .ci/run installs chromium")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--in-process-gpu", ONE_PROCESS, ALONE]
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope=scope_of_browser)
def worn(chromium: Browser) -> Iterator[Callable[[str], BrowserContext]]:
    """Contexts that have seen a house before: scripts need not be loaded for each test anew."""
    contexts: dict[str, BrowserContext] = {}

    def find(url: str) -> BrowserContext:
        if url not in contexts:
            contexts[url] = wear(chromium, url)
        return contexts[url]

    yield find
    for each in contexts.values():
        each.close()


@pytest.fixture
def visit(chromium: Browser, house: House) -> Iterator[Callable[..., Visitor]]:
    """Makes visitors of the house, each in a fresh context; in none of them may anything go wrong."""
    made: list[Visitor] = []

    def make(cookies: Mapping[str, str] | None = None, **options: tuple[int, int]) -> Visitor:
        made.append(Visitor(chromium, house.url, cookies, **options))
        return made[-1]

    yield make
    for each in made:
        each.close()
    for each in made:
        each.assert_quiet()


@pytest.fixture
def reviewer(chromium: Browser, worn: Callable[[str], BrowserContext], house: House) -> Iterator[Visitor]:
    """Somebody who is logged in."""
    with Visitor(chromium, house.url, house.cookies, worn=worn(house.url)) as made:
        yield made
