"""When a job will have ended, told from how long earlier pictures took and from who is ahead of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from hotfolder.domain.estimate import NO_TIME, Estimate, total
from hotfolder.domain.instants import elapsed_ms
from hotfolder.library.generations import Generation


class Timings(Protocol):
    """What is known of the time that pictures take."""

    def estimate(self, generation: Generation) -> Estimate | None:
        """How long this picture will take."""


class Forecast:
    """The queue as it was at the last look, and what is left of a job. One thread."""

    def __init__(self, timings: Timings, now: Callable[[], str]) -> None:
        self._timings = timings
        self._now = now
        self._waits: list[Estimate] = []  # of the item at each place, up to where it is not known
        self._is_out_of_order = False

    def look(self, waiting: Sequence[Generation], running: Sequence[Generation]) -> None:
        """Take in the head of the queue, in its order, and what is at work."""
        self._waits = []
        wait = total(self._left_of(each, {}) for each in running)
        for each in waiting:
            if wait is None:
                return
            self._waits.append(wait)
            wait = total([wait, self._timings.estimate(each)])

    def note_engine(self, state: str) -> None:
        """An engine says what it does: from a failure until it runs again nobody knows an end."""
        if state != "starting":
            self._is_out_of_order = state == "error"

    def left(
        self,
        generations: Sequence[Generation],
        latest: Mapping[str, Mapping[str, Any]],
        status: str,
        position: int | None,
    ) -> Estimate | None:
        """What is left of a job with these pictures; None when that is not known."""
        if self._is_out_of_order or status not in ("queued", "running", "cancelling"):
            return None
        own = [
            self._left_of(each, latest) for each in generations if each.status in ("pending", "processing")
        ]
        wait = self._wait_at(position) if status == "queued" else NO_TIME
        return total([wait, *own]) if own else None

    def _wait_at(self, position: int | None) -> Estimate | None:
        """Behind what was looked at all are taken to last as long as those before them did."""
        if position is None or not self._waits:
            return NO_TIME if position == 0 else None
        if position < len(self._waits):
            return self._waits[position]
        return self._waits[-1].times(position / max(1, len(self._waits) - 1))

    def _left_of(self, generation: Generation, latest: Mapping[str, Mapping[str, Any]]) -> Estimate | None:
        learnt = self._timings.estimate(generation)
        if generation.status != "processing" or learnt is None:
            return learnt
        left = learnt.less((elapsed_ms(generation.started_at, self._now()) or 0) / 1000)
        sampling_s = _sampling_left_s(latest.get(generation.generation_id, {}))
        if sampling_s is None:
            return left
        return Estimate(sampling_s, max(sampling_s, left.likely_s), max(sampling_s, left.high_s))


def _sampling_left_s(progress: Mapping[str, Any]) -> float | None:
    """By the engine's own average of a step."""
    step_time_s, step, steps = (progress.get(name) for name in ("stepTimeS", "currentStep", "totalSteps"))
    if not step_time_s or step is None or not steps:
        return None
    return float(step_time_s) * max(0, int(steps) - int(step))
