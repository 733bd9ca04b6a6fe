"""The web's own threads: pages read on some, whoever has to wait for a writer waits on others."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

from hotfolder.errors import LibraryBusy

P = ParamSpec("P")
T = TypeVar("T")

READERS: Final = 4
WRITERS: Final = 2


class Lane:
    """Threads of one kind, and how many calls are with them; counted on the event loop only."""

    def __init__(self, name: str, threads: int, *, waiting_max: int) -> None:
        self.waiting_max = waiting_max
        self.executor = ThreadPoolExecutor(threads, thread_name_prefix=f"web-{name}")
        self.waiting = 0


class Threads:
    """A locked database stops those who write; those who look never wait for it."""

    def __init__(self) -> None:
        self.reading = Lane("read", READERS, waiting_max=2000)
        self.writing = Lane("write", WRITERS, waiting_max=64)
        self.slow = Lane("slow", 1, waiting_max=8)

    async def call(self, lane: Lane, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function on a thread of a kind; raises LibraryBusy when too many wait there."""
        if lane.waiting >= lane.waiting_max:
            raise LibraryBusy("Too many requests wait already.", hint="Try again in a moment.")
        lane.waiting += 1
        try:
            call = functools.partial(function, *args, **kwargs)
            return await asyncio.get_running_loop().run_in_executor(lane.executor, call)
        finally:
            lane.waiting -= 1

    def stop(self) -> None:
        """End all threads; what they have in hand is finished, what waits is not begun."""
        for lane in (self.reading, self.writing, self.slow):
            lane.executor.shutdown(wait=True, cancel_futures=True)
