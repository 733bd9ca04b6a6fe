"""Collections: manual ones, which hold pictures in an order, and live ones, which are filters with a name."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from hotfolder.clock import NewId, new_id
from hotfolder.database import Database, Row, Transaction
from hotfolder.errors import LibraryError, NotFound
from hotfolder.events import LIBRARY_UPDATED

log = logging.getLogger(__name__)

Membership = Literal["joined", "left"]
NAME_MAX: Final = 200
QUERY_MAX: Final = 4096
ORDERED_MAX: Final = 2000
"""So many pictures get their places in one transaction: others who write get in between two."""

# What was put in order has a place below zero; what joins later stands behind it, as it came.
_ORDER: Final = "position, added_at, media_id"
# Few pictures are in the trash at one time: they are taken off what an index alone counts.
_COUNT_SQL: Final = """
    WITH gone AS (
        SELECT collection_id, count(*) AS n FROM media JOIN collection_media ON media_id = media.id
        WHERE deleted_at IS NOT NULL GROUP BY collection_id
    )
    SELECT collection_id, count(*) - coalesce(gone.n, 0) AS n
    FROM collection_media LEFT JOIN gone USING (collection_id) GROUP BY collection_id
"""
_COUNT_REVIEWED_SQL: Final = """
    SELECT collection_id, count(*) AS n FROM collection_media JOIN media ON media.id = media_id
    WHERE deleted_at IS NULL AND review <> 'awaiting' GROUP BY collection_id
"""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection; `query` is the filter of a live one, as it stands in addresses."""

    collection_id: str
    name: str
    kind: Literal["manual", "live"]
    query: str | None
    created_at: str


