"""Durable work items in SQLite: enqueue, claim, renew, finish, hand back, recover. Knows no kind of work."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from hotfolder.clock import NewId, new_id
from hotfolder.database import Database, Row, Transaction, to_json
from hotfolder.domain.instants import format_instant, parse_instant
from hotfolder.domain.transitions import check_transition
from hotfolder.domain.work import (
    CRASHES_MAX,
    WORK_TRANSITIONS,
    Affinity,
    EndStatus,
    FailedAttempt,
    NewWork,
    WorkItem,
    WorkStatus,
)
from hotfolder.errors import QueueError
from hotfolder.events import WORK_UPDATED

CLAIM_SQL = """
    UPDATE work_queue
    SET status = 'processing', attempt_count = attempt_count + 1,
        lease_token = :token, lease_until = :until, started_at = :at, error_message = NULL
    WHERE id = :id
    RETURNING *
"""
HEAD_SQL = """
    SELECT id, priority, affinity, affinity_detail FROM work_queue
    WHERE status = 'pending' AND lane = :lane
    ORDER BY priority DESC, created_at, rowid
    LIMIT 1
"""
LIKE_SQL = """
    SELECT id FROM work_queue
    WHERE status = 'pending' AND lane = :lane AND priority = :priority AND affinity = :main
      AND affinity_detail = :detail
    ORDER BY created_at, rowid
    LIMIT 1
"""
NEAR_SQL = """
    SELECT id FROM work_queue
    WHERE status = 'pending' AND lane = :lane AND priority = :priority AND affinity = :main
    ORDER BY created_at, rowid
    LIMIT 1
"""
LIST_PENDING_SQL = """
    SELECT correlation_id FROM work_queue
    WHERE status = 'pending' AND lane = ?
    ORDER BY priority DESC, created_at, rowid
    LIMIT ?
"""
HAS_PENDING_SQL = "SELECT 1 FROM work_queue WHERE status = 'pending' AND lane = ? LIMIT 1"


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of the items that an earlier run had in hand."""

    handed_back: list[WorkItem]
    cancelled: list[WorkItem]
    dead: list[WorkItem]


