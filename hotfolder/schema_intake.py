"""Schema step m003: files seen in watched folders, jobs that wait, import folders, collections."""

from __future__ import annotations

from typing import Final

INTAKE: Final = (
    # A file that was claimed under a job id, or one that was taken in and stays where it lies.
    """
    CREATE TABLE seen (
        id INTEGER PRIMARY KEY,
        root TEXT NOT NULL,                -- inbox, or the id of an import folder
        path TEXT NOT NULL,                -- relative to the root
        job_id TEXT UNIQUE,                -- of a job file; written before the file is claimed
        device INTEGER,
        inode INTEGER,
        size INTEGER,
        mtime_ns INTEGER,
        ctime_ns INTEGER,
        sha256 TEXT,                       -- of its bytes
        outcome TEXT NOT NULL,             -- claimed, taken, duplicate or refused
        tries INTEGER NOT NULL DEFAULT 0,  -- at a start, each counted before it: some end the process
        seen_at TEXT NOT NULL
    )
    """,
    """
    INSERT INTO seen (root, path, job_id, outcome, tries, seen_at)
    SELECT 'inbox', path, job_id, outcome, tries, seen_at FROM seen_files ORDER BY seen_at
    """,
    "DROP TABLE seen_files",
    "ALTER TABLE seen RENAME TO seen_files",
    "CREATE UNIQUE INDEX idx_seen_left ON seen_files (root, path) WHERE job_id IS NULL",
    "CREATE INDEX idx_seen_sha256 ON seen_files (sha256)",
    "CREATE INDEX idx_seen_inode ON seen_files (inode, device)",
    "ALTER TABLE jobs ADD COLUMN text_name TEXT",  # of the job file in a bundle; NULL: file_name itself
    "ALTER TABLE jobs ADD COLUMN waits_for_json TEXT",  # the references that a waiting job lacks
    "ALTER TABLE jobs ADD COLUMN waits_until TEXT",
    "ALTER TABLE jobs ADD COLUMN repeats INTEGER NOT NULL DEFAULT 0",  # further files that stand for it
    "CREATE INDEX idx_jobs_waiting ON jobs (waits_until) WHERE status = 'waiting_refs'",
    """
    CREATE TABLE collections (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        kind TEXT NOT NULL DEFAULT 'manual',
        query_json TEXT,                   -- the filter of a live collection
        created_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE collection_media (
        collection_id TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
        media_id TEXT NOT NULL REFERENCES media (id) ON DELETE CASCADE,
        position INTEGER NOT NULL DEFAULT 0,
        added_at TEXT NOT NULL,
        PRIMARY KEY (collection_id, media_id)
    )
    """,
    "CREATE INDEX idx_collection_media_media ON collection_media (media_id)",
    """
    CREATE TABLE import_folders (
        id TEXT PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,         -- absolute
        mode TEXT NOT NULL,                -- copy, move or reference
        recursive INTEGER NOT NULL DEFAULT 1,
        keywords_json TEXT NOT NULL DEFAULT '[]',
        collection TEXT,
        created_at TEXT NOT NULL
    )
    """,
)
