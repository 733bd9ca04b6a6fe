"""The statements of the queue whose plans matter: each is looked up in a partial index, without sorting."""

from __future__ import annotations

from typing import Final

OPEN: Final = ("pending", "scheduled", "processing")
# What of a lane may be claimed: what got in line until then.
_CUTOFF = """
    coalesce((
        SELECT CASE value WHEN 'paused' THEN '' WHEN 'draining' THEN at ELSE '9999' END
        FROM control WHERE key = :key
    ), '9999')
"""
_IN_LINE = f"status = 'pending' AND lane = :lane AND since <= {_CUTOFF}"
_FIRST = "ORDER BY rank, rowid LIMIT 1"
_IS_DUE = "EXISTS (SELECT 1 FROM work_queue WHERE status = 'scheduled' AND lane = :lane AND run_at <= :now)"
LOOK_SQL = f"SELECT {_IS_DUE} OR EXISTS (SELECT 1 FROM work_queue WHERE {_IN_LINE}) AS is_any"
HEAD_SQL = f"SELECT rowid AS place, *, {_IS_DUE} AS is_due FROM work_queue WHERE {_IN_LINE} {_FIRST}"
NEAR_SQL = f"""
    SELECT rowid AS place, * FROM work_queue
    WHERE {_IN_LINE} AND priority = :priority AND affinity = :main
    {_FIRST}
"""
LIKE_SQL = f"""
    SELECT rowid AS place, * FROM work_queue
    WHERE {_IN_LINE} AND priority = :priority AND affinity = :main AND affinity_detail = :detail
    {_FIRST}
"""
TAKE_SQL = """
    UPDATE work_queue
    SET status = 'processing', attempt_count = attempt_count + 1,
        lease_token = :token, lease_until = :until, started_at = :at, error_message = NULL
    WHERE rowid = :place
"""
COMPLETE_SQL = """
    UPDATE work_queue
    SET status = :status, error_message = :message, completed_at = :at, lease_token = NULL, lease_until = NULL
    WHERE id = :id AND status = :from AND lease_token IS :token
"""
LIST_PENDING_SQL = """
    SELECT correlation_id FROM work_queue
    WHERE status = 'pending' AND lane = ?
    ORDER BY rank, rowid
    LIMIT ?
"""
PROMOTE_SQL = """
    UPDATE work_queue SET status = 'pending'
    WHERE status = 'scheduled' AND lane = :lane AND run_at <= :now
    RETURNING id, task_type
"""
INSERT_SQL = """
    INSERT INTO work_queue (id, task_type, lane, status, priority, payload_json, correlation_id,
                            owner_module, max_attempts, created_at, since, rank, run_at, dedupe_key,
                            affinity, affinity_detail, tags)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
RENEW_SQL = "UPDATE work_queue SET lease_until = :until WHERE id = :id AND lease_token = :token"
EXPIRED_SQL = "SELECT * FROM work_queue WHERE status = 'processing' AND lease_until < ?"
CANCEL_REQUESTED_SQL = "SELECT id FROM work_queue WHERE status = 'processing' AND cancel_requested = 1"
DUPLICATE_SQL = """
    SELECT id FROM work_queue
    WHERE dedupe_key = ? AND status IN ('pending', 'scheduled', 'processing')
"""
POSITION_SQL = """
    SELECT rank, rowid AS place FROM work_queue
    WHERE correlation_id = ? AND lane = ? AND +status = 'pending'
    ORDER BY rank, rowid
    LIMIT 1
"""
AHEAD_SQL = """
    SELECT count(*) AS n FROM work_queue
    WHERE status = 'pending' AND lane = ? AND (rank, rowid) < (?, ?)
"""
URGENT_SQL = f"""
    SELECT 1 FROM work_queue
    WHERE {_IN_LINE} AND priority > :priority AND rank < (SELECT rank FROM work_queue WHERE id = :id)
    LIMIT 1
"""
# What has ended is in no index of these: a statement for each status looks at what is open alone.
COUNT_SQL = tuple(
    f"SELECT count(*) AS n FROM work_queue WHERE status = '{status}' AND (:lane IS NULL OR lane = :lane)"
    for status in OPEN
)
_MAY_BE_CLAIMED = """
    since <= coalesce((
        SELECT CASE value WHEN 'paused' THEN '' WHEN 'draining' THEN at ELSE '9999' END
        FROM control WHERE key = 'lane.' || lane
    ), '9999')
"""
RUNNABLE_SQL = f"""
    SELECT (SELECT count(*) FROM work_queue WHERE status = 'pending' AND {_MAY_BE_CLAIMED})
        + (SELECT count(*) FROM work_queue WHERE status = 'processing')
        + (
            SELECT count(*) FROM work_queue
            WHERE status = 'scheduled' AND run_at IS NOT NULL AND (error_message IS NOT NULL OR run_at <= ?)
              AND NOT (+owner_module = ? AND attempt_count > 0) AND {_MAY_BE_CLAIMED}
        ) AS n
"""
LIST_OPEN_SQL = tuple(
    f"SELECT * FROM work_queue WHERE status = '{status}' AND +owner_module = ?" for status in OPEN
)
# Rows that a program of before m005 has written since.
ADOPT_SQL = """
    UPDATE work_queue SET since = created_at,
        rank = strftime('%s', created_at) * 1000 + CAST(substr(created_at, 21, 3) AS INTEGER)
            - priority * :point
    WHERE since IS NULL AND status IN ('pending', 'scheduled', 'processing')
"""
RERANK_SQL = """
    UPDATE work_queue
    SET rank = strftime('%s', since) * 1000 + CAST(substr(since, 21, 3) AS INTEGER) - priority * :point
    WHERE status IN ('pending', 'scheduled', 'processing')
"""
