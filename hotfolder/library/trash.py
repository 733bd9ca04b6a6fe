"""The trash: pictures leave the library by a mark and come back by it; their files follow as queued work."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Literal, TypeVar

from hotfolder.clock import NewId, new_id
from hotfolder.database import Database, Row, Transaction
from hotfolder.domain.instants import format_instant, parse_instant
from hotfolder.domain.work import NewWork
from hotfolder.errors import NotFound
from hotfolder.events import LIBRARY_UPDATED
from hotfolder.library.changes import CHUNK, DELETED_AT, tell_many

MEDIA_FILES: Final = "media.files"
"""The kind of work that puts files of pictures where they belong: into trash/, or back."""
MEDIA_PURGE: Final = "media.purge"
"""The kind of work that removes files of pictures that are no more."""
FILES_DELAY_S: Final = 10.0
"""So long the files of a deleted picture stay in place: who takes it back at once finds them there."""
PICTURES_AN_ITEM: Final = 25
"""So few that a lane is free again soon, whoever empties the trash."""

_OWNER: Final = "media"
_ATTEMPTS: Final = 20
_PRIORITY: Final = -100
"""Putting away waits for everything else; bringing back does not."""

T = TypeVar("T")
Outcome = Literal["deleted", "restored", "purged"]


class Trash:
    """Works on the database alone, so that any process may use it; a sidecar moves the files.

    What changes pictures takes at most CHUNK of them; the same again changes nothing. One that awaits a
    review goes on to do so: only when it is purged it has been decided on, by `discard` in the transaction.
    """

    def __init__(
        self,
        database: Database,
        enqueue: Callable[[Transaction, NewWork], object],
        discard: Callable[[Transaction, str, str], None],
        *,
        make_id: NewId = new_id,
    ) -> None:
        self._database = database
        self._enqueue = enqueue
        self._discard = discard
        self._make_id = make_id

    def trash(self, change_id: str, media_ids: Sequence[str], actor: str) -> list[str]:
        """Delete pictures, in one transaction; gives the ids of those that were there."""
        with self._database.transaction() as tx:
            return self.put_in(tx, media_ids, actor, change_id)

    def trash_one(self, media_id: str, actor: str) -> str:
        """Delete a picture and tell everybody; gives the id of the change. Raises NotFound."""
        change_id = self._make_id()
        with self._database.transaction() as tx:
            if not self.put_in(tx, [media_id], actor, change_id):
                raise NotFound(f"There is no picture {media_id[:80]} in the library.")
            tx.event(LIBRARY_UPDATED, "media", media_id, {"deleted": True}, actor)
        return change_id

    def restore(self, change_id: str, media_ids: Sequence[str], actor: str) -> list[str]:
        """Take pictures back, in one transaction; gives the ids of those that were deleted."""
        with self._database.transaction() as tx:
            return self.take_out(tx, media_ids, actor, change_id)

    def purge(self, media_ids: Sequence[str]) -> list[str]:
        """Remove deleted pictures for good, in one transaction; gives the ids of those that were deleted.

        Of what was made from them the reference, its thumbnail and its hash stay; of their own making the
        generation does.
        """
        ids = _to_list(media_ids)
        sql = """
            DELETE FROM media
            WHERE deleted_at IS NOT NULL AND id IN (SELECT value FROM json_each(?))
            RETURNING id, file_path, thumb_path, created_at, deleted_at
        """
        with self._database.transaction() as tx:
            self._discard_awaiting(tx, ids)
            rows = tx.execute(sql, (ids,)).fetchall()
            for some in _batches(rows):
                payload = {"pictures": [_describe_gone(each) for each in some]}
                self._enqueue(tx, _build_work(MEDIA_PURGE, payload, some[0]["id"], _PRIORITY))
        return [row["id"] for row in rows]

    def announce(self, change_id: str, media_ids: Sequence[str], outcome: Outcome, actor: str) -> None:
        """Tell everybody what became of many pictures, at the end."""
        with self._database.transaction() as tx:
            data = {outcome: True, **tell_many(media_ids)}
            tx.event(LIBRARY_UPDATED, "change", change_id, data, actor)

    def list_all(self) -> list[str]:
        """The pictures in the trash now, the longest there first."""
        sql = "SELECT id FROM media WHERE deleted_at IS NOT NULL ORDER BY deleted_at"
        return [row["id"] for row in self._database.query(sql)]

    def put_in(self, tx: Transaction, media_ids: Sequence[str], actor: str, change_id: str) -> list[str]:
        """Delete pictures within a transaction; gives the ids of those that were there."""
        sql = """
            UPDATE media SET deleted_at = :at, updated_at = :at
            WHERE deleted_at IS NULL AND id IN (SELECT value FROM json_each(:ids))
            RETURNING id
        """
        rows = tx.execute(sql, {"at": tx.at, "ids": _to_list(media_ids)}).fetchall()
        deleted = {row["id"]: tx.at for row in rows}
        _note(tx, [(media_id, None, at) for media_id, at in deleted.items()], actor, change_id)
        later = format_instant(parse_instant(tx.at) + timedelta(seconds=FILES_DELAY_S))
        self._move_files(tx, deleted, change_id, _PRIORITY, later)
        return list(deleted)

    def take_out(self, tx: Transaction, media_ids: Sequence[str], actor: str, change_id: str) -> list[str]:
        """Restore pictures within a transaction; gives the ids of those that were deleted.

        Who takes back a picture that was discarded accepts it; one that awaited a review awaits it again.
        """
        sql = """
            SELECT id, deleted_at FROM media
            WHERE deleted_at IS NOT NULL AND id IN (SELECT value FROM json_each(?))
        """
        deleted = {row["id"]: row["deleted_at"] for row in tx.execute(sql, (_to_list(media_ids),))}
        sql = """
            UPDATE media SET deleted_at = NULL, updated_at = :at,
                review = CASE review WHEN 'discarded' THEN 'accepted' ELSE review END
            WHERE id IN (SELECT value FROM json_each(:ids))
        """
        tx.execute(sql, {"at": tx.at, "ids": json.dumps(list(deleted))})
        _note(tx, [(media_id, at, None) for media_id, at in deleted.items()], actor, change_id)
        self._move_files(tx, deleted, change_id, 0, None)
        return list(deleted)

    def _discard_awaiting(self, tx: Transaction, ids: str) -> None:
        """Whoever put a picture into the trash last has decided."""
        sql = """
            SELECT id, (
                SELECT actor FROM rating_history
                WHERE media_id = media.id AND field = ? ORDER BY rating_history.id DESC LIMIT 1
            ) AS actor
            FROM media
            WHERE deleted_at IS NOT NULL AND review = 'awaiting' AND id IN (SELECT value FROM json_each(?))
        """
        for row in tx.execute(sql, (DELETED_AT, ids)).fetchall():
            self._discard(tx, row["id"], row["actor"])

    def _move_files(
        self,
        tx: Transaction,
        deleted: Mapping[str, str],
        change_id: str,
        priority: int,
        run_at: str | None,
    ) -> None:
        for some in _batches(list(deleted.items())):
            payload = {"pictures": dict(some)}
            self._enqueue(tx, _build_work(MEDIA_FILES, payload, change_id, priority, run_at))


def _build_work(
    kind: str, payload: Mapping[str, Any], subject: str, priority: int, run_at: str | None = None
) -> NewWork:
    return NewWork(kind, "io", payload, _OWNER, subject, priority, _ATTEMPTS, run_at=run_at)


def _describe_gone(row: Row) -> dict[str, str | None]:
    """What is needed to find the files of a picture that has no row any more."""
    return {
        "mediaId": row["id"],
        "filePath": row["file_path"],
        "thumbPath": row["thumb_path"],
        "createdAt": row["created_at"],
        "deletedAt": row["deleted_at"],
    }


def _note(
    tx: Transaction, moves: Sequence[tuple[str, str | None, str | None]], actor: str, change_id: str
) -> None:
    """In the history of each picture: when it was deleted before and is now, None for not at all."""
    sql = """
        INSERT INTO rating_history (media_id, field, old_value, new_value, actor, at, change_id)
        VALUES (?, ?, ?, ?, ?, ?, ?)
    """
    for media_id, old, new in moves:
        values = (media_id, DELETED_AT, json.dumps(old), json.dumps(new), actor, tx.at, change_id)
        tx.execute(sql, values)


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), PICTURES_AN_ITEM):
        yield items[start : start + PICTURES_AN_ITEM]


def _to_list(media_ids: Sequence[str]) -> str:
    if len(media_ids) > CHUNK:
        raise ValueError(f"more than {CHUNK} pictures at once")
    return json.dumps(list(media_ids))
