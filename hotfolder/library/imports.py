"""How the import of each picture ended: once, as an event that others follow."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hotfolder.database import Database, Transaction
from hotfolder.events import IMPORT_ENDED


class ImportStore:
    """The `import.ended` events, and what else an import asks of the rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has_ended(self, media_id: str) -> bool:
        """Whether it has been said how the import with this id ended."""
        sql = "SELECT 1 FROM events WHERE subject_id = ? AND topic = ? LIMIT 1"
        return self._database.query_one(sql, (media_id, IMPORT_ENDED)) is not None

    def is_path_taken(self, file_path: str) -> bool:
        """Whether a picture of the library, be it deleted, has this place."""
        return self._database.query_one("SELECT 1 FROM media WHERE file_path = ?", (file_path,)) is not None

    def end(self, tx: Transaction, media_id: str, data: Mapping[str, Any]) -> None:
        """Say how it ended, unless that has been said."""
        if not self.has_ended(media_id):
            tx.event(IMPORT_ENDED, "media", media_id, data)