class WorkStore:
    """The `work_queue` table; a claimed item is written only by who holds its lease token."""

    def __init__(self, database: Database, *, lease_s: float = 60.0, make_id: NewId = new_id) -> None:
        self._database = database
        self._lease_s = lease_s
        self._make_id = make_id

    def enqueue(self, tx: Transaction, work: NewWork) -> str:
        """Add a pending item inside the caller's transaction."""
        work_id = self._make_id()
        tx.execute(
            """
            INSERT INTO work_queue (id, task_type, lane, status, priority, payload_json, correlation_id,
                                    owner_module, max_attempts, created_at, affinity, affinity_detail)
            VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                work_id,
                work.task_type,
                work.lane,
                work.priority,
                to_json(dict(work.payload)),
                work.correlation_id,
                work.owner_module,
                work.max_attempts,
                tx.at,
                work.affinity.main if work.affinity else None,
                work.affinity.detail if work.affinity else None,
            ),
        )
        tx.event(WORK_UPDATED, "work", work_id, {"status": "pending", "taskType": work.task_type})
        return work_id

    def claim(self, lane: str, near: Affinity | None = None) -> WorkItem | None:
        """Take the next pending item of a lane under a new lease; counts the attempt.

        Of those of the highest priority it is the oldest, unless there is one like `near`: that goes first.
        """
        self._promote(lane)
        if self._database.query_one(HAS_PENDING_SQL, (lane,)) is None:
            return None
        with self._database.transaction() as tx:
            head = tx.execute(HEAD_SQL, {"lane": lane}).fetchone()
            if head is None:
                return None
            work_id = _find_like(tx, lane, head, near)
            values = {"token": self._make_id(), "until": self._lease_end(tx.at), "at": tx.at, "id": work_id}
            row = tx.execute(CLAIM_SQL, values).fetchone()
            tx.event(WORK_UPDATED, "work", row["id"], {"status": "processing", "taskType": row["task_type"]})
            return replace(_to_item(row), has_overtaken=work_id != head["id"])

    def renew(self, items: list[WorkItem]) -> list[WorkItem]:
        """Extend the leases of items in hand; gives back those whose lease is no longer ours."""
        lost = []
        with self._database.transaction() as tx:
            for item in items:
                sql = "UPDATE work_queue SET lease_until = ? WHERE id = ? AND lease_token = ?"
                if tx.execute(sql, (self._lease_end(tx.at), item.work_id, item.lease_token)).rowcount == 0:
                    lost.append(item)
        return lost

    def complete(self, tx: Transaction, item: WorkItem) -> None:
        """The work is done; raises QueueError when the lease was lost meanwhile."""
        self._leave(tx, item, "completed", None)

    def end(self, tx: Transaction, item: WorkItem, status: EndStatus, message: str) -> None:
        """The work ends without success."""
        self._leave(tx, item, status, message)

    def retry(self, tx: Transaction, item: WorkItem, delay_s: float, message: str) -> None:
        """Another attempt after a pause; what failed before is kept with the item."""
        self._leave(tx, item, "scheduled", message)
        run_at = format_instant(parse_instant(tx.at) + timedelta(seconds=delay_s))
        tx.execute(
            "UPDATE work_queue SET run_at = ?, completed_at = NULL, failures_json = ? WHERE id = ?",
            (run_at, to_json([asdict(each) for each in item.failures]), item.work_id),
        )

    def postpone(self, tx: Transaction, item: WorkItem, delay_s: float, message: str) -> None:
        """The same attempt again after a pause: it met what is not its fault."""
        self.retry(tx, item, delay_s, message)
        tx.execute("UPDATE work_queue SET attempt_count = attempt_count - 1 WHERE id = ?", (item.work_id,))

    def hand_back(self, tx: Transaction, item: WorkItem) -> None:
        """The item goes back to the queue as if it had not been claimed."""
        self._leave(tx, item, "pending", None)
        tx.execute(
            """
            UPDATE work_queue
            SET attempt_count = attempt_count - 1, started_at = NULL, completed_at = NULL
            WHERE id = ?
            """,
            (item.work_id,),
        )

    def recover(self, tx: Transaction) -> Recovered:
        """At start, with the library locked: every lease of an earlier run is void, and spends no attempt."""
        sql = "SELECT * FROM work_queue WHERE status = 'processing' ORDER BY started_at, rowid"
        rows = tx.execute(sql).fetchall()
        found = Recovered([], [], [])
        for item in map(_to_item, rows):
            tx.execute("UPDATE work_queue SET crash_count = crash_count + 1 WHERE id = ?", (item.work_id,))
            if item.cancel_requested:
                self.end(tx, item, "cancelled", "cancelled while hotfolder was not running")
                found.cancelled.append(item)
            elif item.crash_count + 1 >= CRASHES_MAX:
                self.end(tx, item, "dead", f"hotfolder died {CRASHES_MAX} times with this item in hand")
                found.dead.append(item)
            else:
                self.hand_back(tx, item)
                found.handed_back.append(item)
        return found

    def cancel_waiting(self, tx: Transaction, correlation_id: str, task_type: str) -> list[WorkItem]:
        """Cancel every item of a subject and kind that nobody holds; gives them."""
        sql = """
            SELECT * FROM work_queue
            WHERE correlation_id = ? AND task_type = ? AND status IN ('pending', 'scheduled')
        """
        items = [_to_item(row) for row in tx.execute(sql, (correlation_id, task_type)).fetchall()]
        for item in items:
            self._leave(tx, item, "cancelled", "cancelled before it started")
        return items

    def request_cancel(self, tx: Transaction, correlation_id: str, task_type: str) -> int:
        """Wish that the items in hand of a subject and kind stop; gives their number."""
        sql = """
            UPDATE work_queue SET cancel_requested = 1
            WHERE correlation_id = ? AND task_type = ? AND status = 'processing'
        """
        return tx.execute(sql, (correlation_id, task_type)).rowcount

    def has_more_urgent(self, item: WorkItem) -> bool:
        """Whether an item of a higher priority waits in the same lane."""
        sql = "SELECT 1 FROM work_queue WHERE status = 'pending' AND lane = ? AND priority > ? LIMIT 1"
        return self._database.query_one(sql, (item.lane, item.priority)) is not None

    def list_expired(self) -> list[WorkItem]:
        """Items in hand whose lease has run out: whoever held them could not say how they ended."""
        sql = "SELECT * FROM work_queue WHERE status = 'processing' AND lease_until < ?"
        return [_to_item(row) for row in self._database.query(sql, (self._database.now(),))]

    def list_open(self, owner_module: str) -> list[WorkItem]:
        """The items of one owner that wait, are scheduled or in hand."""
        sql = """
            SELECT * FROM work_queue
            WHERE owner_module = ? AND status IN ('pending', 'scheduled', 'processing')
        """
        return [_to_item(row) for row in self._database.query(sql, (owner_module,))]

    def list_cancel_requested(self) -> set[str]:
        """Ids of the items in hand that somebody wants stopped."""
        sql = "SELECT id FROM work_queue WHERE status = 'processing' AND cancel_requested = 1"
        return {row["id"] for row in self._database.query(sql)}

    def is_cancel_requested(self, work_id: str) -> bool:
        """Whether somebody wants this item stopped."""
        row = self._database.query_one("SELECT cancel_requested FROM work_queue WHERE id = ?", (work_id,))
        return row is not None and bool(row["cancel_requested"])

    def count_runnable(self, one_attempt_owner: str) -> int:
        """How many items can still do something now; of one owner's a failed attempt is enough."""
        row = self._database.query_one(
            """
            SELECT count(*) AS n FROM work_queue
            WHERE status IN ('pending', 'processing')
               OR (status = 'scheduled' AND NOT (owner_module = ? AND attempt_count > 0))
            """,
            (one_attempt_owner,),
        )
        return int(row["n"]) if row else 0

    def count_open(self, lane: str | None = None) -> int:
        """How many items are waiting, scheduled or in hand."""
        sql = "SELECT count(*) AS n FROM work_queue WHERE status IN ('pending', 'scheduled', 'processing')"
        row = self._database.query_one(sql + (" AND lane = ?" if lane else ""), (lane,) if lane else ())
        return int(row["n"]) if row else 0

    def queue_position(self, correlation_id: str, lane: str) -> int | None:
        """How many items of a lane stand before the first pending one of a subject; None without one."""
        row = self._database.query_one(
            """
            SELECT priority, created_at, rowid AS place FROM work_queue
            WHERE correlation_id = ? AND lane = ? AND status = 'pending'
            ORDER BY priority DESC, created_at, rowid LIMIT 1
            """,
            (correlation_id, lane),
        )
        if row is None:
            return None
        ahead = self._database.query_one(
            """
            SELECT count(*) AS n FROM work_queue
            WHERE status = 'pending' AND lane = ?
              AND (priority > ? OR (priority = ? AND (created_at, rowid) < (?, ?)))
            """,
            (lane, row["priority"], row["priority"], row["created_at"], row["place"]),
        )
        return int(ahead["n"]) if ahead else None

    def list_pending(self, lane: str, limit: int) -> list[str]:
        """Subjects of the next pending items of a lane in the order of claiming, one an item."""
        rows = self._database.query(LIST_PENDING_SQL, (lane, limit))
        return [row["correlation_id"] for row in rows]

    def _promote(self, lane: str) -> None:
        sql = "SELECT id FROM work_queue WHERE status = 'scheduled' AND lane = ? AND run_at <= ? LIMIT 1"
        now = self._database.now()
        if not self._database.query(sql, (lane, now)):
            return
        with self._database.transaction() as tx:
            rows = tx.execute(
                """
                UPDATE work_queue SET status = 'pending'
                WHERE status = 'scheduled' AND lane = ? AND run_at <= ?
                RETURNING id, task_type
                """,
                (lane, now),
            ).fetchall()
            for row in rows:
                tx.event(WORK_UPDATED, "work", row["id"], {"status": "pending", "taskType": row["task_type"]})

    def _leave(self, tx: Transaction, item: WorkItem, status: WorkStatus, message: str | None) -> None:
        """Change the status of an item that is waiting or in hand; checks the table and the lease."""
        check_transition(WORK_TRANSITIONS, item.status, status)
        changed = tx.execute(
            """
            UPDATE work_queue
            SET status = ?, error_message = ?, completed_at = ?, lease_token = NULL, lease_until = NULL
            WHERE id = ? AND status = ? AND lease_token IS ?
            """,
            (status, message, tx.at, item.work_id, item.status, item.lease_token),
        ).rowcount
        if changed == 0:
            raise QueueError(f"The lease on work item {item.work_id} ({item.task_type}) is no longer held.")
        tx.event(WORK_UPDATED, "work", item.work_id, {"status": status, "taskType": item.task_type})

    def _lease_end(self, at: str) -> str:
        return format_instant(parse_instant(at) + timedelta(seconds=self._lease_s))


def _find_like(tx: Transaction, lane: str, head: Row, near: Affinity | None) -> str:
    """The item that shares most with `near` among those of the head's priority."""
    head_id = str(head["id"])
    if near is None or head["affinity"] is None:
        return head_id
    if (head["affinity"], head["affinity_detail"]) == (near.main, near.detail):
        return head_id
    values = {"lane": lane, "priority": head["priority"], "main": near.main, "detail": near.detail}
    found = tx.execute(LIKE_SQL, values).fetchone() or tx.execute(NEAR_SQL, values).fetchone()
    return str(found["id"]) if found else head_id


def _to_item(row: Row) -> WorkItem:
    return WorkItem(
        work_id=row["id"],
        task_type=row["task_type"],
        lane=row["lane"],
        status=row["status"],
        priority=row["priority"],
        payload=json.loads(row["payload_json"]),
        correlation_id=row["correlation_id"],
        attempt_count=row["attempt_count"],
        max_attempts=row["max_attempts"],
        crash_count=row["crash_count"],
        cancel_requested=bool(row["cancel_requested"]),
        lease_token=row["lease_token"],
        created_at=row["created_at"],
        started_at=row["started_at"],
        affinity=Affinity(row["affinity"], row["affinity_detail"] or "") if row["affinity"] else None,
        failures=tuple(FailedAttempt(**each) for each in json.loads(row["failures_json"] or "[]")),
    )
