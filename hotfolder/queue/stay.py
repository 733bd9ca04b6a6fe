"""A lane stays with what it has loaded: like work of equal priority goes first, for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final

from hotfolder.domain.work import Affinity, WorkItem

STAY_S: Final = 300.0
"""So long may the oldest item of the highest priority be overtaken."""


class Stay:
    """What one lane claimed last, and since when somebody waits because of that. Any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: Affinity | None = None
        self._overtaking_since_s: float | None = None
        self._overtaken_priority = 0
        self._lock = threading.Lock()

    def wanted(self) -> Affinity | None:
        """What goes first; None when those that were overtaken have waited long enough."""
        with self._lock:
            since_s = self._overtaking_since_s
            if since_s is not None and self._clock() - since_s >= STAY_S:
                return None
            return self._last

    def claimed(self, item: WorkItem) -> None:
        """This item is in hand now."""
        with self._lock:
            if item.affinity is not None:
                self._last = item.affinity
            if item.has_overtaken:
                self._overtaken(item.priority)
            elif item.priority <= self._overtaken_priority:  # what is more urgent leaves them waiting
                self._overtaking_since_s = None

    def _overtaken(self, priority: int) -> None:
        if self._overtaking_since_s is None:
            self._overtaking_since_s, self._overtaken_priority = self._clock(), priority
        self._overtaken_priority = min(priority, self._overtaken_priority)
