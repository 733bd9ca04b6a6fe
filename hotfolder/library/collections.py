"""Rows of `collections` and of the pictures in them."""

from __future__ import annotations

from hotfolder.clock import NewId, new_id
from hotfolder.database import Database, Transaction
from hotfolder.events import LIBRARY_UPDATED


class CollectionStore:
    """Reads and writes collections."""

    def __init__(self, database: Database, *, make_id: NewId = new_id) -> None:
        self._database = database
        self._make_id = make_id

    def add_media(self, tx: Transaction, name: str, media_id: str) -> None:
        """Let a picture join a collection, which is made when there is none of this name."""
        tx.execute(
            "INSERT OR IGNORE INTO collection_media (collection_id, media_id, added_at) VALUES (?, ?, ?)",
            (self._find_or_make(tx, name), media_id, tx.at),
        )

    def list_media(self, name: str) -> list[str]:
        """The ids of the pictures in a collection, in its order."""
        rows = self._database.query(
            """
            SELECT media_id FROM collection_media JOIN collections ON collections.id = collection_id
            WHERE name = ? ORDER BY position, added_at, media_id
            """,
            (name,),
        )
        return [row["media_id"] for row in rows]

    def _find_or_make(self, tx: Transaction, name: str) -> str:
        row = tx.execute("SELECT id FROM collections WHERE name = ?", (name,)).fetchone()
        if row is not None:
            return str(row["id"])
        collection_id = self._make_id()
        tx.execute(
            "INSERT INTO collections (id, name, created_at) VALUES (?, ?, ?)", (collection_id, name, tx.at)
        )
        tx.event(LIBRARY_UPDATED, "collection", collection_id, {"added": name})
        return collection_id
