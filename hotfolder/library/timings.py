"""What pictures took: time, by endpoint, as a forecast for those to come; and memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from hotfolder.database import Database
from hotfolder.domain.estimate import Estimate, Sample, estimate
from hotfolder.library.generations import Generation

_SAMPLES: Final = 50
_KEPT_S: Final = 10.0
SAMPLES_SQL: Final = """
    SELECT engine_kind, width, height, steps, total_time_ms FROM generations
    WHERE endpoint_key = ? AND total_time_ms IS NOT NULL AND completed_at IS NOT NULL
    ORDER BY completed_at DESC LIMIT ?
"""


class TimingStore:
    """Learns from the latest pictures of an endpoint; any thread."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[str, tuple[float, list[Sample]]] = {}
        self._lock = threading.Lock()

    def estimate(self, generation: Generation) -> Estimate | None:
        """How long this picture will take; None before the first of its endpoint."""
        samples = self._find_samples(generation.endpoint_key)
        if not generation.width:  # it follows from a reference: one of them is as likely as another
            return estimate([replace(each, pixels=0, steps=0) for each in samples], 0, 0)
        return estimate(samples, generation.width * generation.height, _steps_of(generation))

    def find_peak_memory_mb(self) -> int | None:
        """The most memory that the engine had for the latest picture of which that is known."""
        row = self._database.query_one(
            """
            SELECT peak_memory_mb FROM generations
            WHERE completed_at IS NOT NULL AND peak_memory_mb IS NOT NULL
            ORDER BY completed_at DESC LIMIT 1
            """
        )
        return int(row["peak_memory_mb"]) if row else None

    def _find_samples(self, endpoint_key: str) -> list[Sample]:
        with self._lock:
            known = self._known.get(endpoint_key)
            if known is not None and known[1] and self._clock() - known[0] < _KEPT_S:
                return known[1]
        rows = self._database.query(SAMPLES_SQL, (endpoint_key, _SAMPLES))
        # A fallback, or another engine than now, tells nothing of the one that makes the next picture.
        samples = [
            Sample((row["width"] or 0) * (row["height"] or 0), row["steps"] or 0, row["total_time_ms"] / 1000)
            for row in rows
            if row["engine_kind"] == rows[0]["engine_kind"]
        ]
        with self._lock:
            self._known[endpoint_key] = (self._clock(), samples)
        return samples


def _steps_of(generation: Generation) -> int:
    steps = generation.params.get("steps")
    return steps if isinstance(steps, int) else 0