class CollectionStore:
    """Reads and writes collections."""

    def __init__(self, database: Database, *, make_id: NewId = new_id) -> None:
        self._database = database
        self._make_id = make_id

    def list_collections(self) -> list[Collection]:
        """All of them, by name."""
        return [
            _to_collection(row) for row in self._database.query("SELECT * FROM collections ORDER BY name")
        ]

    def get(self, collection_id: str) -> Collection:
        """The collection; raises NotFound."""
        row = self._database.query_one("SELECT * FROM collections WHERE id = ?", (collection_id,))
        if row is None:
            raise NotFound(f"There is no collection {collection_id[:80]}.")
        return _to_collection(row)

    def get_by_name(self, name: str) -> Collection:
        """The collection of this name; raises NotFound."""
        row = self._database.query_one("SELECT * FROM collections WHERE name = ?", (name.strip(),))
        if row is None:
            raise NotFound(
                f"There is no collection {name[:80]!r}.", hint="`hotfolder collections list` shows them."
            )
        return _to_collection(row)

    def count_media(self, *, is_reviewed: bool = False) -> dict[str, int]:
        """How many pictures each manual collection shows; visitors see none that awaits a review."""
        rows = self._database.query(_COUNT_REVIEWED_SQL if is_reviewed else _COUNT_SQL)
        return {row["collection_id"]: row["n"] for row in rows}

    def make(self, name: str, query: str | None, actor: str) -> Collection:
        """A new collection, a live one if it has a query; raises LibraryError `library.duplicate_name`."""
        collection_id, checked = self._make_id(), check_name(name)
        with self._database.transaction() as tx:
            values = (collection_id, checked, "manual" if query is None else "live", _to_json(query), tx.at)
            sql = "INSERT INTO collections (id, name, kind, query_json, created_at) VALUES (?, ?, ?, ?, ?)"
            _with_free_name(lambda: tx.execute(sql, values), checked)
            tx.event(LIBRARY_UPDATED, "collection", collection_id, {"added": checked}, actor)
        return self.get(collection_id)

    def change(self, collection_id: str, name: str | None, query: str | None, actor: str) -> Collection:
        """Give a collection another name, or a live one another query; what is None stays."""
        with self._database.transaction() as tx:
            found = self.get(collection_id)
            if query is not None and found.kind != "live":
                raise _refusal(f"{found.name!r} is no live collection and has no query.", "Make a live one.")
            new = (
                found.name if name is None else check_name(name),
                found.query if query is None else query,
            )
            if new == (found.name, found.query):
                return found
            values = (new[0], _to_json(new[1]), collection_id)
            sql = "UPDATE collections SET name = ?, query_json = ? WHERE id = ?"
            _with_free_name(lambda: tx.execute(sql, values), new[0])
            data = {"changed": new[0], "query": new[1]}
            tx.event(LIBRARY_UPDATED, "collection", collection_id, data, actor)
        return self.get(collection_id)

    def delete(self, collection_id: str, actor: str) -> Collection:
        """Remove a collection; its pictures stay in the library. Raises NotFound."""
        with self._database.transaction() as tx:
            found = self.get(collection_id)
            tx.execute("DELETE FROM collections WHERE id = ?", (collection_id,))
            tx.event(LIBRARY_UPDATED, "collection", collection_id, {"removed": found.name}, actor)
        return found

    def add(self, collection_id: str, media_ids: Sequence[str]) -> list[str]:
        """Let pictures join a manual collection, at its end; gives the ids of those that were not in it."""
        sql = """
            INSERT OR IGNORE INTO collection_media (collection_id, media_id, added_at)
            SELECT :collection, media.id, :at FROM json_each(:ids) JOIN media ON media.id = value
            WHERE deleted_at IS NULL ORDER BY key
            RETURNING media_id
        """
        return self._change_media(sql, collection_id, media_ids)

    def remove(self, collection_id: str, media_ids: Sequence[str]) -> list[str]:
        """Let pictures leave a manual collection; gives the ids of those that were in it."""
        sql = """
            DELETE FROM collection_media
            WHERE collection_id = :collection AND media_id IN (SELECT value FROM json_each(:ids))
            RETURNING media_id
        """
        return self._change_media(sql, collection_id, media_ids)

    def announce(self, collection_id: str, change: Membership, count: int, actor: str) -> None:
        """Tell everybody that pictures joined a collection, or left it."""
        with self._database.transaction() as tx:
            tx.event(LIBRARY_UPDATED, "collection", collection_id, {change: count}, actor)

    def order(self, collection_id: str, media_ids: Sequence[str], actor: str) -> None:
        """Put pictures of a manual collection in this order, in the places that they have now together.

        A large collection is ordered from its beginning, piece by piece, and told of at the end.
        """
        with self._database.transaction() as tx:
            self._get_manual(collection_id)
            before = self._read_places(tx, collection_id)
            after = _arrange(list(before), media_ids)
            if after == list(before):
                return
            wanted = ((place - len(after), each) for place, each in enumerate(after))
            moves = [(place, each) for place, each in wanted if before[each] != place]
            left = self._move_some(tx, collection_id, moves)
        while left:
            with self._database.transaction() as tx:
                left = self._move_some(tx, collection_id, left)
        with self._database.transaction() as tx:
            tx.event(LIBRARY_UPDATED, "collection", collection_id, {"ordered": len(after)}, actor)

    def add_media(self, tx: Transaction, name: str, media_id: str) -> None:
        """Let a picture join a collection, which is made when there is none of this name.

        If that is a live one by now the picture joins nothing, and the log says so: it is not lost for that.
        """
        found = self._find_or_make(tx, name)
        if found.kind == "manual":
            self._join(tx, found, media_id)
        else:
            log.warning("picture %s does not join %r: that is a live collection", media_id, found.name)

    def add_chosen(self, tx: Transaction, name: str, media_id: str) -> None:
        """The same for who can choose another name: raises LibraryError for that of a live collection."""
        found = self._find_or_make(tx, name)
        if found.kind != "manual":
            raise _live(found)
        self._join(tx, found, media_id)

    def list_media(self, name: str) -> list[str]:
        """The ids of the pictures in a collection, in its order."""
        rows = self._database.query(
            f"""
            SELECT media_id FROM collection_media JOIN collections ON collections.id = collection_id
            WHERE name = ? ORDER BY {_ORDER}
            """,
            (name,),
        )
        return [row["media_id"] for row in rows]

    def _change_media(self, sql: str, collection_id: str, media_ids: Sequence[str]) -> list[str]:
        ids = json.dumps(list(dict.fromkeys(media_ids)))
        with self._database.transaction() as tx:
            self._get_manual(collection_id)
            values = {"collection": collection_id, "at": tx.at, "ids": ids}
            return [row["media_id"] for row in tx.execute(sql, values).fetchall()]

    def _get_manual(self, collection_id: str) -> Collection:
        found = self.get(collection_id)
        if found.kind != "manual":
            raise _live(found)
        return found

    def _read_places(self, tx: Transaction, collection_id: str) -> dict[str, int]:
        """The pictures of a collection in its order, each with its place."""
        sql = f"SELECT media_id, position FROM collection_media WHERE collection_id = ? ORDER BY {_ORDER}"
        return {row["media_id"]: row["position"] for row in tx.execute(sql, (collection_id,))}

    def _move_some(
        self, tx: Transaction, collection_id: str, moves: Sequence[tuple[int, str]]
    ) -> Sequence[tuple[int, str]]:
        """Give the first of some pictures their places, each by its key; gives the moves that are left."""
        sql = "UPDATE collection_media SET position = ? WHERE collection_id = ? AND media_id = ?"
        for place, media_id in moves[:ORDERED_MAX]:
            tx.execute(sql, (place, collection_id, media_id))
        return moves[ORDERED_MAX:]

    def _join(self, tx: Transaction, collection: Collection, media_id: str) -> None:
        sql = "INSERT OR IGNORE INTO collection_media (collection_id, media_id, added_at) VALUES (?, ?, ?)"
        tx.execute(sql, (collection.collection_id, media_id, tx.at))

    def _find_or_make(self, tx: Transaction, name: str) -> Collection:
        row = tx.execute("SELECT * FROM collections WHERE name = ?", (name,)).fetchone()
        if row is not None:
            return _to_collection(row)
        collection_id = self._make_id()
        tx.execute(
            "INSERT INTO collections (id, name, created_at) VALUES (?, ?, ?)", (collection_id, name, tx.at)
        )
        tx.event(LIBRARY_UPDATED, "collection", collection_id, {"added": name})
        return Collection(collection_id, name, "manual", None, tx.at)


