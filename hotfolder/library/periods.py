"""Days, weeks and months into which a span of time is cut for statistics (pure)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

Step = Literal["day", "week", "month"]
DAYS_MAX: Final = 92
WEEKS_MAX: Final = 106
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """From a day to another, both included; `key` is the day on which it would begin in the calendar."""

    key: date
    first: date
    last: date


def choose_step(first: date, last: date) -> Step:
    """Days for some three months, weeks for some two years, else months."""
    days = (last - first).days + 1
    if days <= DAYS_MAX:
        return "day"
    return "week" if days <= 7 * WEEKS_MAX else "month"


def list_periods(first: date, last: date, step: Step) -> Sequence[Period]:
    """All periods from a day to another, those at the ends cut; oldest first."""
    found = []
    key = start_of(first, step)
    while key <= last:
        following = start_of(key + timedelta(days={"day": 1, "week": 7, "month": 32}[step]), step)
        found.append(Period(key, max(key, first), min(following - _DAY, last)))
        key = following
    return found


def start_of(day: date, step: Step) -> date:
    """The first day of the period in which a day lies; weeks begin on Mondays."""
    if step == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == "month" else day


def months_before(day: date, count: int) -> date:
    """The first day of the month so many months before that of a day."""
    months = day.year * 12 + day.month - 1 - count
    return date(max(months // 12, 1), months % 12 + 1, 1)
