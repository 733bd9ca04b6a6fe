"""A watch loop on a real folder, and a handler that notes each file and moves it away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any

from hotfolder.watchers.loop import SettledFile, WatchLoop

LIMIT_S = 20.0
SETTLE_S = 0.2


class Desk:
    """A loop on `root`, and a handler that notes each file and moves it to `taken`."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "in"
        self.taken = folder / "taken"
        self.outside = folder / "outside"
        for each in (self.root, self.taken, self.outside):
            each.mkdir()
        self.files: list[SettledFile] = []
        self.batches: list[int] = []
        self.came = threading.Condition()
        self.came_at = 0.0
        self.moves = True
        self.fails = 0
        self.loops: list[WatchLoop] = []

    def loop(self, **changes: Any) -> WatchLoop:
        settings: dict[str, Any] = {"settle_s": SETTLE_S, "accepts": lambda path: True} | changes
        loop = WatchLoop(self.root, on_settled=self._take, **settings)
        self.loops.append(loop)
        return loop

    def started(self, **changes: Any) -> WatchLoop:
        loop = self.loop(**changes)
        loop.start()
        assert loop.wait_until_quiet(LIMIT_S)
        return loop

    def names(self) -> list[str]:
        return [str(file.relative) for file in self.files]

    def wait_for(self, count: int) -> bool:
        with self.came:
            return self.came.wait_for(lambda: len(self.files) >= count, LIMIT_S)

    def rename_in(self, name: str, text: str = "x") -> None:
        made = self.outside / PurePath(name).name
        made.write_text(text)
        made.rename(self.root / name)

    def _take(self, files: list[SettledFile]) -> None:
        with self.came:
            self.batches.append(len(files))
            self.came_at = time.monotonic()
            self.came.notify_all()
            if self.fails:
                self.fails -= 1
                raise RuntimeError("not now")
            for file in files:
                if self.moves:
                    file.path.rename(self.taken / f"{len(self.files)}-{file.path.name}")
                self.files.append(file)


class Clock:
    """The real clock, which can be put forward."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> float:
        return time.monotonic() + self.offset_s


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that has no event to wait for."""
    deadline = time.monotonic() + LIMIT_S
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "did not happen in time"
        pause.wait(0.005)
