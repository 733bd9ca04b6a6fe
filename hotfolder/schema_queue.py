"""Schema step m005: the order of claiming, limits, moderation and review, credits, counters."""

from __future__ import annotations

from typing import Final

QUEUE: Final = (
    # Work is claimed by `rank`, lowest first: when it came, less what its priority is worth (domain/ranking).
    # `since` is when it got in line: what follows from a piece of work keeps that one's place.
    "ALTER TABLE work_queue ADD COLUMN since TEXT",
    """
    UPDATE work_queue SET since = created_at,
        rank = strftime('%s', created_at) * 1000 + CAST(substr(created_at, 21, 3) AS INTEGER)
            - priority * 600000
    """,
    "DROP INDEX idx_work_claim",
    "DROP INDEX idx_work_like",
    "DROP INDEX idx_work_near",
    # One index for what is in line and what is in hand, the latter right before the former: a claim and an
    # end each rewrite one page of it. The partial ones hold no row that a claim would have to move in vain.
    "DROP INDEX idx_work_processing",
    """
    CREATE INDEX idx_work_claim ON work_queue (status DESC, lane, rank)
    WHERE status = 'pending' OR status = 'processing'
    """,
    "DROP INDEX idx_work_dedupe",
    """
    CREATE UNIQUE INDEX idx_work_dedupe ON work_queue (dedupe_key)
    WHERE dedupe_key IS NOT NULL AND status IN ('pending', 'scheduled', 'processing')
    """,
    "CREATE INDEX idx_work_dead ON work_queue (lane) WHERE status = 'dead'",
    """
    CREATE INDEX idx_work_like ON work_queue (lane, priority, affinity, affinity_detail, rank)
    WHERE status = 'pending' AND affinity IS NOT NULL
    """,
    """
    CREATE INDEX idx_work_near ON work_queue (lane, priority, affinity, rank)
    WHERE status = 'pending' AND affinity IS NOT NULL
    """,
    # Without AUTOINCREMENT, which rewrites a page for each event: no number comes twice while nobody removes
    # the newest event.
    """
    CREATE TABLE events_numbered (
        seq INTEGER PRIMARY KEY,
        at TEXT NOT NULL,
        topic TEXT NOT NULL,
        subject_type TEXT NOT NULL,
        subject_id TEXT NOT NULL,
        actor TEXT,
        data_json TEXT NOT NULL
    )
    """,
    "INSERT INTO events_numbered SELECT * FROM events",
    "DROP TABLE events",
    "ALTER TABLE events_numbered RENAME TO events",
    "CREATE INDEX idx_events_subject ON events (subject_id, seq)",
    "CREATE INDEX idx_events_topic ON events (topic, seq)",
    # What a job waits for besides its turn.
    "ALTER TABLE jobs ADD COLUMN hold_requested INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN not_before TEXT",
    "ALTER TABLE jobs ADD COLUMN review INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE jobs ADD COLUMN collection TEXT",
    "ALTER TABLE jobs ADD COLUMN priority_wish INTEGER",
    "ALTER TABLE jobs ADD COLUMN queued_at TEXT",  # when this run of it was first in the queue
    "ALTER TABLE jobs ADD COLUMN backlog_rank INTEGER",  # its place among those that wait, as in work_queue
    "ALTER TABLE jobs ADD COLUMN wait_reason TEXT",  # why it is held or backlogged, for people
    "ALTER TABLE jobs ADD COLUMN warnings_json TEXT",
    "CREATE INDEX idx_jobs_owner ON jobs (owner, status)",
    "CREATE INDEX idx_jobs_completed ON jobs (completed_at) WHERE completed_at IS NOT NULL",
    """
    CREATE INDEX idx_jobs_backlog ON jobs (owner, backlog_rank, id, wait_reason)
    WHERE status = 'backlogged'
    """,
    # The token bucket of each owner: what is left at an instant.
    "CREATE TABLE owner_rates (owner TEXT PRIMARY KEY, tokens REAL NOT NULL, at TEXT NOT NULL)",
    "CREATE TABLE owner_blocks (owner TEXT PRIMARY KEY, reason TEXT, actor TEXT, at TEXT NOT NULL)",
    # Append-only; the balance of an owner is the sum of its amounts, in thousandths of a credit.
    """
    CREATE TABLE credit_transactions (
        seq INTEGER PRIMARY KEY,           -- in the order in which they were written
        owner TEXT NOT NULL,
        kind TEXT NOT NULL,                -- grant, daily, reserve, debit or refund
        amount INTEGER NOT NULL,
        balance INTEGER NOT NULL CHECK (balance >= 0),  -- of the owner after it
        job_id TEXT,
        generation_id TEXT,
        spent_on TEXT,                     -- the day on whose spending it counts
        spent INTEGER,                     -- by the owner on that day, after it
        actor TEXT,
        note TEXT,
        created_at TEXT NOT NULL
    )
    """,
    "CREATE INDEX idx_credits_owner ON credit_transactions (owner)",
    "CREATE INDEX idx_credits_spent ON credit_transactions (owner, spent_on) WHERE spent_on IS NOT NULL",
    """
    CREATE INDEX idx_credits_generation ON credit_transactions (generation_id)
    WHERE generation_id IS NOT NULL
    """,
    """
    CREATE TRIGGER credits_not_changed BEFORE UPDATE ON credit_transactions
    BEGIN SELECT RAISE(ABORT, 'credit_transactions is append-only'); END
    """,
    """
    CREATE TRIGGER credits_not_removed BEFORE DELETE ON credit_transactions
    BEGIN SELECT RAISE(ABORT, 'credit_transactions is append-only'); END
    """,
    """
    CREATE TABLE credit_balances (
        owner TEXT PRIMARY KEY,
        balance INTEGER NOT NULL CHECK (balance >= 0),
        refreshed_on TEXT                  -- the day of the last daily grant
    )
    """,
    # Large grants, until a second actor approves them.
    """
    CREATE TABLE credit_requests (
        id TEXT PRIMARY KEY,
        owner TEXT NOT NULL,
        amount INTEGER NOT NULL,
        note TEXT,
        actor TEXT NOT NULL,
        approved_by TEXT,
        created_at TEXT NOT NULL,
        approved_at TEXT
    )
    """,
    # What has happened so far, for metrics: rows of other tables are removed after a while.
    """
    CREATE TABLE counters (
        name TEXT NOT NULL,
        labels TEXT NOT NULL,              -- a JSON object in the order of its keys; '' without any
        value REAL NOT NULL,
        PRIMARY KEY (name, labels)
    ) WITHOUT ROWID
    """,
)
