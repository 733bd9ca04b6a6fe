"""What stands in the queue: read without a lock, for whoever wants to know; writes nothing."""

from __future__ import annotations

import json

from hotfolder.database import Database, Row, Transaction
from hotfolder.domain.work import Affinity, FailedAttempt, WorkItem
from hotfolder.queue.lanes import STATE_SQL, key_of
from hotfolder.queue.statements import (
    AHEAD_SQL,
    CANCEL_REQUESTED_SQL,
    COUNT_SQL,
    EXPIRED_SQL,
    LIST_OPEN_SQL,
    LIST_PENDING_SQL,
    POSITION_SQL,
    RUNNABLE_SQL,
    URGENT_SQL,
)


class WorkShelf:
    """The `work_queue` table as it is now."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_pending(self, lane: str, limit: int) -> list[str]:
        """Subjects of the next pending items of a lane in the order of claiming, one an item."""
        rows = self._database.query(LIST_PENDING_SQL, (lane, limit))
        return [row["correlation_id"] for row in rows]

    def queue_position(self, correlation_id: str, lane: str) -> int | None:
        """How many items of a lane stand before the first pending one of a subject; None without one."""
        row = self._database.query_one(POSITION_SQL, (correlation_id, lane))
        if row is None:
            return None
        ahead = self._database.query_one(AHEAD_SQL, (lane, row["rank"], row["place"]))
        return int(ahead["n"]) if ahead else None

    def count_open(self, lane: str | None = None) -> int:
        """How many items are waiting, scheduled or in hand."""
        found = [self._database.query_one(sql, {"lane": lane}) for sql in COUNT_SQL]
        return sum(int(row["n"]) for row in found if row)

    def count_runnable(self, one_attempt_owner: str) -> int:
        """How many items can still do something soon; of one owner's a failed attempt is enough.

        What waits for a word or for a time of its own is none of them; what is tried again after a pause is.
        """
        statuses = self._database.query_one(RUNNABLE_SQL, (self._database.now(), one_attempt_owner))
        return int(statuses["n"]) if statuses else 0

    def list_open(self, owner_module: str) -> list[WorkItem]:
        """The items of one owner that wait, are scheduled or in hand."""
        return [to_item(row) for sql in LIST_OPEN_SQL for row in self._database.query(sql, (owner_module,))]

    def list_of(self, correlation_id: str) -> list[WorkItem]:
        """All items of a subject, the oldest first."""
        sql = "SELECT * FROM work_queue WHERE correlation_id = ? ORDER BY created_at, rowid"
        return [to_item(row) for row in self._database.query(sql, (correlation_id,))]

    def list_in_hand(self, lane: str) -> list[WorkItem]:
        """The items of a lane that are in hand, the one that was claimed first before the others."""
        sql = """
            SELECT * FROM work_queue WHERE status = 'processing' AND lane = ?
            ORDER BY started_at, rank, rowid
        """
        return [to_item(row) for row in self._database.query(sql, (lane,))]

    def list_expired(self) -> list[WorkItem]:
        """Items in hand whose lease has run out: whoever held them could not say how they ended."""
        return [to_item(row) for row in self._database.query(EXPIRED_SQL, (self._database.now(),))]

    def is_expired(self, tx: Transaction, item: WorkItem) -> bool:
        """Whether an item is still in the hand that let its lease run out."""
        sql = """
            SELECT 1 FROM work_queue
            WHERE id = ? AND status = 'processing' AND lease_until < ? AND lease_token IS ?
        """
        return tx.execute(sql, (item.work_id, tx.at, item.lease_token)).fetchone() is not None

    def list_cancel_requested(self) -> set[str]:
        """Ids of the items in hand that somebody wants stopped."""
        return {row["id"] for row in self._database.query(CANCEL_REQUESTED_SQL)}

    def is_cancel_requested(self, work_id: str) -> bool:
        """Whether somebody wants this item stopped."""
        row = self._database.query_one("SELECT cancel_requested FROM work_queue WHERE id = ?", (work_id,))
        return row is not None and bool(row["cancel_requested"])

    def gives_way(self, item: WorkItem) -> bool:
        """Whether an item in hand that has not begun goes back: for a more urgent one, or for a pause."""
        state = self._database.query_one(STATE_SQL, (key_of(item.lane),))
        if state is not None and state["value"] == "paused":
            return True
        values = {"lane": item.lane, "key": key_of(item.lane), "priority": item.priority, "id": item.work_id}
        return self._database.query_one(URGENT_SQL, values) is not None


def to_item(row: Row) -> WorkItem:
    """A row as a value."""
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
        since=row["since"],
        started_at=row["started_at"],
        affinity=Affinity(row["affinity"], row["affinity_detail"] or "") if row["affinity"] else None,
        failures=tuple(FailedAttempt(**each) for each in json.loads(row["failures_json"] or "[]")),
    )
