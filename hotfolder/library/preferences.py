"""What the pages remember for each actor: one JSON object a name, in `app_settings`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from hotfolder.database import Database
from hotfolder.errors import LibraryError

MAX_BYTES: Final = 64 * 1024
MAX_DEPTH: Final = 8
_PREFIX: Final = "web.preferences/"


class PreferenceStore:
    """Reads and writes preferences; nothing is said of what they mean."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, actor: str) -> dict[str, Any]:
        """What is remembered for somebody: nothing at first, and nothing where it cannot be read."""
        row = self._database.query_one("SELECT value FROM app_settings WHERE key = ?", (_PREFIX + actor,))
        try:
            found = json.loads(row["value"]) if row else {}
        except (ValueError, TypeError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def merge(self, actor: str, changes: Mapping[str, Any]) -> dict[str, Any]:
        """Put these keys in place of the earlier ones, forget those that are None; gives all that is left.

        Raises LibraryError `library.invalid_value` for more than can be kept; nothing changes then.
        """
        with self._database.transaction() as tx:
            merged = {**self.get(actor), **changes}
            kept = {key: value for key, value in merged.items() if value is not None}
            tx.execute(
                """
                INSERT INTO app_settings (key, value) VALUES (?, ?)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value
                """,
                (_PREFIX + actor, _encode(kept)),
            )
        return kept


def _encode(preferences: Mapping[str, Any]) -> str:
    if _depth(preferences) > MAX_DEPTH:
        raise _refusal(f"They are nested deeper than {MAX_DEPTH} levels.")
    try:
        text = json.dumps(preferences, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise _refusal("Numbers have to be finite.") from error
    if len(text) > MAX_BYTES:
        raise _refusal(f"They have {len(text):,} bytes, and at most {MAX_BYTES:,} are kept.")
    return text


def _depth(value: Any) -> int:
    """How many levels of objects and lists there are; it stops looking behind those that are kept."""
    level, depth = [value], 0
    while level and depth <= MAX_DEPTH:
        inner = [each for each in level if isinstance(each, dict | list)]
        if not inner:
            break
        depth += 1
        level = [each for one in inner for each in (one.values() if isinstance(one, dict) else one)]
    return depth


def _refusal(message: str) -> LibraryError:
    return LibraryError(
        f"The preferences cannot be kept. {message}",
        code="library.invalid_value",
        hint="Set a key to null, and it is forgotten.",
    )
