"""Rows of `seen_files` in the inbox: where a claimed file came from, and pictures that jobs have used up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hotfolder.database import Database
from hotfolder.errors import NotFound
from hotfolder.metrics import FILES_CLAIMED

INBOX = "inbox"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a claimed file lay, relative to inbox/, and what it was there."""

    path: str
    device: int | None = None
    inode: int | None = None
    size: int | None = None
    mtime_ns: int | None = None
    ctime_ns: int | None = None


class SeenStore:
    """What the inbox has taken in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record_claims(self, origins: Mapping[str, Origin]) -> None:
        """Note under each job id what its file was and where; repeatable: tries and what is known stay."""
        claimed = sum(each.inode is not None for each in origins.values())  # else it was noted before
        with self._database.transaction() as tx:
            if claimed:
                tx.count(FILES_CLAIMED, by=claimed)
            for job_id, each in origins.items():
                tx.execute(
                    """
                    INSERT INTO seen_files (job_id, root, path, device, inode, size, mtime_ns, ctime_ns,
                                            outcome, seen_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'claimed', ?)
                    ON CONFLICT (job_id) DO UPDATE
                    SET path = excluded.path, device = coalesce(excluded.device, device),
                        inode = coalesce(excluded.inode, inode), size = coalesce(excluded.size, size),
                        mtime_ns = coalesce(excluded.mtime_ns, mtime_ns),
                        ctime_ns = coalesce(excluded.ctime_ns, ctime_ns),
                        outcome = excluded.outcome, seen_at = excluded.seen_at
                    """,
                    (
                        job_id,
                        INBOX,
                        each.path,
                        each.device,
                        each.inode,
                        each.size,
                        each.mtime_ns,
                        each.ctime_ns,
                        tx.at,
                    ),
                )

    def find_path(self, job_id: str) -> str | None:
        """The path that the file of a job had, relative to inbox/."""
        row = self._database.query_one("SELECT path FROM seen_files WHERE job_id = ?", (job_id,))
        return str(row["path"]) if row else None

    def record_contents(self, contents: Sequence[tuple[str, str, str]]) -> None:
        """Note of claimed files which job each stands for, and what was in it; they have ended no process.

        Of each: the id that it was claimed under, that of its job, and the SHA-256 of its bytes.
        """
        with self._database.transaction() as tx:
            for claim_id, job_id, sha256 in contents:
                if claim_id != job_id:
                    tx.execute("DELETE FROM seen_files WHERE job_id = ?", (job_id,))
                tx.execute(
                    """
                    UPDATE seen_files
                    SET job_id = ?, sha256 = ?, outcome = 'taken', tries = 0
                    WHERE job_id = ?
                    """,
                    (job_id, sha256, claim_id),
                )

    def find_jobs(self, *, device: int, inode: int, mtime_ns: int, sha256: str) -> list[tuple[str, bool]]:
        """Ids of jobs whose file this may be: by inode, then by content, the newest first.

        With each, whether the file still is what it was when it was claimed: an inode is used again once its
        file is gone, but hardly with the same time.
        """
        rows = self._database.query(
            """
            SELECT job_id, inode = ? AND device = ? AND mtime_ns = ? AS is_untouched FROM seen_files
            WHERE job_id IS NOT NULL AND (inode = ? AND device = ? OR sha256 = ?)
            ORDER BY inode = ? AND device = ? DESC, seen_at DESC LIMIT 20
            """,
            (inode, device, mtime_ns, inode, device, sha256, inode, device),
        )
        return [(row["job_id"], bool(row["is_untouched"])) for row in rows]

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

    def record_used(self, path: str, origin: Origin, sha256: str) -> None:
        """Note that a job used the picture at this place: a later job gets the library's copy."""
        with self._database.transaction() as tx:
            tx.execute(
                """
                INSERT INTO seen_files (root, path, device, inode, size, mtime_ns, ctime_ns, sha256, outcome,
                                        seen_at)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'taken', ?)
                ON CONFLICT (root, path) WHERE job_id IS NULL DO UPDATE
                SET device = excluded.device, inode = excluded.inode, size = excluded.size,
                    mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, sha256 = excluded.sha256,
                    seen_at = excluded.seen_at
                """,
                (
                    INBOX,
                    path,
                    origin.device,
                    origin.inode,
                    origin.size,
                    origin.mtime_ns,
                    origin.ctime_ns,
                    sha256,
                    tx.at,
                ),
            )

    def find_used(self, path: str) -> tuple[int | None, str] | None:
        """The inode and content of the picture that a job used at this place of the inbox."""
        row = self._database.query_one(
            """
            SELECT inode, sha256 FROM seen_files INDEXED BY idx_seen_left
            WHERE root = ? AND path = ? AND job_id IS NULL
            """,
            (INBOX, path),
        )
        return (row["inode"], row["sha256"]) if row else None
