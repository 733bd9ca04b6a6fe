"""Pictures that hold the same or look alike: found one after the other, told in groups, dismissed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from hotfolder.database import Database, Row, Transaction
from hotfolder.errors import LibraryError
from hotfolder.files.likeness import NEAR_BITS, count_differing, read_likeness, says_something
from hotfolder.files.paths import LibraryPaths
from hotfolder.library.media import MEDIA_COLUMNS, Media, to_media
from hotfolder.schema_duplicates import BAND_BITS, BANDS

Kind = Literal["same", "near"]
GROUP_MAX: Final = 20
"""No picture is kept beside more of its like, and no group is larger."""

_CROWD: Final = 5_000
"""Of more pictures that share a part of their hash, so many of the newest are looked at."""
_LOOKED_MAX: Final = 2_000
"""So many pictures that have their like are looked through for a page; those in the trash count as well."""

_SEEN = "deleted_at IS NULL AND (NOT :is_reviewed OR review <> 'awaiting')"
_HAS_LIKE = f"""
    EXISTS (
        SELECT 1 FROM alike JOIN media ON media.number = alike.other
        WHERE is_near = :is_near AND alike.number = looked.number AND other {{}} looked.number AND {_SEEN}
    )
"""
_LOOKED_SQL: Final = """
    SELECT DISTINCT number FROM alike WHERE is_near = :is_near AND number < :before
    ORDER BY number DESC LIMIT :looked_max
"""
# The newest of a group stands for it: another one of the same group would have a newer one beside it.
_NEWEST_SQL: Final = f"""
    SELECT looked.number FROM ({_LOOKED_SQL}) AS looked JOIN media ON media.number = looked.number
    WHERE {_SEEN} AND NOT {_HAS_LIKE.format(">")} AND {_HAS_LIKE.format("<")}
    ORDER BY looked.number DESC LIMIT :limit
"""
_GROUP_SQL: Final = f"""
    SELECT {MEDIA_COLUMNS} FROM media
    WHERE media.number = :number OR media.number IN (
        SELECT other FROM alike JOIN media ON media.number = other
        WHERE is_near = :is_near AND alike.number = :number AND {_SEEN}
        ORDER BY other DESC LIMIT {GROUP_MAX - 1}
    )
    ORDER BY media.number DESC
"""
_SAME_SQL: Final = f"""
    SELECT number FROM (
        SELECT number FROM media WHERE sha256 = :sha256
        UNION
        SELECT number FROM media WHERE pixel_sha256 = :pixel_sha256 AND pixel_sha256 IS NOT NULL
    )
    WHERE number <> :number ORDER BY number DESC LIMIT {GROUP_MAX}
"""


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures of which one is enough, the newest first; `keep` is the id of the one to keep."""

    kind: Kind
    items: tuple[Media, ...]
    keep: str


@dataclass(frozen=True, slots=True)
class GroupPage:
    """Some groups, where the next ones begin or None, and how many pictures have not been compared yet."""

    groups: tuple[Group, ...]
    next: int | None
    pending: int


