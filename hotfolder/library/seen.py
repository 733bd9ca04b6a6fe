"""Rows of `seen_files`: where a claimed file came from, written before it is moved."""

from __future__ import annotations

from collections.abc import Mapping

from hotfolder.database import Database


class SeenStore:
    """What the inbox has taken in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record_claims(self, paths: Mapping[str, str]) -> None:
        """Note under each job id the path relative to inbox/ that its file has; repeatable."""
        with self._database.transaction() as tx:
            for job_id, path in paths.items():
                tx.execute(
                    """
                    INSERT OR REPLACE INTO seen_files (job_id, path, outcome, seen_at)
                    VALUES (?, ?, 'claimed', ?)
                    """,
                    (job_id, path, tx.at),
                )

    def find_path(self, job_id: str) -> str | None:
        """The path that the file of a job had, relative to inbox/."""
        row = self._database.query_one("SELECT path FROM seen_files WHERE job_id = ?", (job_id,))
        return str(row["path"]) if row else None