def check_name(name: str) -> str:
    """The name without blanks around it; raises LibraryError for one that cannot be shown on a line."""
    checked = name.strip()
    if checked and len(checked) <= NAME_MAX and checked.isprintable():
        return checked
    raise _refusal(
        f"A collection has a name of 1 to {NAME_MAX} characters, all of them visible.", "Choose another name."
    )


def _arrange(before: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Those that are named take the places that they have together, in the order in which they are named."""
    known = set(before)
    moved = [each for each in dict.fromkeys(wanted) if each in known]
    named, following = set(moved), iter(moved)
    return [next(following) if each in named else each for each in before]


def _with_free_name(write: Callable[[], object], name: str) -> None:
    try:
        write()
    except sqlite3.IntegrityError as error:
        raise LibraryError(
            f"There is a collection {name!r} already.",
            code="library.duplicate_name",
            hint="Choose another name; capitals do not make a difference.",
        ) from error


def _live(collection: Collection) -> LibraryError:
    return _refusal(
        f"{collection.name!r} is a live collection: its filter says which pictures are in it.",
        "Change its filter, or name a manual collection.",
    )


def _refusal(message: str, hint: str) -> LibraryError:
    return LibraryError(message, code="library.invalid_value", hint=hint)


def _to_json(query: str | None) -> str | None:
    return None if query is None else json.dumps({"query": query}, ensure_ascii=False)


def _to_collection(row: Row) -> Collection:
    kept: dict[str, Any] = json.loads(row["query_json"] or "{}")
    return Collection(row["id"], row["name"], row["kind"], kept.get("query"), row["created_at"])
