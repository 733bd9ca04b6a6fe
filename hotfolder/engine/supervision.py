"""When an engine that failed is started again: after a second, and twice as long each time it fails anew."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

LONGEST_REST_S: Final = 60.0


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
