"""The one seat at this machine's engines: a request has it while it runs; the next one waits, prepared."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from hotfolder.errors import EngineBusy, EngineCancelled

LOOK_S: Final = 0.05


class Seat:
    """Any thread; whoever waits can be interrupted, and gives up when the seat is closed."""

    def __init__(self) -> None:
        self._taken = threading.Lock()
        self._closed = threading.Event()

    @contextmanager
    def taken(self, interrupt: threading.Event) -> Iterator[None]:
        """Wait for the seat, however long; raises EngineCancelled once `interrupt` is set."""
        while not self._taken.acquire(timeout=LOOK_S):
            self._look(interrupt)
        try:
            self._look(interrupt)
            yield
        finally:
            self._taken.release()

    @contextmanager
    def taken_if_free(self) -> Iterator[bool]:
        """Whether it is ours now; waits for nobody."""
        if self._closed.is_set() or not self._taken.acquire(blocking=False):
            yield False
            return
        try:
            yield True
        finally:
            self._taken.release()

    def close(self) -> None:
        """Whoever has it may end; nobody else gets it. For good."""
        self._closed.set()

    def _look(self, interrupt: threading.Event) -> None:
        if interrupt.is_set():
            raise EngineCancelled("the request was interrupted before it began")
        if self._closed.is_set():  # it spends no attempt: the next start takes it up
            raise EngineBusy("the service stops")
