"""A library with real pictures and hostile text in it, and the real process that serves it."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from hotfolder.accounts.store import FILE, AccountStore, open_accounts
from hotfolder.app import create_library
from hotfolder.lock import LibraryLock
from tests.forks import Process, forks
from tests.plugins.furniture import furnish
from tests.scenarios.service import wait_for

START_LIMIT_S = 20.0
STOP_LIMIT_S = 15.0


class House:
    """One library, its web process, and the clients of those who visit it."""

    def __init__(self, root: Path, *, settings: str = "") -> None:
        self.root = root
        create_library(root)
        if settings:
            (root / "hotfolder.yaml").write_text(settings, encoding="utf-8")
        furnish(root)
        self.accounts: AccountStore = open_accounts(root / FILE)
        self.url = ""
        self.process: Process | None = None
        self._clients: list[httpx.Client] = []

    @property
    def host(self) -> str:
        """The Host header of the server's own address."""
        return urlsplit(self.url).netloc

    @property
    def origin(self) -> dict[str, str]:
        """What a browser sends from the library's own pages."""
        return {"Origin": self.url, "Sec-Fetch-Site": "same-origin"}

    def open(self, *options: str) -> None:
        """Start `hotfolder serve` on a free port, and wait until it has told its address."""
        note = self.root / "run" / "web"
        note.unlink(missing_ok=True)
        self.process = forks.start(
            ["serve", str(self.root), "--port", "0", *options],
            output=self.root / "logs" / "test-web.txt",
            env={name: value for name, value in os.environ.items() if not name.startswith("HOTFOLDER_")},
        )
        process = self.process
        wait_for(lambda: process.poll() is not None or note.exists(), "the web", START_LIMIT_S)
        assert note.exists(), self.output()
        self.url = json.loads(note.read_bytes())["url"]

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(STOP_LIMIT_S)

    def close(self) -> None:
        """End everything, whatever happened."""
        for each in self._clients:
            each.close()
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(STOP_LIMIT_S)
        self.accounts.close()

    @contextmanager
    def held(self) -> Iterator[None]:
        """The library's lock is held meanwhile, as by a sidecar."""
        lock = LibraryLock(self.root / "run" / "lock")
        lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def output(self) -> str:
        """What the server has printed so far."""
        return (self.root / "logs" / "test-web.txt").read_text(encoding="utf-8", errors="replace")

    def visitor(self, headers: Mapping[str, str] | None = None) -> httpx.Client:
        """A client that is not logged in."""
        client = httpx.Client(
            base_url=self.url, headers=dict(headers or {}), trust_env=False, verify=False, timeout=30
        )
        self._clients.append(client)
        return client

    def program(self, scope: str, name: str = "anna") -> httpx.Client:
        """A client with a token."""
        return self.visitor({"Authorization": f"Bearer {self.token(scope, name)}"})

    def browser(self, scope: str, name: str = "anna") -> httpx.Client:
        """A client with a session, which says of each request that it comes from our own pages."""
        client = self.visitor(self.origin)
        answer = client.get("/-/auth-token", params={"token": self.link(scope, name)})
        assert answer.status_code == 303, answer.text
        return client

    def token(self, scope: str, name: str = "anna") -> str:
        """The secret of a new token."""
        return self.accounts.create_token(name, [scope], "test")[1]

    def link(self, scope: str, name: str = "anna") -> str:
        """The secret of a new login link."""
        return self.accounts.create_login_link(name, [scope])


@contextmanager
def open_house(root: Path, *options: str, settings: str = "") -> Iterator[House]:
    """A furnished library that is served until the end of the block."""
    house = House(root, settings=settings)
    try:
        house.open(*options)
        yield house
    finally:
        house.close()


def page_data(html: str) -> dict[str, Any]:
    """What a page hands to its scripts."""
    found = re.search(r'<script type="application/json" id="page-data">(.*?)</script>', html, re.DOTALL)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data
