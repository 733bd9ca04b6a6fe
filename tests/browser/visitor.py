"""Somebody with a browser: a context of their own, and an eye on everything that must not happen there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, WebError

WIDE = (1280, 800)
_LOUD = {"warning", "error"}


class Visitor:
    """A fresh browser context on one library; `assert_quiet` tells what went wrong in any of its pages."""

    def __init__(
        self,
        browser: Browser,
        url: str,
        cookies: Mapping[str, str] | None = None,
        size: tuple[int, int] = WIDE,
    ) -> None:
        self.url = url
        self._complaints: list[str] = []
        self._excused: list[str] = []
        self.context = browser.new_context(
            base_url=url, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
        )
        self.context.add_cookies(
            [{"name": name, "value": value, "url": url} for name, value in (cookies or {}).items()]
        )
        self.context.on("console", self._hear)
        self.context.on("weberror", self._note_error)
        self.context.on("request", self._note_request)
        self.context.on("page", self._watch_dialogs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.context.close()
        if kind is None:
            self.assert_quiet()

    def open(self, path: str = "/-/library") -> Page:
        """A new tab on this path, once its script has run."""
        page = self.context.new_page()
        page.goto(path)
        return page

    def post(self, path: str, body: Mapping[str, object] | None = None) -> None:
        """What another tab of this visitor would send."""
        answer = self.context.request.post(path, data=body, headers={"Origin": self.url})
        assert answer.ok, answer.text()

    def excuse(self, pattern: str) -> None:
        """This test brings about complaints like this one."""
        self._excused.append(pattern)

    def assert_quiet(self) -> None:
        """No warning, no error, no dialog, nothing asked of another site."""
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

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", f"blob:{self.url}/")):
            self._complaints.append(f"request to elsewhere: {request.url}")

    def _watch_dialogs(self, page: Page) -> None:
        def note(dialog: Dialog) -> None:
            self._complaints.append(f"dialog: {dialog.message}")
            dialog.dismiss()

        page.on("dialog", note)
