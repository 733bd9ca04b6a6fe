"""Rows of `seen_files`: where a claimed file came from, written before it is moved."""

from __future__ import annotations

from collections.abc import Mapping

from hotfolder.database import Database
from hotfolder.errors import NotFound


class SeenStore:
    """What the inbox has taken in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record_claims(self, paths: Mapping[str, str]) -> None:
        """Note under each job id the path relative to inbox/ that its file has; repeatable, tries stay."""
        with self._database.transaction() as tx:
            for job_id, path in paths.items():
                tx.execute(
                    """
                    INSERT INTO seen_files (job_id, root, path, outcome, seen_at)
                    VALUES (?, 'inbox', ?, 'claimed', ?)
                    ON CONFLICT (job_id) DO UPDATE
                    SET path = excluded.path, outcome = excluded.outcome, seen_at = excluded.seen_at
                    """,
                    (job_id, path, tx.at),
                )

    def find_path(self, job_id: str) -> str | None:
        """The path that the file of a job had, relative to inbox/."""
        row = self._database.query_one("SELECT path FROM seen_files WHERE job_id = ?", (job_id,))
        return str(row["path"]) if row else None

    def count_try(self, job_id: str) -> int:
        """Count one more try to take in a claimed file, on the disk before it begins; gives their number."""
        with self._database.transaction() as tx:
            row = tx.execute(
                "UPDATE seen_files SET tries = tries + 1 WHERE job_id = ? RETURNING tries", (job_id,)
            ).fetchone()
        if row is None:
            raise NotFound(f"The claim {job_id} was not noted.")
        return int(row["tries"])

    def forget_tries(self, job_id: str) -> None:
        """Begin to count the tries of a claim anew."""
        with self._database.transaction() as tx:
            tx.execute("UPDATE seen_files SET tries = 0 WHERE job_id = ?", (job_id,))
