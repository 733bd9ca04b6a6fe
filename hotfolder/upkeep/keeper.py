"""One thread for what has to be done every so often, beside the work itself."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from hotfolder.events import Doorbell

log = logging.getLogger(__name__)

FIRST_S: Final = 10.0
"""No task runs sooner after the start than this, unless it runs more often."""
AGAIN_S: Final = 60.0
"""A task that failed is tried again after this time, or sooner when it runs more often."""
LOOK_S: Final = 0.5
"""So often is the doorbell looked at: to wake for each of thousands of commits would cost more."""


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do every so often; with `on_news` also soon after something was committed.

    `run` gets an event that is set when it is to end soon.
    """

    name: str
    run: Callable[[threading.Event], object]
    every_s: float
    on_news: bool = False


class Keeper:
    """Runs tasks one after the other; one owner starts and stops it."""

    def __init__(
        self,
        tasks: Sequence[Task],
        doorbell: Doorbell,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tasks = tasks
        self._clock = clock
        self._bell = doorbell.listen()
        self._stop = threading.Event()
        self._due_at_s: dict[str, float] = {}
        self._thread = threading.Thread(target=self._loop, name="upkeep", daemon=True)

    def start(self) -> None:
        """Begin."""
        now_s = self._clock()
        self._due_at_s = {each.name: now_s + min(each.every_s, FIRST_S) for each in self._tasks}
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Let the task in hand end early; wait for it at most so long."""
        self._stop.set()
        if self._thread.ident is None:
            return
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            log.warning("upkeep has not ended after %g s", timeout_s)

    def _loop(self) -> None:
        while not self._stop.is_set():
            self._run_due()
            self._stop.wait(self._pause_s())

    def _run_due(self) -> None:
        is_news = self._bell.is_set()
        self._bell.clear()
        for task in self._tasks:
            is_due = (is_news and task.on_news) or self._clock() >= self._due_at_s[task.name]
            if is_due and not self._stop.is_set():
                pause_s = task.every_s if self._is_done(task) else min(task.every_s, AGAIN_S)
                self._due_at_s[task.name] = self._clock() + pause_s

    def _is_done(self, task: Task) -> bool:
        try:
            task.run(self._stop)
        except Exception:  # a border: a locked database must not end the upkeep
            log.exception("upkeep: %s failed; it is tried again", task.name)
            return False
        return True

    def _pause_s(self) -> float:
        left_s = max(0.0, min(self._due_at_s.values(), default=AGAIN_S) - self._clock())
        return min(left_s, LOOK_S) if any(each.on_news for each in self._tasks) else left_s
