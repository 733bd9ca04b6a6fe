"""Changes of many pictures at once: made in pieces under one id, told once, and taken back by that id."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from hotfolder.database import Database, Row, Transaction
from hotfolder.errors import LibraryError, NotFound
from hotfolder.events import LIBRARY_UPDATED, RATING_CHANGED
from hotfolder.library.media import MediaStore
from hotfolder.library.ratings import KEYWORDS_MAX, RatingStore, check_value

CHUNK: Final = 200
"""So many pictures are changed in one transaction: others who write get in between two."""
TOLD_MAX: Final = 500
"""Of more pictures than this an event tells the number only."""
DELETED_AT: Final = "deleted_at"
"""The field under which the history keeps that a picture went into the trash, or came out of it."""
_FIELDS: Final = ("rating", "status", "label")
_WORDS: Final = ("addKeywords", "removeKeywords")
# What became of the same field of the same picture later, by another change or by itself.
_SINCE_SQL: Final = """
    since.media_id = done.media_id AND since.id > done.id
    AND since.field = done.field AND since.change_id IS NOT done.change_id
"""


@dataclass(frozen=True, slots=True)
class ManyChange:
    """What is to become of each of many pictures; `given` is how it was asked for."""

    values: Mapping[str, Any]
    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    given: Mapping[str, Any] = field(default_factory=dict)


class Bin(Protocol):
    """The trash, as far as a change can be taken back."""

    def put_in(self, tx: Transaction, media_ids: Sequence[str], actor: str, change_id: str) -> list[str]:
        """Delete pictures; gives the ids of those that were there."""

    def take_out(self, tx: Transaction, media_ids: Sequence[str], actor: str, change_id: str) -> list[str]:
        """Restore pictures; gives the ids of those that were deleted."""


def check_changes(given: Any) -> ManyChange:
    """A change as programs ask for it; raises LibraryError `library.invalid_value`."""
    known = (*_FIELDS, *_WORDS)
    if not isinstance(given, Mapping) or not given or set(given) - set(known):
        raise LibraryError(
            "This is no change that many pictures can have.",
            code="library.invalid_value",
            hint=f"Give one or more of {', '.join(known)}.",
        )
    values = {name: check_value(name, given[name]) for name in _FIELDS if name in given}
    added, removed = (check_value("keywords", given.get(name, [])) for name in _WORDS)
    return ManyChange(values, added, removed, dict(given))


def tell_many(media_ids: Sequence[str]) -> dict[str, Any]:
    """What an event says of many pictures."""
    named = {"mediaIds": list(media_ids)} if len(media_ids) <= TOLD_MAX else {}
    return {"count": len(media_ids), **named}


class ChangeStore:
    """Each method but `announce` takes at most CHUNK pictures; the same again changes nothing."""

    def __init__(self, database: Database, media: MediaStore, ratings: RatingStore, trash: Bin) -> None:
        self._database = database
        self._media = media
        self._ratings = ratings
        self._trash = trash

    def change(
        self, change_id: str, media_ids: Sequence[str], wanted: ManyChange, actor: str
    ) -> tuple[list[str], list[str]]:
        """Change pictures of the library, in one transaction.

        Gives the ids of those that were otherwise, and of those that have no room for the keywords: they are
        left as they are.
        """
        changed, skipped = [], []
        with self._database.transaction() as tx:
            for row in _read_rows(tx, media_ids):
                values = self._values_of(row, wanted) if row["deleted_at"] is None else {}
                if values is None:
                    skipped.append(row["id"])
                elif self._ratings.set_fields(tx, row, values, actor, change_id):
                    changed.append(row["id"])
        return changed, skipped

    def announce(self, change_id: str, media_ids: Sequence[str], wanted: ManyChange, actor: str) -> None:
        """Tell everybody of a change, at its end."""
        with self._database.transaction() as tx:
            data = {**tell_many(media_ids), "changes": dict(wanted.given)}
            tx.event(RATING_CHANGED, "change", change_id, data, actor)

    def list_changed(self, change_id: str) -> list[str]:
        """The pictures that a change changed; raises NotFound for one that changed none."""
        sql = "SELECT DISTINCT media_id FROM rating_history WHERE change_id = ? ORDER BY media_id"
        found = [row["media_id"] for row in self._database.query(sql, (change_id,))]
        if not found:
            raise NotFound(f"There is no change {change_id[:80]} of pictures that are still there.")
        return found

    def is_of_trash(self, change_id: str) -> bool:
        """Whether a change put pictures into the trash, or took them out of it."""
        sql = "SELECT 1 FROM rating_history WHERE change_id = ? AND field = ? LIMIT 1"
        return self._database.query_one(sql, (change_id, DELETED_AT)) is not None

    def undo(self, change_id: str, undo_id: str, media_ids: Sequence[str], actor: str) -> list[str]:
        """Put back what a change changed of pictures and nobody has changed since; gives their ids.

        It is a change itself, under `undo_id`, and can be taken back.
        """
        with self._database.transaction() as tx:
            rows = {row["id"]: row for row in _read_rows(tx, media_ids)}
            restored = dict.fromkeys(self._undo_trash(tx, change_id, undo_id, rows, actor))
            for media_id, values in self._old_values(tx, change_id, rows).items():
                if self._ratings.set_fields(tx, rows[media_id], values, actor, undo_id):
                    restored[media_id] = None
        return list(restored)

    def announce_undo(self, change_id: str, undo_id: str, media_ids: Sequence[str], actor: str) -> None:
        """Tell everybody that a change was taken back."""
        data = {**tell_many(media_ids), "undoes": change_id}
        with self._database.transaction() as tx:
            sql = "SELECT new_value FROM rating_history WHERE change_id = ? AND field = ? LIMIT 1"
            row = tx.execute(sql, (undo_id, DELETED_AT)).fetchone()
            if row is None:
                tx.event(RATING_CHANGED, "change", undo_id, data, actor)
            else:
                what = "restored" if json.loads(row["new_value"]) is None else "deleted"
                tx.event(LIBRARY_UPDATED, "change", undo_id, {**data, what: True}, actor)

    def _values_of(self, row: Row, wanted: ManyChange) -> dict[str, Any] | None:
        """None for a picture that would have more keywords than one can have."""
        if not wanted.added and not wanted.removed:
            return dict(wanted.values)
        words = _change_words(self._media.list_keywords(row["id"]), wanted.added, wanted.removed)
        return None if words is None else {**wanted.values, "keywords": words}

    def _old_values(
        self, tx: Transaction, change_id: str, rows: Mapping[str, Row]
    ) -> dict[str, dict[str, Any]]:
        """By picture, the values to put back: where the one of the change still stands."""
        found: dict[str, dict[str, Any]] = {}
        for each in _read_history(tx, change_id, rows):
            name, row = each["field"], rows[each["media_id"]]
            old, new = json.loads(each["old_value"]), json.loads(each["new_value"])
            if name == "keywords":
                words = self._old_words(tx, each, old, new)
                if words is not None:
                    found.setdefault(row["id"], {})[name] = words
            elif name != DELETED_AT and row[name] == new:
                found.setdefault(row["id"], {})[name] = old
        return found

    def _old_words(
        self, tx: Transaction, change: Row, old: Sequence[str], new: Sequence[str]
    ) -> list[str] | None:
        """Keywords are put back one by one: but those that somebody gave or took since."""
        touched = _read_touched(tx, change)
        gone, come = _less(_less(old, new), touched), _less(_less(new, old), touched)
        return _change_words(self._media.list_keywords(change["media_id"]), gone, come)

    def _undo_trash(
        self, tx: Transaction, change_id: str, undo_id: str, rows: Mapping[str, Row], actor: str
    ) -> list[str]:
        ways: dict[bool, list[str]] = {True: [], False: []}
        for each in _read_history(tx, change_id, rows):
            new = json.loads(each["new_value"])
            if each["field"] == DELETED_AT and rows[each["media_id"]]["deleted_at"] == new:
                ways[new is not None].append(each["media_id"])
        return [
            *self._trash.take_out(tx, ways[True], actor, undo_id),
            *self._trash.put_in(tx, ways[False], actor, undo_id),
        ]


def _read_rows(tx: Transaction, media_ids: Sequence[str]) -> list[Row]:
    """The rows of pictures, in the order in which they are named."""
    if len(media_ids) > CHUNK:
        raise ValueError(f"more than {CHUNK} pictures at once")
    sql = "SELECT media.* FROM json_each(?) JOIN media ON media.id = value ORDER BY key"
    return tx.execute(sql, (json.dumps(list(dict.fromkeys(media_ids))),)).fetchall()


def _read_history(tx: Transaction, change_id: str, rows: Mapping[str, Row]) -> list[Row]:
    """What a change did, but to fields that were changed since, even back to the same; keywords all."""
    sql = f"""
        SELECT id, media_id, field, old_value, new_value FROM rating_history AS done
        WHERE change_id = ? AND media_id IN (SELECT value FROM json_each(?))
            AND (field = 'keywords' OR NOT EXISTS (SELECT 1 FROM rating_history AS since WHERE {_SINCE_SQL}))
    """
    return tx.execute(sql, (change_id, json.dumps(list(rows)))).fetchall()


def _read_touched(tx: Transaction, change: Row) -> list[str]:
    """The keywords that came to a picture, or left it, after a change of them."""
    sql = f"""
        SELECT since.old_value, since.new_value
        FROM rating_history AS done JOIN rating_history AS since ON {_SINCE_SQL}
        WHERE done.id = ?
    """
    words: list[str] = []
    for row in tx.execute(sql, (change["id"],)):
        old, new = json.loads(row["old_value"]), json.loads(row["new_value"])
        words += [*_less(old, new), *_less(new, old)]
    return words


def _change_words(words: Sequence[str], added: Sequence[str], removed: Sequence[str]) -> list[str] | None:
    """Keywords with some and without others; None when they become more than a picture can have."""
    found = [*words, *_less(added, words)]
    kept = _less(found, removed)
    return sorted(kept) if len(kept) <= max(KEYWORDS_MAX, len(words)) else None


def _less(words: Sequence[str], others: Sequence[str]) -> list[str]:
    without = {each.casefold() for each in others}
    return [each for each in words if each.casefold() not in without]