class DuplicateStore:
    """Reads and writes which pictures are alike."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_groups(self, kind: Kind, *, before: int | None, limit: int, is_reviewed: bool) -> GroupPage:
        """Groups of one kind, the newest first; with `is_reviewed` without pictures that await a review."""
        asked = {
            "is_near": kind == "near",
            "before": 2**62 if before is None else before,
            "looked_max": _LOOKED_MAX,
            "limit": limit + 1,
            "is_reviewed": is_reviewed,
        }
        newest = [row["number"] for row in self._database.query(_NEWEST_SQL, asked)]
        groups = tuple(self._read_group(kind, number, is_reviewed) for number in newest[:limit])
        following = newest[limit - 1] if len(newest) > limit else self._find_end(asked)
        return GroupPage(groups, following, self._count_due())

    def dismiss(self, media_ids: Sequence[str]) -> int:
        """Tell no more of any two of these pictures; gives how many pairs that were."""
        with self._database.transaction() as tx:
            sql = "SELECT number FROM media WHERE id IN (SELECT value FROM json_each(?))"
            named = json.dumps([row["number"] for row in tx.execute(sql, (json.dumps(list(media_ids)),))])
            sql = """
                DELETE FROM alike
                WHERE is_near IN (0, 1) AND number IN (SELECT value FROM json_each(:named))
                  AND other IN (SELECT value FROM json_each(:named))
            """
            return tx.execute(sql, {"named": named}).rowcount // 2

    def _read_group(self, kind: Kind, number: int, is_reviewed: bool) -> Group:
        asked = {"is_near": kind == "near", "number": number, "is_reviewed": is_reviewed}
        items = tuple(to_media(row) for row in self._database.query(_GROUP_SQL, asked))
        return Group(kind, items, choose_best(items).media_id)

    def _find_end(self, asked: Mapping[str, Any]) -> int | None:
        """Where the look ended, when more pictures follow than one look takes."""
        sql = f"SELECT count(*) AS n, min(number) AS last FROM ({_LOOKED_SQL})"
        row = self._database.query(sql, asked)[0]
        return row["last"] if row["n"] == _LOOKED_MAX else None

    def _count_due(self) -> int:
        """They are taken in order, so none is missing in between."""
        row = self._database.query("SELECT max(seq) - min(seq) + 1 AS n FROM likeness_due")[0]
        return row["n"] or 0


class DuplicateFinder:
    """Compares each picture that has come with all before it; one at a time, and one caller only."""

    def __init__(self, database: Database, paths: LibraryPaths) -> None:
        self._database = database
        self._paths = paths

    def fill_some(self, limit: int) -> int:
        """Compare so many of the pictures that wait for it; gives their number, 0 when none waits."""
        sql = """
            SELECT seq, number, thumb_path, phash, sha256, pixel_sha256
            FROM likeness_due LEFT JOIN media ON media.id = media_id
            ORDER BY seq LIMIT ?
        """
        rows = self._database.query(sql, (limit,))
        for row in rows:
            self._take(row)
        return len(rows)

    def _take(self, row: Row) -> None:
        """One transaction a picture: whoever wants to write does not wait for many."""
        number = row["number"]
        phash = self._find_likeness(row) if number is not None else None
        same = self._list_same(row) if number is not None else []
        near = [] if phash is None else [each for each in self._list_near(phash) if each not in same]
        with self._database.transaction(durable=False) as tx:
            tx.execute("DELETE FROM likeness_due WHERE seq = ?", (row["seq"],))
            if phash is not None:
                tx.execute("UPDATE media SET phash = ? WHERE number = ? AND phash IS NULL", (phash, number))
                sql = "INSERT OR REPLACE INTO likeness_bands (band, number, phash) VALUES (?, ?, ?)"
                for band in _bands_of(phash):
                    tx.execute(sql, (band, number, phash))
            _pair(tx, False, number, same)
            _pair(tx, True, number, [each for each in near if each != number])

    def _find_likeness(self, row: Row) -> int | None:
        if row["phash"] is not None:
            return int(row["phash"])
        try:
            return read_likeness(self._paths.locate(row["thumb_path"]))
        except (LibraryError, OSError):
            return None  # it is compared by its content alone

    def _list_same(self, row: Row) -> list[int]:
        asked = {name: row[name] for name in ("sha256", "pixel_sha256", "number")}
        return [each["number"] for each in self._database.query(_SAME_SQL, asked)]

    def _list_near(self, phash: int) -> list[int]:
        """The likest first, and of these the newest."""
        if not says_something(phash):
            return []
        sql = "SELECT number, phash FROM likeness_bands WHERE band = ? ORDER BY number DESC LIMIT ?"
        found: dict[int, int] = {}
        for band in _bands_of(phash):
            for number, other in self._database.query(sql, (band, _CROWD)):
                if number not in found and (distance := count_differing(phash, other)) <= NEAR_BITS:
                    found[number] = distance
        return sorted(found, key=lambda number: (found[number], -number))[:GROUP_MAX]


def choose_best(pictures: Sequence[Media]) -> Media:
    """The one to keep: of the highest rating, of these the largest, of these the oldest."""
    return min(pictures, key=lambda each: (-each.rating, -each.width * each.height, each.created_at))


def _bands_of(phash: int) -> Iterator[int]:
    """The parts of a hash, each told apart from the others by its place."""
    for place in range(BANDS):
        yield place << BAND_BITS | phash >> place * BAND_BITS & (1 << BAND_BITS) - 1


def _pair(tx: Transaction, is_near: bool, number: int, others: Sequence[int]) -> None:
    sql = "INSERT OR IGNORE INTO alike (is_near, number, other) VALUES (?, ?, ?)"
    for other in others:
        tx.execute(sql, (is_near, number, other))
        tx.execute(sql, (is_near, other, number))
