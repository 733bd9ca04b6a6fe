"""What the library has come to: pictures, times, waits, what people kept, and disk, over a span of days.

A picture counts on the day of its arrival, a run on the day on which it was completed; days are those of UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Final

from hotfolder.database import Database, Row
from hotfolder.domain.instants import parse_instant
from hotfolder.library.figures import (
    SIZE_CLASSES,
    Acceptance,
    DiskMonth,
    PeriodFigures,
    Statistics,
    Times,
    Totals,
)
from hotfolder.library.filters import MediaFilter
from hotfolder.library.periods import Period, Step, choose_step, list_periods, months_before, start_of

DISK_MONTHS: Final = 12
WEEK_DAYS: Final = 7
DAY_S: Final = 86_400

# Later marks have the last word: what was accepted in review and then got two stars is not accepted.
_IS_ACCEPTED: Final = """
    (media.deleted_at IS NULL AND (media.status IS 'selected' OR (media.status IS NULL AND (
        media.rating >= 4 OR (media.rating = 0 AND media.review = 'accepted')))))
"""
# To delete a picture is to decide against it.
_IS_DECIDED: Final = """
    (media.status IS NOT NULL OR media.rating > 0 OR media.review IN ('accepted', 'discarded')
        OR media.deleted_at IS NOT NULL)
"""
ARRIVED_SQL: Final = f"""
    SELECT substr(created_at, 1, 10) AS day, endpoint_key, preset,
           sum(deleted_at IS NULL AND origin = 'generation') AS generated,
           sum(deleted_at IS NULL AND origin <> 'generation') AS imported,
           sum(iif(deleted_at IS NULL, file_size, 0)) AS bytes,
           sum(iif(deleted_at IS NULL, 0, file_size)) AS trash_bytes,
           sum({_IS_DECIDED}) AS decided, sum({_IS_ACCEPTED}) AS accepted
    FROM media
    WHERE created_at >= :first AND created_at < :after AND NOT (:is_reviewed AND review = 'awaiting')
    GROUP BY day, endpoint_key, preset
"""
# The index of times begins with the endpoint, so the endpoints are looked up one after the other first.
_MADE: Final = """
    WITH RECURSIVE
    endpoints (endpoint_key) AS (
        SELECT min(endpoint_key) FROM generations
        WHERE total_time_ms IS NOT NULL AND completed_at IS NOT NULL
        UNION ALL
        SELECT (
            SELECT min(endpoint_key) FROM generations
            WHERE endpoint_key > endpoints.endpoint_key AND total_time_ms IS NOT NULL
              AND completed_at IS NOT NULL
        ) FROM endpoints WHERE endpoint_key IS NOT NULL
    ),
    made AS (
        SELECT generations.* FROM endpoints CROSS JOIN generations USING (endpoint_key)
        WHERE total_time_ms IS NOT NULL AND completed_at >= :first AND completed_at < :after
    ),
"""
# Median and ninth decile by the nearest rank.
_RANKED: Final = """
    ranked AS (
        SELECT *, row_number() OVER (PARTITION BY what, class ORDER BY ms) AS place,
               count(*) OVER (PARTITION BY what, class) AS n
        FROM measured
    )
    SELECT what, class, n, sum(busy_ms) AS busy_ms,
           max(ms) FILTER (WHERE place = (n + 1) / 2) AS median_ms,
           max(ms) FILTER (WHERE place = (9 * n + 9) / 10) AS p90_ms
    FROM ranked GROUP BY what, class ORDER BY what, class
"""
TIMES_SQL: Final = f"""{_MADE}
    measured AS (
        SELECT endpoint_key AS what, total_time_ms AS ms, 0 AS busy_ms,
               CASE WHEN width * height <= 600000 THEN 0 WHEN width * height <= 1500000 THEN 1
                    WHEN width * height <= 3000000 THEN 2 WHEN width * height <= 6000000 THEN 3
                    ELSE 4 END AS class
        FROM made WHERE width * height > 0
    ),
    {_RANKED}
"""
_PERIOD_OF: Final[Mapping[Step, str]] = {
    "day": "substr(completed_at, 1, 10)",
    "week": "date(substr(completed_at, 1, 10), 'weekday 0', '-6 days')",
    "month": "substr(completed_at, 1, 7) || '-01'",
}
WAITS_SQL: Final = f"""{_MADE}
    measured AS (
        SELECT {{period}} AS what, '' AS class, iif(provider = 'local', total_time_ms, 0) AS busy_ms,
               CAST(round(86400000 * max(0, julianday(started_at) - julianday(created_at))) AS INTEGER) AS ms
        FROM made
    ),
    {_RANKED}
"""
_BYTES_SQL: Final = """
    SELECT (SELECT coalesce(sum(file_size), 0) FROM media INDEXED BY idx_media_size WHERE number >= 0),
           (SELECT coalesce(sum(file_size), 0) FROM media WHERE deleted_at IS NOT NULL)
"""
# Only what was made by a generation is ever reviewed.
_AWAITING_SQL: Final = """
    SELECT coalesce(sum(file_size), 0) FROM generations JOIN media ON media.generation_id = generations.id
    WHERE generations.status = 'awaiting_review' AND media.review = 'awaiting' AND media.deleted_at IS NULL
