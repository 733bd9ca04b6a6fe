"""Pages of pictures: each exactly once in both directions, counted right, read from indexes alone."""

from __future__ import annotations

import itertools
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hotfolder.database import Database
from hotfolder.library.browse import PAGE_MAX, MediaBrowser
from hotfolder.library.filters import MediaFilter
from hotfolder.library.media import Media, MediaStore
from hotfolder.library.ratings import RatingStore
from hotfolder.migrations import migrate

PICTURE = Media(
    media_id="m0",
    file_path="originals/2026/11/m0.png",
    thumb_path="thumbnails/m0/m0.jpg",
    file_name="m0.png",
    origin="import",
    width=64,
    height=48,
    file_size=1234,
    mime_type="image/png",
    sha256="a" * 64,
    file_sha256="a" * 64,
    pixel_sha256="p" * 64,
    created_at="2026-11-21T03:00:00.000Z",
)
RATINGS = st.integers(0, 5)
STATUSES = st.sampled_from([None, "selected", "rejected"])
ORIGINS = st.sampled_from(["import", "generation"])
FILTERS = [
    MediaFilter(rating, min_rating, status, origin)
    for rating, min_rating, status, origin in itertools.product(
        (None, 0, 3),
        (None, 0, 1, 3, 5),
        (None, "selected", "rejected", "none"),
        (None, "import", "generation"),
    )
]


