"""Somebody with a browser: a context of their own, and an eye on everything that must not happen there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Dialog, Page, WebError

WIDE = (1280, 800)
ONE_PROCESS = "--process-per-site"
"""For the browser: the tabs of a context share what they have loaded and compiled."""
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost"
"""For the browser: there is no other machine, and a page that asks for one is told so in its console."""
GONE = "status of 404 .*/original"
"""An original that is asked for while its picture leaves the library: to be excused where one does."""
_LOUD = {"warning", "error"}


def new_context(browser: Browser, url: str, size: tuple[int, int] = WIDE) -> BrowserContext:
    """What a browser keeps of one person."""
    return browser.new_context(
        base_url=url, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
    )


def wear(browser: Browser, url: str) -> BrowserContext:
    """A context for many visitors of a house, one after the other."""
    context = new_context(browser, url)
    context.new_page().goto("/-/api/status")
    return context


class Visitor:
    """A browser context on one library; `assert_quiet` tells what went wrong in any of its pages.

    The context is a fresh one, or a `worn` one, which knows the scripts already and forgets all else: a page
    that nobody looks at keeps its process alive.
    """

    def __init__(
        self,
        browser: Browser,
        url: str,
        cookies: Mapping[str, str] | None = None,
        size: tuple[int, int] = WIDE,
        worn: BrowserContext | None = None,
    ) -> None:
        self.url = url
        self._complaints: list[str] = []
        self._excused: list[str] = []
        self._worn = worn
        self.scripts: list[str] = []
        """Run in each tab that is opened, before those of the page."""
        self._hears = {
            "console": self._hear,
            "weberror": self._note_error,
            "page": self._watch_dialogs,
        }
        self.context = worn or new_context(browser, url, size)
        self.context.add_cookies(
            [{"name": name, "value": value, "url": url} for name, value in (cookies or {}).items()]
        )
        for event, hear in self._hears.items():
            self.context.on(event, hear)  # type: ignore[call-overload]  # a literal each

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()
        if kind is None:
            self.assert_quiet()

    def close(self) -> None:
        """The end of all its pages."""
        if self._worn is None:
            self.context.close()
            return
        for page in self._worn.pages[1:]:
            page.close()
        for event, hear in self._hears.items():
            self._worn.remove_listener(event, hear)
        self._worn.unroute_all()
        self._worn.clear_permissions()
        self._worn.clear_cookies()

    def open(self, path: str = "/-/library") -> Page:
        """A new tab on this path, once its script has run."""
        page = self.new_tab()
        page.goto(path)
        return page

    def new_tab(self) -> Page:
        """An empty one; the first of a worn context knows nothing of the visitor before."""
        page = self.context.new_page()
        if self._worn is not None and self._worn.pages[1:] == [page]:
            forget = {"origin": self.url, "storageTypes": "local_storage"}
            self._worn.new_cdp_session(page).send("Storage.clearDataForOrigin", forget)
        for script in self.scripts:
            page.add_init_script(script)
        return page

    def post(self, path: str, body: Mapping[str, object] | None = None) -> None:
        """What another tab of this visitor would send."""
        answer = self.context.request.post(path, data=body, headers={"Origin": self.url})
        assert answer.ok, answer.text()

    def excuse(self, pattern: str) -> None:
        """This test brings about complaints like this one."""
        self._excused.append(pattern)

    def assert_quiet(self) -> None:
        """No warning, no error, no dialog; a request to another site would end with an error: see ALONE."""
        unexpected = [
            each for each in self._complaints if not any(re.search(known, each) for known in self._excused)
        ]
        if unexpected:
            raise AssertionError("\n".join(unexpected))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in _LOUD:
            self._complaints.append(f"console {message.type}: {message.text} ({message.location['url']})")

    def _note_error(self, error: WebError) -> None:
        self._complaints.append(f"uncaught: {error.error.message}")

    def _watch_dialogs(self, page: Page) -> None:
        def note(dialog: Dialog) -> None:
            self._complaints.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("dialog", note)
