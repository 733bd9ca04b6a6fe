"""Which pictures have which properties, as sets of their numbers in memory: any filter takes microseconds.

A set is a Roaring bitmap (Lemire et al., "Roaring bitmaps: Implementation of an optimized software library",
2018). A million pictures take about twenty megabytes. What other processes change is read from
`media_changes` before each question.
"""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from pyroaring import BitMap

from hotfolder.database import Database

DIMENSIONS: Final = (
    *("rating", "status", "label", "origin", "type", "endpoint", "owner", "orientation", "refs", "review"),
    *("deleted", "day"),
)
"""The properties in the order of _ROWS_SQL."""
CHANGES_MAX: Final = 20_000
"""So many changes are followed one by one; after more, everything is read anew."""
_ROWS_SQL: Final = """
    SELECT number, rating, coalesce(status, 'none'), coalesce(label, 'none'), origin,
           CASE media_type WHEN 'image' THEN coalesce(replace(mime_type, 'image/', ''), 'image')
                           ELSE media_type END,
           endpoint_key, owner,
           CASE WHEN width > height THEN 'landscape' WHEN width < height THEN 'portrait'
                WHEN width > 0 THEN 'square' END,
           iif(has_refs, 'yes', 'no'), review, deleted_at IS NOT NULL, substr(created_at, 1, 10)
    FROM media
"""
_SCOPES: Final = {
    "keyword": ("media_keywords", "keyword_id"),
    "collection": ("collection_media", "collection_id"),
}
EMPTY: Final = BitMap()


class Facets:
    """The sets, asked within `current()`, by one thread at a time. What it gives must not be changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._sets: dict[str, dict[Any, BitMap]] = {}
        self._scopes: dict[tuple[str, str], BitMap] = {}
        self._seq = -1

    @contextmanager
    def current(self) -> Iterator[Facets]:
        """The sets as the database is now; nobody changes them until the end of the block."""
        with self._lock:
            self._refresh()
            yield self

    @property
    def seq(self) -> int:
        """Up to which change the sets are true."""
        return self._seq

    def _refresh(self) -> None:
        """Take in what has changed since the last time; everything, at the first."""
        oldest, newest = self._read_span()
        if newest == self._seq:
            return
        is_known = 0 <= self._seq < newest and oldest <= self._seq + 1
        if is_known and newest - self._seq <= CHANGES_MAX:
            self._follow(newest)
        else:
            self._load(newest)

    def of(self, dimension: str, value: Any) -> BitMap:
        """The pictures with a property."""
        return self._sets[dimension].get(value, EMPTY)

    def values(self, dimension: str) -> Mapping[Any, BitMap]:
        """Every value that any picture has, deleted ones too."""
        return dict(self._sets[dimension])

    def in_scope(self, kind: str, scope_id: str) -> BitMap:
        """The pictures of a keyword or a manual collection; read when first asked for, then followed."""
        found = self._scopes.get((kind, scope_id))
        if found is None:
            found = self._scopes[kind, scope_id] = self._read_scope(kind, scope_id)
        return found

    def _read_span(self) -> tuple[int, int]:
        """The oldest and the newest change that is kept: a query each, for SQLite looks up but one end."""
        oldest, newest = (
            self._database.query_one(f"SELECT coalesce({end}(seq), 0) FROM media_changes")
            for end in ("min", "max")
        )
        return (int(oldest[0]), int(newest[0])) if oldest and newest else (0, 0)

    def _load(self, newest: int) -> None:
        """Read everything: rows that are alike in all but their day are gathered first, then told apart."""
        groups: dict[tuple[Any, ...], array[int]] = {}
        days: dict[str, array[int]] = {}
        for row in self._database.connection().execute(f"{_ROWS_SQL} WHERE number > 0"):
            _gather(groups, row[1:-1], row[0])
            _gather(days, row[-1], row[0])
        sets: dict[str, dict[Any, BitMap]] = {name: {} for name in DIMENSIONS}
        sets["day"] = {day: BitMap(numbers) for day, numbers in days.items()}
        for group, members in groups.items():
            found = BitMap(members)
            for name, value in zip(DIMENSIONS, group, strict=False):  # without the day
                if value is not None:
                    sets[name].setdefault(value, BitMap()).update(found)
        self._sets, self._scopes, self._seq = sets, {}, newest

    def _follow(self, newest: int) -> None:
        rows = self._database.query(
            "SELECT DISTINCT number, scope FROM media_changes WHERE seq > ? AND seq <= ?", (self._seq, newest)
        )
        self._follow_pictures([row[0] for row in rows if row[1] is None])
        for number, scope in rows:
            for kind in _SCOPES if scope is not None else ():
                self._follow_scope(kind, scope, number)
        self._seq = newest

    def _follow_pictures(self, numbers: Sequence[int]) -> None:
        gone = BitMap(numbers)
        for values in self._sets.values():
            for found in values.values():
                found.difference_update(gone)
        for number, *found_values in self._read_rows(numbers):
            for name, value in zip(DIMENSIONS, found_values, strict=True):
                if value is not None:
                    self._sets[name].setdefault(value, BitMap()).add(number)

    def _read_rows(self, numbers: Sequence[int]) -> Iterable[Sequence[Any]]:
        marks = ",".join(map(str, numbers))
        return self._database.query(f"{_ROWS_SQL} WHERE number IN ({marks})")

    def _follow_scope(self, kind: str, scope_id: str, number: int) -> None:
        found = self._scopes.get((kind, scope_id))
        if found is None:
            return
        table, column = _SCOPES[kind]
        sql = f"SELECT 1 FROM {table} WHERE {column} = ? AND number = ?"
        if self._database.query_one(sql, (scope_id, number)) is None:
            found.discard(number)
        else:
            found.add(number)

    def _read_scope(self, kind: str, scope_id: str) -> BitMap:
        table, column = _SCOPES[kind]
        rows = self._database.connection().execute(
            f"SELECT number FROM {table} WHERE {column} = ? AND number > 0", (scope_id,)
        )
        return BitMap(array("I", (row[0] for row in rows)))


def _gather(groups: dict[Any, array[int]], key: Any, number: int) -> None:
    found = groups.get(key)
    if found is None:
        found = groups[key] = array("I")
    found.append(number)
