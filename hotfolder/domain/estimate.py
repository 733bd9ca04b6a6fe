"""How long a picture will take, told from how long others took; with how far that may be wrong."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

ENOUGH: Final = 3
"""So many pictures of the same size and steps tell more than any number of others."""
_UNSURE: Final = 2.0
"""What was scaled from other sizes, or seen too seldom, may be half or twice as long."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture that was made: pixels and steps asked for, seconds taken."""

    pixels: int
    steps: int
    seconds: float

    @property
    def effort(self) -> float:
        """What its time grows with."""
        return self.pixels * max(1, self.steps)


@dataclass(frozen=True, slots=True)
class Estimate:
    """Seconds: the likely ones, and a range that four of five pictures are in."""

    low_s: float
    likely_s: float
    high_s: float

    def __add__(self, other: Estimate) -> Estimate:
        """One after the other."""
        return Estimate(self.low_s + other.low_s, self.likely_s + other.likely_s, self.high_s + other.high_s)

    def less(self, elapsed_s: float) -> Estimate:
        """What is left after so many seconds."""
        return Estimate(*(max(0.0, each - elapsed_s) for each in (self.low_s, self.likely_s, self.high_s)))

    def times(self, number: float) -> Estimate:
        """So many of the kind."""
        return Estimate(self.low_s * number, self.likely_s * number, self.high_s * number)


NO_TIME: Final = Estimate(0.0, 0.0, 0.0)


def estimate(samples: Sequence[Sample], pixels: int, steps: int) -> Estimate | None:
    """From pictures by the same engine and model; None without any.

    Those of the same size and steps where there are enough; else all of them, scaled by pixels and steps.
    """
    equal = [each.seconds for each in samples if (each.pixels, each.steps) == (pixels, steps)]
    if len(equal) >= ENOUGH:
        return _spread(equal)
    if not samples:
        return None
    effort = Sample(pixels, steps, 0.0).effort
    likely_s = statistics.median(each.seconds * effort / max(1.0, each.effort) for each in samples)
    if equal:
        likely_s = statistics.median(equal)
    return Estimate(likely_s / _UNSURE, likely_s, likely_s * _UNSURE)


def total(estimates: Iterable[Estimate | None]) -> Estimate | None:
    """One after the other; None when one of them is not known."""
    result = NO_TIME
    for each in estimates:
        if each is None:
            return None
        result += each
    return result


def _spread(seconds: Sequence[float]) -> Estimate:
    tenths = statistics.quantiles(seconds, n=10, method="inclusive")
    return Estimate(tenths[0], statistics.median(seconds), tenths[-1])
