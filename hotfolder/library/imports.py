"""How the import of each picture ended: once, as an event that others follow."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from hotfolder.database import Database, Transaction
from hotfolder.events import IMPORT_ENDED
from hotfolder.metrics import IMPORTS

WAITING_SQL: Final = """
    SELECT count(*) AS items, (
        SELECT avg(json_array_length(payload_json, '$.files')) FROM (
            SELECT payload_json FROM work_queue
            WHERE status = 'pending' AND lane = 'cpu' AND task_type = 'import.pictures' LIMIT 20
        )
    ) AS each
    FROM work_queue
    WHERE status = 'pending' AND lane = 'cpu' AND task_type = 'import.pictures'
"""


class ImportStore:
    """The `import.ended` events, and what else an import asks of the rows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def has_ended(self, media_id: str) -> bool:
        """Whether it has been said how the import with this id ended."""
        # The plus keeps SQLite off the index of topics, where the end of every import stands.
        sql = "SELECT 1 FROM events WHERE subject_id = ? AND +topic = ? LIMIT 1"
        return self._database.query_one(sql, (media_id, IMPORT_ENDED)) is not None

    def count_waiting(self) -> int:
        """About how many pictures are queued: by the items, and how many the first ones hold."""
        row = self._database.query_one(WAITING_SQL)
        return round(row["items"] * (row["each"] or 0)) if row else 0

    def is_path_taken(self, file_path: str) -> bool:
        """Whether a picture of the library, be it deleted, has this place."""
        return self._database.query_one("SELECT 1 FROM media WHERE file_path = ?", (file_path,)) is not None

    def end(self, tx: Transaction, media_id: str, data: Mapping[str, Any]) -> None:
        """Say how it ended, unless that has been said."""
        if not self.has_ended(media_id):
            tx.event(IMPORT_ENDED, "media", media_id, data)
            tx.count(IMPORTS, {"outcome": str(data["outcome"])})

    def count_of_folder(self, folder_id: str) -> Mapping[str, int]:
        """How many imports from an import folder ended in which way."""
        rows = self._database.query(
            """
            SELECT json_extract(data_json, '$.outcome') AS outcome, count(*) AS n FROM events
            WHERE topic = ? AND json_extract(data_json, '$.folder') = ? GROUP BY outcome
            """,
            (IMPORT_ENDED, folder_id),
        )
        return {row["outcome"]: row["n"] for row in rows}

    def find_last_refusal(self, folder_id: str) -> Mapping[str, Any] | None:
        """What was said last of a file that an import folder's service refused."""
        row = self._database.query_one(
            """
            SELECT data_json FROM events
            WHERE topic = ? AND json_extract(data_json, '$.folder') = ?
              AND json_extract(data_json, '$.outcome') = 'failed'
            ORDER BY seq DESC LIMIT 1
            """,
            (IMPORT_ENDED, folder_id),
        )
        return json.loads(row["data_json"]) if row else None
