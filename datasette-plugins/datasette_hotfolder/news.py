"""Waiting for events: one look at the database serves all who wait."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

log = logging.getLogger(__name__)

LOOK_S: Final = 0.1
"""So often is the database asked, while anybody waits."""


class News:
    """Wakes those who wait for an event after theirs; used on the event loop only."""

    def __init__(self, read_latest: Callable[[], Awaitable[int]], *, look_s: float = LOOK_S) -> None:
        self._read_latest = read_latest
        self._look_s = look_s
        self._waiting = 0
        self._latest = 0
        self._looked = asyncio.Event()
        self._stopped = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    async def wait(self, after: int, timeout_s: float) -> None:
        """Return on an event with a higher number, after the time-out, or when the server stops."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        self._waiting += 1
        try:
            if self._watch is None or self._watch.done():
                self._watch = asyncio.create_task(self._look())
            while self._latest <= after and not self._stopped.is_set():
                remaining_s = deadline - asyncio.get_running_loop().time()
                if remaining_s <= 0:
                    return
                await self._next_look(remaining_s)
        finally:
            self._waiting -= 1

    def stop(self) -> None:
        """Let everybody go, now and from now on."""
        self._stopped.set()
        self._looked.set()

    async def _next_look(self, timeout_s: float) -> None:
        looked = self._looked
        try:
            await asyncio.wait_for(looked.wait(), timeout_s)
        except TimeoutError:
            return

    async def _look(self) -> None:
        """Ask until nobody waits any more; each answer that is new wakes all."""
        while self._waiting and not self._stopped.is_set():
            try:
                latest = await self._read_latest()
            except Exception:  # a busy database must not end the news for good
                log.exception("the news could not be read; they are looked for again")
                latest = self._latest
            if latest != self._latest:
                self._latest = latest
                looked, self._looked = self._looked, asyncio.Event()
                looked.set()
            await asyncio.sleep(self._look_s)
