"""Schema step m004: model files, what work has in common, what runs took, and wishes for the service."""

from __future__ import annotations

from typing import Final

ENGINE: Final = (
    # A row tells of the file only while size and time are still those of the file.
    """
    CREATE TABLE model_files (
        path TEXT PRIMARY KEY,             -- absolute, without links
        size INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        facts_json TEXT,                   -- what its header says; NULL: not read yet
        sha256 TEXT,                       -- of its bytes; NULL: not computed yet
        checked_at TEXT NOT NULL
    )
    """,
    # What an item needs that costs time to get: what is like the item before it goes first, for a while.
    "ALTER TABLE work_queue ADD COLUMN affinity TEXT",
    "ALTER TABLE work_queue ADD COLUMN affinity_detail TEXT",
    # How each spent attempt failed.
    "ALTER TABLE work_queue ADD COLUMN failures_json TEXT",
    """
    CREATE INDEX idx_work_like ON work_queue (lane, priority, affinity, affinity_detail, created_at)
    WHERE status = 'pending' AND affinity IS NOT NULL
    """,
    """
    CREATE INDEX idx_work_near ON work_queue (lane, priority, affinity, created_at)
    WHERE status = 'pending' AND affinity IS NOT NULL
    """,
    "ALTER TABLE generations ADD COLUMN peak_memory_mb INTEGER",
    """
    CREATE INDEX idx_generations_timing ON generations (endpoint_key, completed_at)
    WHERE total_time_ms IS NOT NULL AND completed_at IS NOT NULL
    """,
    # What somebody wants of the running service, which makes it so and says so in `events`.
    """
    CREATE TABLE control (
        key TEXT PRIMARY KEY,
        value TEXT,
        actor TEXT,
        at TEXT NOT NULL
    )
    """,
)
