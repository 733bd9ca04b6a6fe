"""The library as the grid shows it: newest first, filtered, in pages by key, with exact counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from hotfolder.database import Database
from hotfolder.library.media import AWAITING_SQL, MEDIA_COLUMNS, Media

PAGE_MAX: Final = 500
RATING_MAX: Final = 5

StatusFilter = Literal["selected", "rejected", "none"]

# Few pictures await a review at one time: to leave them out, the index of the page need not hold the review.
_AWAITING: Final = f"rowid IN (SELECT media.rowid FROM {AWAITING_SQL})"


@dataclass(frozen=True, slots=True)
class MediaFilter:
    """Which pictures: what is None does not matter; a status of `none` is one that nobody decided yet."""

    rating: int | None = None
    min_rating: int | None = None
    status: StatusFilter | None = None
    origin: str | None = None
    is_reviewed: bool = False
    """Only those that do not await a review: what visitors see."""


class Cursor(NamedTuple):
    """A place between two pictures: beside the one with this instant and id."""

    created_at: str
    media_id: str


@dataclass(frozen=True, slots=True)
class MediaPage:
    """Pictures, newest first, and the cursors of the pages beside it; None where there is no more."""

    items: Sequence[Media]
    next: Cursor | None
    previous: Cursor | None
    total: int
    library_total: int


class MediaBrowser:
    """Reads pages of pictures."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read_page(
        self,
        wanted: MediaFilter,
        *,
        limit: int,
        after: Cursor | None = None,
        before: Cursor | None = None,
    ) -> MediaPage:
        """The page behind a cursor (`after`: older) or in front of one (`before`: newer), else the first."""
        limit = max(1, min(limit, PAGE_MAX))
        places, more = self._read_places(wanted, limit, after, before)
        items = self._read_rows(places)
        first, last = (_cursor(items[0]), _cursor(items[-1])) if items else (before, after)
        return MediaPage(
            items,
            next=last if (more if before is None else True) else None,
            previous=first if (more if before is not None else after is not None) else None,
            total=self._count(wanted),
            library_total=self._count(MediaFilter(is_reviewed=wanted.is_reviewed)),
        )

    def _read_places(
        self, wanted: MediaFilter, limit: int, after: Cursor | None, before: Cursor | None
    ) -> tuple[list[int], bool]:
        """Row ids, newest first, and whether there are more: from an index alone, the rows come later."""
        where, values = _conditions(wanted)
        where += [f"NOT {_AWAITING}"] if wanted.is_reviewed else []
        cursor, direction = (before, "ASC") if before is not None else (after, "DESC")
        if cursor is not None:
            where.append(f"(created_at, id) {'>' if before is not None else '<'} (?, ?)")
            values += cursor
        sql = f"""
            SELECT rowid FROM media
            WHERE {" AND ".join(["deleted_at IS NULL", *where])}
            ORDER BY created_at {direction}, id {direction}
            LIMIT ?
        """
        places = [row[0] for row in self._database.query(sql, (*values, limit + 1))]
        page = places[:limit]
        return (page[::-1] if before is not None else page), len(places) > limit

    def _read_rows(self, places: Sequence[int]) -> list[Media]:
        marks = ", ".join("?" for _ in places)
        rows = self._database.query(
            f"SELECT {MEDIA_COLUMNS}, rowid FROM media WHERE rowid IN ({marks})", places
        )
        found = {row[-1]: Media(*row[:-1]) for row in rows}
        return [found[each] for each in places if each in found]

    def _count(self, wanted: MediaFilter) -> int:
        """From the counts that triggers keep: a handful of rows, however large the library is."""
        where, values = _conditions(wanted, of_counts=True)
        sql = f"SELECT coalesce(sum(n), 0) AS n FROM media_counts WHERE {' AND '.join(['true', *where])}"
        row = self._database.query_one(sql, values)
        return (int(row["n"]) if row else 0) - (self._count_awaiting(wanted) if wanted.is_reviewed else 0)

    def _count_awaiting(self, wanted: MediaFilter) -> int:
        where, values = _conditions(wanted)
        sql = f"SELECT count(*) AS n FROM media WHERE {' AND '.join([_AWAITING, *where])}"
        row = self._database.query_one(sql, values)
        return int(row["n"]) if row else 0


def _conditions(wanted: MediaFilter, *, of_counts: bool = False) -> tuple[list[str], list[Any]]:
    """SQL conditions and their values; the table of counts has '' where media has NULL."""
    where: list[str] = []
    values: list[Any] = []
    if wanted.rating is not None:
        where.append("rating = ?")
        values.append(wanted.rating)
    if wanted.min_rating == RATING_MAX:
        where.append("rating = ?")  # nothing is above it, and few pictures are there: by the index by rating
        values.append(RATING_MAX)
    elif wanted.min_rating is not None:
        where.append("+rating >= ?")  # without the plus SQLite takes the index by rating, and sorts
        values.append(wanted.min_rating)
    if wanted.origin is not None:
        where.append("origin = ?")
        values.append(wanted.origin)
    if wanted.status == "none":
        where.append("status = ''" if of_counts else "status IS NULL")
    elif wanted.status is not None:
        where.append("status = ?")
        values.append(wanted.status)
    return where, values


def _cursor(media: Media) -> Cursor:
    return Cursor(media.created_at, media.media_id)
