"""Twenty tabs of one browser: none keeps another from loading and hearing, nor the service from its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.house import SETTINGS, House
from tests.browser.light_table import cell
from tests.browser.visitor import Visitor
from tests.scenarios.service import wait_for

TABS = 20
PAGE_MS = 10_000
AT_ONCE_MS = 1_000
STOP_LIMIT_S = 5.0
WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { get: () => undefined });"
MEASURE = """async () => {
  const began = performance.now();
  await (await fetch("/-/api/media?limit=1")).json();
  return performance.now() - began;
}"""


@pytest.fixture
def own_house(tmp_path: Path) -> Iterator[House]:
    """A house that a test may bring to its end."""
    made = House(tmp_path / "library", settings=SETTINGS)
    try:
        made.open_house()
        yield made
    finally:
        made.kill()


class OpenPolls:
    """How many long polls a browser has open, and had at most at one time."""

    def __init__(self, visitor: Visitor) -> None:
        self._open: set[Request] = set()
        self.most = 0
        visitor.context.on("request", self._begin)
        visitor.context.on("requestfinished", self._end)
        visitor.context.on("requestfailed", self._end)

    def _begin(self, request: Request) -> None:
        if "wait=20" in request.url:
            self._open.add(request)
            self.most = max(self.most, len(self._open))

    def _end(self, request: Request) -> None:
        self._open.discard(request)


def open_tabs(visitor: Visitor) -> list[Page]:
    """Twenty tabs, one after the other; none takes long because of those before it."""
    tabs = []
    for _ in range(TABS):
        began_s = time.monotonic()
        tabs.append(visitor.open())
        assert (time.monotonic() - began_s) * 1000 < PAGE_MS
    return tabs


def rate_and_expect_everywhere(visitor: Visitor, tabs: list[Page], picture: str) -> None:
    visitor.post(f"/-/api/media/{picture}", {"rating": 4})
    for tab in tabs:
        expect(cell(tab, picture)).to_have_attribute("data-rating", "4")


@pytest.mark.timeout(120)
def test_twenty_tabs_share_one_long_poll_and_all_get_the_news(
    visit: Callable[..., Visitor], house: House
) -> None:
    reviewer = visit(house.cookies)
    polls = OpenPolls(reviewer)
    picture = house.draw("for-twenty")[0]

    tabs = open_tabs(reviewer)

    wait_for(lambda: tabs[0].evaluate("1") and polls.most, "a long poll")
    for tab in (tabs[6], tabs[-1]):
        assert tab.evaluate(MEASURE) < AT_ONCE_MS
    rate_and_expect_everywhere(reviewer, tabs, picture)
    arrived = house.draw("for-all")[0]
    for tab in tabs:
        expect(cell(tab, arrived)).to_be_visible()
    assert polls.most == 1


@pytest.mark.timeout(120)
def test_twenty_tabs_without_locks_ask_shortly_and_all_get_the_news(
    visit: Callable[..., Visitor], house: House
) -> None:
    reviewer = visit(house.cookies)
    reviewer.scripts.append(WITHOUT_LOCKS)
    polls: list[str] = []
    reviewer.context.on(
        "request", lambda request: polls.append(request.url) if "/-/api/events?" in request.url else None
    )
    picture = house.draw("for-the-lockless")[0]

    tabs = open_tabs(reviewer)

    for tab in (tabs[6], tabs[-1]):
        assert tab.evaluate(MEASURE) < AT_ONCE_MS
    rate_and_expect_everywhere(reviewer, tabs, picture)
    assert polls
    assert not [each for each in polls if "wait=0" not in each]


@pytest.mark.timeout(120)
def test_service_ends_within_five_seconds_while_twenty_wait_for_news(
    chromium: Browser, own_house: House
) -> None:
    seq = httpx.get(f"{own_house.url}/-/api/events").json()["seq"]
    with ExitStack() as stack:
        visitors = [stack.enter_context(Visitor(chromium, own_house.url)) for _ in range(4)]
        for visitor in visitors:
            visitor.excuse("net::ERR_")
            page = visitor.new_tab()
            with page.expect_request("**/-/api/events?*wait=20"):
                page.goto("/-/library")
        for _ in range(16):
            connection = HTTPConnection(own_house.url.removeprefix("http://"), timeout=40)
            stack.callback(connection.close)
            connection.request("GET", f"/-/api/events?after={seq}&wait=25")
        httpx.get(f"{own_house.url}/-/api/status", timeout=20)  # what was asked before is in hand
        began_s = time.monotonic()

        assert own_house.stop() == 0

        assert time.monotonic() - began_s < STOP_LIMIT_S
