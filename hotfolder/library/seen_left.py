"""Rows of `seen_files` for files that stay where they lie: what is known of them is not read again."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final, Literal, Self

from hotfolder.database import Database, Transaction

LeftOutcome = Literal["claimed", "taken", "duplicate", "refused"]

# The index is named because SQLite would rather look up `job_id IS NULL`, which nearly all rows are.
_ONE = "root = ? AND path = ? AND job_id IS NULL AND sha256 = ?"
END_SQL: Final = f"UPDATE seen_files INDEXED BY idx_seen_left SET outcome = ? WHERE {_ONE}"
DOUBT_SQL: Final = f"UPDATE seen_files INDEXED BY idx_seen_left SET ctime_ns = -1 WHERE {_ONE}"
FORGET_SQL: Final = f"DELETE FROM seen_files INDEXED BY idx_seen_left WHERE {_ONE}"
COUNT_SQL: Final = """
    SELECT outcome, count(*) AS n FROM seen_files INDEXED BY idx_seen_left
    WHERE root = ? AND job_id IS NULL GROUP BY outcome
"""


@dataclass(frozen=True, slots=True)
class FileState:
    """What a stat says of a file."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Take it from a stat."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class LeftFile:
    """What was seen at a path, the SHA-256 of its bytes if they could be read, and what became of it."""

    state: FileState
    sha256: str | None
    outcome: LeftOutcome

    def is_same(self, state: FileState) -> bool:
        """Whether nothing has happened to the file since.

        A disk that was away may come back as another device and, where file systems make up inodes, with
        other ones; the instant of the last change tells a replaced file all the same.
        """
        mine = self.state
        return (mine.size, mine.mtime_ns, mine.ctime_ns) == (state.size, state.mtime_ns, state.ctime_ns)


def path_key(relative: PurePath) -> str:
    """A path below a folder as the database keeps it, whatever its bytes are."""
    return relative.as_posix().encode("utf-8", "backslashreplace").decode("utf-8")


def build_find_sql(count: int) -> str:
    """The query for so many paths of a folder."""
    marks = ", ".join("?" for _ in range(count))
    return f"""
        SELECT path, device, inode, size, mtime_ns, ctime_ns, sha256, outcome
        FROM seen_files INDEXED BY idx_seen_left
        WHERE root = ? AND job_id IS NULL AND path IN ({marks})
    """


class SeenLeftStore:
    """What became of the files of import folders; `root` is the folder's id."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find_all(self, root: str, paths: Sequence[str]) -> Mapping[str, LeftFile]:
        """What is known of these paths."""
        rows = self._database.query(build_find_sql(len(paths)), (root, *paths))
        return {row[0]: LeftFile(FileState(*row[1:6]), row[6], row[7]) for row in map(tuple, rows)}

    def remember(self, tx: Transaction, root: str, path: str, file: LeftFile) -> None:
        """Note what a file is now, in place of what it was."""
        state = file.state
        tx.execute(
            """
            INSERT INTO seen_files
                (root, path, device, inode, size, mtime_ns, ctime_ns, sha256, outcome, seen_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (root, path) WHERE job_id IS NULL DO UPDATE
            SET device = excluded.device, inode = excluded.inode, size = excluded.size,
                mtime_ns = excluded.mtime_ns, ctime_ns = excluded.ctime_ns, sha256 = excluded.sha256,
                outcome = excluded.outcome, seen_at = excluded.seen_at
            """,
            (
                root,
                path,
                state.device,
                state.inode,
                state.size,
                state.mtime_ns,
                state.ctime_ns,
                file.sha256,
                file.outcome,
                tx.at,
            ),
        )

    def end(self, tx: Transaction, root: str, path: str, claimed: str, outcome: LeftOutcome) -> None:
        """What became of the content that was claimed; nothing when another one was claimed since."""
        tx.execute(
            END_SQL,
            (outcome, root, path, claimed),
        )

    def forget(self, tx: Transaction, root: str, path: str, claimed: str) -> None:
        """The file with the content that was claimed is gone; nothing when another one was claimed since."""
        tx.execute(FORGET_SQL, (root, path, claimed))

    def has(self, root: str, path: str) -> bool:
        """Whether anything is known of a path: not of one whose folder was removed."""
        return bool(self.find_all(root, [path]))

    def doubt(self, tx: Transaction, root: str, path: str, claimed: str) -> None:
        """Let the file be looked at once more when its folder is: no file has such an instant of change."""
        tx.execute(DOUBT_SQL, (root, path, claimed))

    def count(self, root: str) -> Mapping[str, int]:
        """How many files of a folder ended in which way, or are claimed."""
        rows = self._database.query(COUNT_SQL, (root,))
        return {row["outcome"]: row["n"] for row in rows}
