"""What follows from failures: how long an engine rests, and when they are no job's fault any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LONGEST_REST_S: Final = 60.0
JOBS_IN_A_ROW: Final = 3
"""So many different jobs fail in a row before the engine is held to be the cause."""


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """How long an engine rests after its first failure in a row, and how many starts are tried in a row.

    With `starts` None a caller waits until a start works: its job does not fail, and those behind it wait.
    """

    first_rest_s: float = 0.0
    starts: int | None = 1


AT_ONCE: Final = RestartPolicy()


class BackOff:
    """Counts failures in a row; any thread."""

    def __init__(self, policy: RestartPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        self._policy = policy
        self._clock = clock
        self._failures = 0
        self._rest_until_s = 0.0
        self._lock = threading.Lock()

    def failed(self) -> None:
        """The engine crashed, hung or did not start."""
        with self._lock:
            rest_s = min(self._policy.first_rest_s * 2.0 ** min(self._failures, 10), LONGEST_REST_S)
            self._failures += 1
            self._rest_until_s = self._clock() + rest_s

    def worked(self) -> None:
        """A job got its answer: what was before counts no longer."""
        with self._lock:
            self._failures, self._rest_until_s = 0, 0.0

    def remaining_s(self) -> float:
        """How long it still rests."""
        with self._lock:
            return max(0.0, self._rest_until_s - self._clock())

    def is_worth_another(self, failed_starts: int) -> bool:
        """Whether a caller that saw so many failed starts waits for another."""
        return self._policy.starts is None or failed_starts < self._policy.starts


class Breaker:
    """Whether one job after the other fails: then a failure says nothing of the job. One thread at a time.

    It opens after failures of so many different jobs without a success between; with None never. While it is
    open, jobs that have not failed yet go first: what fails may be one model, and theirs another.
    """

    def __init__(self, jobs_in_a_row: int | None) -> None:
        self._jobs_in_a_row = jobs_in_a_row
        self._failed: set[str] = set()
        self._passed_over: set[str] = set()

    @property
    def is_open(self) -> bool:
        """Whether the engine is held to be the cause."""
        return self._jobs_in_a_row is not None and len(self._failed) >= self._jobs_in_a_row

    def gives_way(self, job: str) -> bool:
        """Whether this job lets others go first; when it comes again, there were none."""
        if not self.is_open or job not in self._failed or job in self._passed_over:
            return False
        self._passed_over.add(job)
        return True

    def failed(self, job: str) -> None:
        """The engine died or hung of this job, or while it loaded its model."""
        self._failed.add(job)
        self._passed_over.clear()

    def worked(self) -> None:
        """A picture was made."""
        self._failed.clear()
        self._passed_over.clear()