"""


class StatisticsReader:
    """Takes up to seconds in a large library; `count` tells how many pictures fit a filter."""

    def __init__(self, database: Database, count: Callable[[MediaFilter], int]) -> None:
        self._database = database
        self._count = count

    def read(self, first: date, last: date, *, is_reviewed: bool) -> Statistics:
        """The figures of these days; with `is_reviewed` without pictures that await a review, jobs and trash.

        Days before the first picture and after today are left out.
        """
        today = date.fromisoformat(self._database.now()[:10])
        last = min(last, today)
        first = min(max(first, self._find_first_day() or last), last)
        step = choose_step(first, last)
        figures = {each.key: PeriodFigures(each) for each in list_periods(first, last, step)}
        kept = {"endpoint_key": dict[str, Acceptance](), "preset": dict[str, Acceptance]()}
        disk = self._read_arrivals(first, last, step, figures, kept, is_reviewed=is_reviewed)
        self._read_waits(first, last, step, figures)
        return Statistics(
            first,
            last,
            step,
            self._read_totals(today, is_reviewed=is_reviewed),
            list(figures.values()),
            self._read_times(first, last),
            _by_number(kept["endpoint_key"].values()),
            None if is_reviewed else _by_number(kept["preset"].values()),
            disk,
        )

    def _find_first_day(self) -> date | None:
        row = self._database.query_one("SELECT min(created_at) FROM media")
        return date.fromisoformat(row[0][:10]) if row and row[0] else None

    def _read_totals(self, today: date, *, is_reviewed: bool) -> Totals:
        week = (today - timedelta(days=WEEK_DAYS - 1)).isoformat()
        row = self._database.query_one(_BYTES_SQL)
        size, trash = (int(row[0]), int(row[1])) if row else (0, 0)
        awaiting = self._database.query_one(_AWAITING_SQL) if is_reviewed else None
        return Totals(
            self._count(MediaFilter(is_reviewed=is_reviewed)),
            self._count(MediaFilter(first_day=week, is_reviewed=is_reviewed)),
            self._count(MediaFilter(status="selected", is_reviewed=is_reviewed)),
            size - trash - (int(awaiting[0]) if awaiting else 0),
            None if is_reviewed else trash,
        )

    def _read_arrivals(
        self,
        first: date,
        last: date,
        step: Step,
        figures: Mapping[date, PeriodFigures],
        kept: Mapping[str, dict[str, Acceptance]],
        *,
        is_reviewed: bool,
    ) -> Sequence[DiskMonth]:
        """Month by month: the rows of one are sorted in memory. Of the disk a year is told at least."""
        oldest = min(start_of(first, "month"), months_before(last, DISK_MONTHS - 1))
        months = list_periods(oldest, last, "month")
        disk = []
        for month in months:
            found = DiskMonth(month)
            for row in self._read_days(month, is_reviewed=is_reviewed):
                found.size_bytes += row["bytes"] or 0
                found.trash_bytes += 0 if is_reviewed else row["trash_bytes"] or 0
                day = date.fromisoformat(row["day"])
                if day >= first:
                    _add_arrivals(figures[start_of(day, step)], row)
                    _add_decisions(kept, row)
            disk.append(found)
        while len(disk) > 1 and not disk[0].size_bytes and not disk[0].trash_bytes:
            del disk[0]
        return disk

    def _read_days(self, month: Period, *, is_reviewed: bool) -> Sequence[Row]:
        return self._database.query(
            ARRIVED_SQL, {**_span(month.first, month.last), "is_reviewed": is_reviewed}
        )

    def _read_times(self, first: date, last: date) -> Sequence[Times]:
        rows = self._database.query(TIMES_SQL, _span(first, last))
        return [
            Times(row["what"], SIZE_CLASSES[row["class"]], row["n"], row["median_ms"], row["p90_ms"])
            for row in rows
        ]

    def _read_waits(self, first: date, last: date, step: Step, figures: Mapping[date, PeriodFigures]) -> None:
        sql = WAITS_SQL.format(period=_PERIOD_OF[step])
        now = self._database.now()
        for row in self._database.query(sql, _span(first, last)):
            found = figures[date.fromisoformat(row["what"])]
            found.made, found.busy_ms = row["n"], row["busy_ms"]
            found.wait_median_ms, found.wait_p90_ms = row["median_ms"], row["p90_ms"]
            found.busy_share = min(1.0, row["busy_ms"] / 1000 / _length_s(found.period, now))


def _add_arrivals(figures: PeriodFigures, row: Row) -> None:
    figures.generated += row["generated"]
    figures.imported += row["imported"]


def _add_decisions(kept: Mapping[str, dict[str, Acceptance]], row: Row) -> None:
    for column, found in kept.items():
        name = row[column]
        if name is not None:
            each = found.setdefault(name, Acceptance(name))
            each.decided += row["decided"]
            each.accepted += row["accepted"]


def _by_number(found: Iterable[Acceptance]) -> Sequence[Acceptance]:
    return sorted((each for each in found if each.decided), key=lambda each: (-each.decided, each.name))


def _span(first: date, last: date) -> dict[str, str]:
    """The days as bounds of instants."""
    return {"first": first.isoformat(), "after": (last + timedelta(days=1)).isoformat()}


def _length_s(period: Period, now: str) -> float:
    """How long a period has lasted so far, a minute at least."""
    days = (period.last - period.first).days
    if period.last.isoformat() != now[:10]:
        return (days + 1) * DAY_S
    at = parse_instant(now)
    return max(
        days * DAY_S + (at - at.replace(hour=0, minute=0, second=0, microsecond=0)).total_seconds(), 60
    )
