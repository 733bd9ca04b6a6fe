"""The threads of one lane: they look for work when the doorbell rings, and end cleanly."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from hotfolder.events import Doorbell

log = logging.getLogger(__name__)

POLL_S = 1.0
"""The backstop for a doorbell that nobody rang."""


class LaneThreads:
    """A few threads that take turns on one lane.

    `run_on` does an item, and those after it while the function that it is given says so; it says whether
    there was one.
    """

    def __init__(
        self, name: str, slots: int, run_on: Callable[[str, Callable[[], bool]], bool], doorbell: Doorbell
    ) -> None:
        self.name = name
        self._run_on = run_on
        self._stop = threading.Event()
        self._drain = False
        self._bells = [doorbell.listen() for _ in range(slots)]
        self._threads = [
            threading.Thread(target=self._loop, args=(bell,), name=f"lane-{name}-{number}", daemon=True)
            for number, bell in enumerate(self._bells)
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self, deadline: float, *, drain: bool) -> None:
        """Ask the threads to end after the work in hand (after all pending work when draining); wait."""
        self._drain = drain
        self._stop.set()
        for bell in self._bells:
            bell.set()
        self.join(max(0.0, deadline - time.monotonic()))
        self._drain = False

    def join(self, timeout_s: float) -> None:
        """Wait for the threads to end, at most so long."""
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))

    def is_alive(self) -> bool:
        """Whether a thread of this lane still runs."""
        return any(thread.is_alive() for thread in self._threads)

    def _loop(self, bell: threading.Event) -> None:
        while self._goes_on():
            bell.clear()
            if self._has_worked():
                continue
            if self._stop.is_set():
                return
            bell.wait(POLL_S)

    def _goes_on(self) -> bool:
        return not self._stop.is_set() or self._drain

    def _has_worked(self) -> bool:
        try:
            return self._run_on(self.name, self._goes_on)
        except Exception:  # the loop outlives a full disk and a locked database
            log.exception("lane %s could not claim or record; it tries again", self.name)
            self._stop.wait(POLL_S)
            return False
