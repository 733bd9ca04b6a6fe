"""What people think of a picture: rating, pick, label, words; each change with its history and an event."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hotfolder.database import Database, Row, Transaction
from hotfolder.errors import LibraryError, NotFound
from hotfolder.events import RATING_CHANGED
from hotfolder.library.filters import LABELS, RATING_MAX
from hotfolder.library.media import Media, MediaStore

STATUSES: Final = ("selected", "rejected")
TEXT_MAX: Final = 4096
KEYWORDS_MAX: Final = 500
_CHOICES: Final = {"status": STATUSES, "label": LABELS}
"""Pictures of other programs may bring other labels: those stay until they are set anew."""
FIELDS: Final = ("rating", "status", "label", "title", "description", "keywords")


@dataclass(frozen=True, slots=True)
class Rating:
    """One change of one field, as `rating_history` keeps it."""

    field: str
    old_value: Any
    new_value: Any
    actor: str | None
    at: str


class RatingStore:
    """Writes what people think; the last word counts, all words are kept."""

    def __init__(self, database: Database, media: MediaStore) -> None:
        self._database = database
        self._media = media

    def change(self, media_id: str, changes: Mapping[str, Any], actor: str) -> Media:
        """Set fields of a picture in one transaction; raises LibraryError for a value that none can have.

        What is the same already is left alone: it makes no history and no event.
        """
        checked = {field: check_value(field, value) for field, value in changes.items()}
        with self._database.transaction() as tx:
            row = tx.execute(
                "SELECT * FROM media WHERE id = ? AND deleted_at IS NULL", (media_id,)
            ).fetchone()
            if row is None:
                raise NotFound(f"There is no picture {media_id} in the library.")
            changed = self.set_fields(tx, row, checked, actor)
            if changed:
                tx.event(RATING_CHANGED, "media", media_id, changed, actor)
        return self._media.get(media_id)

    def set_fields(
        self, tx: Transaction, row: Row, values: Mapping[str, Any], actor: str, change_id: str | None = None
    ) -> dict[str, Any]:
        """Set checked values of the picture in a row of `media`; gives those that were others before.

        The history keeps them under the change of many pictures that they belong to.
        """
        changed = {
            field: value
            for field, value in values.items()
            if self._set(tx, row, field, value, actor, change_id)
        }
        if changed:
            tx.execute("UPDATE media SET updated_at = ? WHERE id = ?", (tx.at, row["id"]))
        return changed

    def list_history(self, media_id: str) -> list[Rating]:
        """Every change of a picture, oldest first."""
        rows = self._database.query(
            "SELECT * FROM rating_history WHERE media_id = ? ORDER BY id", (media_id,)
        )
        return [_to_rating(row) for row in rows]

    def _set(
        self, tx: Transaction, row: Row, field: str, value: Any, actor: str, change_id: str | None
    ) -> bool:
        old = self._media.list_keywords(row["id"]) if field == "keywords" else row[field]
        if _comparable(field, old) == _comparable(field, value):
            return False
        if field == "keywords":
            self._set_keywords(tx, row["id"], old, value)
        else:
            tx.execute(f"UPDATE media SET {field} = ? WHERE id = ?", (value, row["id"]))
        tx.execute(
            """
            INSERT INTO rating_history (media_id, field, old_value, new_value, actor, at, change_id)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            """,
            (row["id"], field, json.dumps(old), json.dumps(value), actor, tx.at, change_id),
        )
        return True

    def _set_keywords(self, tx: Transaction, media_id: str, old: Sequence[str], new: Sequence[str]) -> None:
        """Only what differs is written: each word that comes or goes has the texts made anew."""
        before, after = ({each.casefold() for each in words} for words in (old, new))
        sql = """
            DELETE FROM media_keywords
            WHERE media_id = ? AND keyword_id = (SELECT id FROM keywords WHERE keyword = ?)
        """
        for each in old:
            if each.casefold() not in after:
                tx.execute(sql, (media_id, each))
        self._media.add_keywords(tx, media_id, [each for each in new if each.casefold() not in before])


def check_value(field: str, value: Any) -> Any:
    """The value as it is stored; raises LibraryError `library.invalid_value` that says what is possible."""
    if field == "rating":
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= RATING_MAX:
            return value
        raise _refusal(field, f"a whole number from 0 to {RATING_MAX}")
    if field in _CHOICES:
        if value is None or value in _CHOICES[field]:
            return value
        raise _refusal(field, f"{', '.join(_CHOICES[field])} or null")
    if field == "keywords":
        return _check_keywords(value)
    if field in FIELDS:
        if value is None or _is_text(value):
            return value or None
        raise _refusal(field, f"a text of at most {TEXT_MAX} characters, or null")
    raise LibraryError(
        f"A picture has no field {field!r} that can be set.",
        code="library.invalid_value",
        hint=f"Set one of {', '.join(FIELDS)}.",
    )


def _check_keywords(value: Any) -> Sequence[str]:
    texts = isinstance(value, list) and all(_is_text(each) and each.strip() for each in value)
    if not texts or len(value) > KEYWORDS_MAX:
        raise _refusal("keywords", f"a list of at most {KEYWORDS_MAX} words")
    return sorted({each.strip() for each in value})


def _is_text(value: Any) -> bool:
    """JSON can hold NUL and half a character (a lone surrogate); a database and XML cannot."""
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        return False
    return not any(each == "\0" or "\ud800" <= each <= "\udfff" for each in value)


def _comparable(field: str, value: Any) -> Any:
    """Keywords are the same in whatever order and case they are written."""
    return {each.casefold() for each in value} if field == "keywords" else value


def _refusal(field: str, possible: str) -> LibraryError:
    return LibraryError(
        f"This is no {field} that a picture can have.",
        code="library.invalid_value",
        hint=f"`{field}` takes {possible}.",
    )


def _to_rating(row: Row) -> Rating:
    return Rating(
        row["field"], json.loads(row["old_value"]), json.loads(row["new_value"]), row["actor"], row["at"]
    )