class Shelf:
    """A library's pictures, put in by number: the order of the ids is not that of their arrival."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.media = MediaStore(database)
        self.browser = MediaBrowser(database)
        self.ratings = RatingStore(database, self.media)

    def add(
        self, number: int, second: int, rating: int = 0, status: str | None = None, origin: str = "import"
    ) -> str:
        media_id = f"m{number * 7919 % 10007:05}"
        path = f"originals/2026/11/{media_id}.png"
        at = f"2026-11-21T03:00:{second:02}.000Z"
        new = replace(
            PICTURE,
            media_id=media_id,
            file_path=path,
            created_at=at,
            rating=rating,
            status=status,
            origin=origin,
        )
        with self.database.transaction() as tx:
            self.media.insert(tx, new, ())
        return media_id

    def change(self, sql: str, *values: object) -> None:
        with self.database.transaction() as tx:
            tx.execute(sql, values)

    def list_ids(self, wanted: MediaFilter) -> list[str]:
        """What a filter means, newest first, by looking at every picture."""
        rows = self.database.query("SELECT * FROM media WHERE deleted_at IS NULL ORDER BY number DESC")
        return [row["id"] for row in rows if matches(row, wanted)]

    def walk(self, wanted: MediaFilter, limit: int, *, between=lambda: None) -> list[str]:
        """All pictures, page by page towards the oldest; something may happen between two pages."""
        page = self.browser.read_page(wanted, limit=limit)
        found = [each.media_id for each in page.items]
        while page.next is not None:
            between()
            page = self.browser.read_page(wanted, limit=limit, after=page.next)
            found += [each.media_id for each in page.items]
        return found

    def walk_back(self, wanted: MediaFilter, limit: int, start: str, *, between=lambda: None) -> list[str]:
        """All pictures newer than a place, page by page towards the newest."""
        found: list[str] = []
        cursor: str | None = start
        while cursor is not None:
            page = self.browser.read_page(wanted, limit=limit, before=cursor)
            found = [each.media_id for each in page.items] + found
            cursor = page.previous
            between()
        return found


def matches(row, wanted):
    return (
        wanted.rating in (None, row["rating"])
        and (wanted.min_rating is None or row["rating"] >= wanted.min_rating)
        and (wanted.status is None or (row["status"] or "none") == wanted.status)
        and wanted.origin in (None, row["origin"])
    )


def open_shelf(folder: str) -> Shelf:
    path = Path(folder) / "library.db"
    migrate(path)
    database = Database(path)
    database.connection().execute("PRAGMA synchronous = OFF")  # these outlast no power cut
    return Shelf(database)


@pytest.fixture
def shelf(tmp_path):
    opened = open_shelf(str(tmp_path))
    yield opened
    opened.database.close()


@pytest.fixture
def full(shelf):
    """Sixty pictures that came within three seconds."""
    for number in range(60):
        shelf.add(
            number,
            number % 3,
            number % 6,
            (None, "selected", "rejected")[number % 3],
            ("import", "generation")[number % 2],
        )
    return shelf


BEYOND = "0"  # behind the oldest


@pytest.mark.parametrize("wanted", [*FILTERS[::7], MediaFilter()])
def test_paging_gives_each_picture_that_matches_exactly_once_in_both_directions(full, wanted):
    expected = full.list_ids(wanted)

    for limit in (1, 7, 60, 61):
        assert full.walk(wanted, limit) == expected
        assert full.walk_back(wanted, limit, BEYOND) == expected


PICTURES = st.lists(st.tuples(st.integers(0, 3), RATINGS, STATUSES, ORIGINS), max_size=25)


@settings(max_examples=25)
@given(PICTURES, st.integers(1, 9), st.sampled_from(FILTERS))
def test_paging_loses_and_repeats_nothing_however_many_came_in_the_same_instant(pictures, limit, wanted):
    with tempfile.TemporaryDirectory() as folder:
        shelf = open_shelf(folder)
        for number, values in enumerate(pictures):
            shelf.add(number, *values)

        assert shelf.walk(wanted, limit) == shelf.list_ids(wanted)
        assert shelf.walk_back(wanted, limit, BEYOND) == shelf.list_ids(wanted)
        shelf.database.close()


@pytest.mark.parametrize("wanted", [MediaFilter(), MediaFilter(min_rating=3), MediaFilter(status="none")])
def test_pictures_that_come_and_ratings_that_change_meanwhile_disturb_no_other_picture(full, wanted):
    steady = {each for each in full.list_ids(wanted) if int(each[1:]) % 2}
    numbers = itertools.count(100)

    def disturb():
        number = next(numbers)
        full.add(number, 50, 5)
        changing = [each for each in full.list_ids(MediaFilter()) if int(each[1:]) % 2 == 0]
        full.ratings.change(
            changing[number * 31 % len(changing)], {"rating": number % 6, "status": "rejected"}, "anna"
        )

    for found in (full.walk(wanted, 5, between=disturb), full.walk_back(wanted, 5, BEYOND, between=disturb)):
        assert len(found) == len(set(found))
        assert steady <= set(found)


def test_the_page_before_leads_forward_to_where_one_came_from(full):
    everything = full.list_ids(MediaFilter())
    second = full.browser.read_page(
        MediaFilter(), limit=20, after=full.browser.read_page(MediaFilter(), limit=20).next
    )

    first = full.browser.read_page(MediaFilter(), limit=20, before=second.previous)

    assert [each.media_id for each in first.items] == everything[:20]
    assert first.previous is None
    again = full.browser.read_page(MediaFilter(), limit=20, after=first.next)
    assert [each.media_id for each in again.items] == everything[20:40]


def test_an_empty_library_has_one_empty_page(shelf):
    page = shelf.browser.read_page(MediaFilter(), limit=10)

    assert (page.items, page.next, page.previous, page.total, page.view.library_total) == (
        [],
        None,
        None,
        0,
        0,
    )


def test_a_last_page_that_is_just_full_leads_nowhere(full):
    assert full.browser.read_page(MediaFilter(), limit=60).next is None


@pytest.mark.parametrize("limit", [-1, 0, 1])
def test_a_page_holds_at_least_one_picture(full, limit):
    assert len(full.browser.read_page(MediaFilter(), limit=limit).items) == 1


def test_a_page_holds_no_more_than_its_limit(full):
    assert len(full.browser.read_page(MediaFilter(), limit=10 * PAGE_MAX).items) == 60


def test_deleted_pictures_are_on_no_page_and_in_no_count(full):
    gone = full.list_ids(MediaFilter())[0]
    full.change("UPDATE media SET deleted_at = '2026-11-21T04:00:00.000Z' WHERE id = ?", gone)

    page = full.browser.read_page(MediaFilter(), limit=100)

    assert gone not in [each.media_id for each in page.items]
    assert page.total == page.view.library_total == 59


class Counting(RuleBasedStateMachine):
    """Whatever is done to pictures, by whatever statement, every filter's total is the number that match."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.shelf = open_shelf(self.folder.name)
        self.ids: list[str] = []
        self.number = 0

    def teardown(self) -> None:
        self.shelf.database.close()
        self.folder.cleanup()

    @initialize(rating=RATINGS, origin=ORIGINS)
    def begin(self, rating, origin):
        self.insert(0, rating, None, origin)

    @rule(second=st.integers(0, 2), rating=RATINGS, status=STATUSES, origin=ORIGINS)
    def insert(self, second, rating, status, origin):
        self.ids.append(self.shelf.add(self.number, second, rating, status, origin))
        self.number += 1

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), rating=RATINGS, status=STATUSES)
    def rate(self, data, rating, status):
        live = self.shelf.list_ids(MediaFilter())
        if live:
            self.shelf.ratings.change(
                data.draw(st.sampled_from(live)), {"rating": rating, "status": status}, "anna"
            )

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), rating=RATINGS, status=STATUSES, origin=ORIGINS)
    def rewrite(self, data, rating, status, origin):
        sql = "UPDATE media SET rating = ?, status = ?, origin = ? WHERE id = ?"
        self.shelf.change(sql, rating, status, origin, data.draw(st.sampled_from(self.ids)))

    @rule(rating=RATINGS, status=STATUSES)
    def rate_many(self, rating, status):
        self.shelf.change("UPDATE media SET rating = ? WHERE status IS ?", rating, status)

    @precondition(lambda self: self.ids)
    @rule(data=st.data(), at=st.sampled_from([None, "2026-11-21T04:00:00.000Z"]))
    def delete_or_restore(self, data, at):
        self.shelf.change(
            "UPDATE media SET deleted_at = ? WHERE id = ?", at, data.draw(st.sampled_from(self.ids))
        )

    @precondition(lambda self: self.ids)
    @rule(data=st.data())
    def purge(self, data):
        media_id = data.draw(st.sampled_from(self.ids))
        self.ids.remove(media_id)
        self.shelf.change("DELETE FROM media WHERE id = ?", media_id)

    @precondition(lambda self: self.ids)
    @rule(rating=RATINGS)
    def roll_back(self, rating):
        with suppress(ZeroDivisionError), self.shelf.database.transaction() as tx:
            tx.execute("UPDATE media SET rating = ?", (rating,))
            raise ZeroDivisionError

    @invariant()
    def totals_are_right(self):
        rows = self.shelf.database.query("SELECT rating, status, origin FROM media WHERE deleted_at IS NULL")
        for wanted in FILTERS[:: 1 + self.number % 5]:
            page = self.shelf.browser.read_page(wanted, limit=1)
            assert page.total == sum(matches(row, wanted) for row in rows)
            assert page.view.library_total == len(rows)


TestCounting = Counting.TestCase
TestCounting.settings = settings(max_examples=12, stateful_step_count=25)
