"""Figures of a span of days: what counts, on which day, and what visitors are told."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from hotfolder.library.browse import MediaBrowser
from hotfolder.library.filters import MediaFilter
from hotfolder.library.periods import choose_step, list_periods
from hotfolder.library.statistics import ARRIVED_SQL, TIMES_SQL, WAITS_SQL, StatisticsReader

DAY = date(2026, 11, 20)
TODAY = date(2026, 11, 21)  # three o'clock, says the clock
ENDPOINT = "local.flux2-klein-4b.image"


class Shelf:
    """Puts rows into a library, as they would be after a long time."""

    def __init__(self, database):
        self._database = database
        self._count = 0

    def job(self, text=b"endpointKey: x\n", day=DAY):
        self._count += 1
        name = f"job{self._count}"
        with self._database.transaction() as tx:
            tx.execute(
                """
                INSERT INTO jobs (id, status, job_file, file_name, text, created_at)
                VALUES (?, 'completed', 'a.yaml', 'a.yaml', ?, ?)
                """,
                (name, text, f"{day}T08:00:00.000Z"),
            )
        return name

    def run(self, *, day=DAY, took_ms=4000, wait_s=10, size=(1024, 1024), job=None, **values):
        """A picture that was made; its generation."""
        self._count += 1
        found = {
            "id": f"g{self._count}",
            "job_id": job or self.job(day=day),
            "position": self._count,
            "provider": "local",
            "endpoint_key": ENDPOINT,
            "mode": "text-to-image",
            "params_json": "{}",
            "status": "completed",
            "width": size[0],
            "height": size[1],
            "total_time_ms": took_ms,
            "created_at": f"{day}T08:00:00.000Z",
            "started_at": f"{day}T08:00:{wait_s:02}.000Z",
            "completed_at": f"{day}T09:00:00.000Z",
            **values,
        }
        self._insert("generations", found)
        return found["id"]

    def picture(self, *, day=DAY, generation=None, **values):
        """A picture; an import without a generation."""
        self._count += 1
        name = f"m{self._count}"
        self._insert(
            "media",
            {
                "id": name,
                "file_path": name,
                "file_name": name,
                "media_type": "image",
                "origin": "generation" if generation else "import",
                "file_size": 1000,
                "sha256": name,
                "file_sha256": name,
                "generation_id": generation,
                "created_at": f"{day}T09:00:00.000Z",
                "updated_at": f"{day}T09:00:00.000Z",
                **values,
            },
        )
        return name

    def _insert(self, table, values):
        names, marks = ", ".join(values), ", ".join("?" for _ in values)
        with self._database.transaction() as tx:
            tx.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(values.values()))


@pytest.fixture
def shelf(database):
    return Shelf(database)


@pytest.fixture
def read(database):
    browser = MediaBrowser(database)
    reader = StatisticsReader(database, lambda wanted: browser.count(wanted).total)

    def look(first=DAY, last=TODAY, *, is_reviewed=False):
        return reader.read(first, last, is_reviewed=is_reviewed)

    return look


def by_day(found):
    return {each.period.first: each for each in found.periods}


def test_pictures_are_counted_on_the_day_of_arrival_by_where_they_are_from(shelf, read):
    shelf.picture(generation=shelf.run())
    shelf.picture()
    shelf.picture(day=TODAY)
    shelf.picture(day=TODAY, deleted_at="2026-11-21T01:00:00.000Z")
    shelf.picture(created_at="2026-11-20T23:59:59.999Z")

    days = by_day(read())

    assert (days[DAY].generated, days[DAY].imported) == (1, 2)
    assert (days[TODAY].generated, days[TODAY].imported) == (0, 1)


def test_each_count_is_that_of_the_grid_behind_it(shelf, read, database):
    for number in range(12):
        shelf.picture(
            day=date(2026, 11, 1 + number % 5),
            generation=shelf.run() if number % 3 else None,
            review="awaiting" if number == 4 else "none",
        )
    browser = MediaBrowser(database)

    for is_reviewed in (False, True):
        for each in read(date(2026, 11, 1), TODAY, is_reviewed=is_reviewed).periods:
            day = each.period.first.isoformat()
            wanted = MediaFilter(first_day=day, last_day=day, is_reviewed=is_reviewed)
            assert each.generated + each.imported == browser.count(wanted).total


def test_days_without_a_picture_stand_at_nothing_and_those_before_the_first_are_left_out(shelf, read):
    shelf.picture(day=date(2026, 11, 18))

    found = read(date(1970, 1, 1), date(2030, 1, 1))

    assert (found.first, found.last) == (date(2026, 11, 18), TODAY)
    assert [each.imported for each in found.periods] == [1, 0, 0, 0]


def test_empty_library_has_figures_too(read):
    found = read(date(2026, 1, 1), TODAY)

    assert found.totals.pictures == found.totals.size_bytes == 0
    assert not found.times
    assert not found.endpoints
    assert [each.size_bytes for each in found.disk] == [0]


def test_times_are_told_by_endpoint_and_size_with_median_and_ninth_decile(shelf, read):
    for took_ms in range(1000, 11000, 1000):
        shelf.run(took_ms=took_ms)
    shelf.picture(generation=shelf.run(took_ms=70_000, size=(2048, 2048)))
    shelf.run(took_ms=50, endpoint_key="local.upscale", size=(512, 512))
    shelf.run(took_ms=50, day=date(2026, 11, 1))

    found = [(each.endpoint_key, each.size, each.n, each.median_ms, each.p90_ms) for each in read().times]

    assert found == [
        (ENDPOINT, "1.5", 10, 5000, 9000),
        (ENDPOINT, "6", 1, 70_000, 70_000),
        ("local.upscale", "0.6", 1, 50, 50),
    ]


def test_waits_are_from_asking_to_the_start_and_the_engine_is_busy_with_local_work(shelf, read):
    for wait_s in (2, 4, 30):
        shelf.run(wait_s=wait_s, took_ms=3_600_000)
    shelf.picture(generation=shelf.run(wait_s=3, took_ms=7_200_000, provider="remote"))
    shelf.run(day=TODAY, took_ms=5_400_000, completed_at="2026-11-21T02:00:00.000Z")

    days = by_day(read())

    assert (days[DAY].wait_median_ms, days[DAY].wait_p90_ms, days[DAY].made) == (3000, 30_000, 4)
    assert days[DAY].busy_share == pytest.approx(3 / 24)
    assert days[TODAY].busy_share == pytest.approx(1.5 / 3)  # of the hours that the day has had


def test_later_marks_decide_what_was_kept_and_deleting_is_a_decision(shelf, read):
    kept = [
        {"status": "selected"},
        {"rating": 4},
        {"review": "accepted"},
        {"status": "selected", "rating": 1},
    ]
    dropped = [
        {"status": "rejected", "rating": 5},
        {"rating": 3},
        {"review": "accepted", "rating": 2},
        {"status": "selected", "deleted_at": "2026-11-21T01:00:00.000Z"},
        {"review": "discarded", "deleted_at": "2026-11-21T01:00:00.000Z"},
    ]
    for values in (*kept, *dropped, {}, {"review": "awaiting"}):
        shelf.picture(generation=shelf.run(), **values)
    shelf.picture(rating=5)

    (found,) = read().endpoints

    assert (found.name, found.accepted, found.decided) == (ENDPOINT, len(kept), len(kept) + len(dropped))


def test_what_was_kept_is_told_by_preset_too_but_not_to_visitors(shelf, read):
    for preset, rating in (("night", 5), ("night", 1), ("day", 1), (None, 1)):
        shelf.picture(generation=shelf.run(), preset=preset, rating=rating)
    shelf.picture(generation=shelf.run(endpoint_key="other"), preset="night", status="selected")
    shelf.picture(day=date(2026, 11, 19), generation=shelf.run(), preset="night", rating=5)

    found = read()

    assert [(each.name, each.accepted, each.decided) for each in found.presets] == [
        ("night", 2, 3),
        ("day", 0, 1),
    ]
    assert [(each.name, each.decided) for each in found.endpoints] == [(ENDPOINT, 4), ("other", 1)]
    assert read(is_reviewed=True).presets is None


def test_disk_is_told_by_month_of_arrival_with_the_trash_apart(shelf, read):
    shelf.picture(day=date(2026, 9, 30))
    shelf.picture(file_size=5)
    shelf.picture(file_size=7, deleted_at="2026-11-21T01:00:00.000Z")
    shelf.picture(day=date(2020, 1, 1), file_size=9)

    found = read()

    assert [(each.period.first.month, each.size_bytes, each.trash_bytes) for each in found.disk] == [
        (9, 1000, 0),
        (10, 0, 0),
        (11, 5, 7),
    ]
    assert (found.totals.size_bytes, found.totals.trash_bytes) == (1014, 7)
    assert read(date(2019, 1, 1)).disk[0].period.first == date(2020, 1, 1)


def test_visitors_are_told_nothing_of_what_awaits_a_review_nor_of_the_trash(shelf, read):
    shelf.picture(generation=shelf.run(), status="selected")
    awaiting = shelf.run(status="awaiting_review", completed_at=None)
    shelf.picture(generation=awaiting, review="awaiting", status="selected", file_size=70)
    shelf.picture(deleted_at="2026-11-21T01:00:00.000Z")

    found, all_of_it = read(is_reviewed=True), read()

    assert (found.totals.pictures, found.totals.picked, found.totals.size_bytes) == (1, 1, 1000)
    assert found.totals.trash_bytes is None
    assert not any(each.trash_bytes for each in found.disk)
    assert by_day(found)[DAY].generated == 1
    assert (all_of_it.totals.pictures, all_of_it.totals.size_bytes) == (2, 1070)


def test_long_spans_are_cut_into_weeks_and_months_and_nothing_falls_between(shelf, read):
    shelf.picture(day=date(2025, 12, 31))
    shelf.picture(day=date(2026, 1, 1))
    shelf.run(day=date(2026, 1, 1))

    weeks = read(date(2025, 12, 1)).periods

    assert choose_step(date(2025, 12, 1), TODAY) == "week"
    assert sum(each.imported for each in weeks) == 2
    assert sum(each.made for each in weeks) == 1
    assert weeks[0].period.key <= weeks[0].period.first == date(2025, 12, 31)


@pytest.mark.parametrize("step", ["day", "week", "month"])
def test_periods_follow_each_other_without_a_gap(step):
    found = list_periods(date(2023, 12, 6), date(2026, 11, 21), step)

    assert (found[0].first, found[-1].last) == (date(2023, 12, 6), date(2026, 11, 21))
    assert all((other.first - one.last).days == 1 for one, other in pairwise(found))


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (ARRIVED_SQL, "idx_media_created (created_at>? AND created_at<?)"),
        (TIMES_SQL, "idx_generations_timing (endpoint_key=? AND completed_at>? AND completed_at<?)"),
        (WAITS_SQL.format(period="''"), "idx_generations_timing (endpoint_key=? AND completed_at>? AND"),
    ],
)
def test_a_span_reads_no_rows_but_its_own(database, sql, index):
    values = {"first": "2026", "after": "2027", "is_reviewed": 0}

    plan = database.query(f"EXPLAIN QUERY PLAN {sql}", values)

    assert any(index in row["detail"] for row in plan), [row["detail"] for row in plan]
