"""The one seat at this machine's engines: a request has it while it runs; the next one waits, prepared."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from hotfolder.errors import EngineBusy, EngineCancelled

LOOK_S: Final = 0.05


AGAIN_S: Final = 0.002


def _never() -> bool:
    return False


def _always() -> bool:
    return True


class Seat:
    """Any thread; whoever waits can be interrupted, and gives up when the seat is closed."""

    def __init__(self) -> None:
        self._taken = threading.Lock()
        self._line = threading.Lock()
        self._first: int | None = None  # the thread that stands in line
        self._gives_way: Callable[[], bool] = _never
        self._closed = threading.Event()

    @contextmanager
    def in_line(
        self,
        interrupt: threading.Event,
        gives_way: Callable[[], bool] = _never,
        is_next: Callable[[], bool] = _always,
    ) -> Iterator[None]:
        """Be the next to have the seat, and prepare for it; the one behind begins once we have it.

        Else whoever prepares more quickly would go first, be it the less urgent; and whoever comes before it
        `is_next` steps back. Whoever `gives_way` while it waits for the seat is interrupted: `interrupt` is
        set, and EngineCancelled raised.
        """
        self._join(interrupt, is_next)
        self._first, self._gives_way = threading.get_ident(), gives_way
        try:
            yield
        finally:
            self._leave_line()

    @contextmanager
    def taken(self, interrupt: threading.Event) -> Iterator[None]:
        """Wait for the seat, however long; raises EngineCancelled once `interrupt` is set."""
        self._wait_for(self._taken, interrupt)
        try:
            self._look(interrupt)
            self._leave_line()
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

    def _join(self, interrupt: threading.Event, is_next: Callable[[], bool]) -> None:
        while True:
            self._wait_for(self._line, interrupt)
            is_ours = False
            try:
                is_ours = is_next()
                if is_ours:
                    return
            finally:
                if not is_ours:
                    self._line.release()
            interrupt.wait(AGAIN_S)
            self._look(interrupt)

    def _leave_line(self) -> None:
        if self._first == threading.get_ident():
            self._first = None
            self._line.release()

    def _wait_for(self, lock: threading.Lock, interrupt: threading.Event) -> None:
        while not lock.acquire(timeout=LOOK_S):
            self._look(interrupt)

    def _look(self, interrupt: threading.Event) -> None:
        if self._first == threading.get_ident() and self._gives_way():
            interrupt.set()
        if interrupt.is_set():
            raise EngineCancelled("the request was interrupted before it began")
        if self._closed.is_set():  # it spends no attempt: the next start takes it up
            raise EngineBusy("the service stops")
