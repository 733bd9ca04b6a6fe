"""The figures of a span of days, as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from hotfolder.library.periods import Period, Step

SIZE_CLASSES: Final = ("0.6", "1.5", "3", "6", "more")
"""By millions of pixels: up to so many."""


@dataclass(frozen=True, slots=True)
class Totals:
    """The whole library as it is now; `trash_bytes` is None for those who may not see the trash."""

    pictures: int
    this_week: int
    picked: int
    size_bytes: int
    trash_bytes: int | None


@dataclass(slots=True)
class PeriodFigures:
    """One period: what came, what was made, how long that had waited, and how busy the engine was."""

    period: Period
    generated: int = 0
    imported: int = 0
    made: int = 0
    wait_median_ms: int | None = None
    wait_p90_ms: int | None = None
    busy_ms: int = 0
    busy_share: float = 0.0


@dataclass(frozen=True, slots=True)
class Times:
    """How long pictures of an endpoint and a size took; `size` is one of SIZE_CLASSES."""

    endpoint_key: str
    size: str
    n: int
    median_ms: int
    p90_ms: int


@dataclass(slots=True)
class Acceptance:
    """Of so many pictures on which somebody has decided, so many were kept."""

    name: str
    decided: int = 0
    accepted: int = 0


@dataclass(slots=True)
class DiskMonth:
    """What came in a month and is still on the disk."""

    period: Period
    size_bytes: int = 0
    trash_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Statistics:
    """Everything of a span of days; `presets` is None for those who may not see jobs."""

    first: date
    last: date
    step: Step
    totals: Totals
    periods: Sequence[PeriodFigures]
    times: Sequence[Times]
    endpoints: Sequence[Acceptance]
    presets: Sequence[Acceptance] | None
    disk: Sequence[DiskMonth]
