"""Durable work items in SQLite: enqueue, claim, renew, finish, hand back, recover. Knows no kind of work.

What may be lost when the power fails (that something was claimed, a lease renewed) is not flushed to disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from hotfolder.clock import NewId, new_id, new_token
from hotfolder.database import Database, Row, Transaction, to_json
from hotfolder.domain.instants import format_instant, parse_instant
from hotfolder.domain.ranking import point_ms, rank_of
from hotfolder.domain.transitions import check_transition
from hotfolder.domain.work import (
    CRASHES_MAX,
    WORK_TRANSITIONS,
    Affinity,
    EndStatus,
    NewWork,
    WorkItem,
    WorkStatus,
)
from hotfolder.errors import QueueError
from hotfolder.events import WORK_UPDATED
from hotfolder.metrics import WORK_ENDED
from hotfolder.queue.lanes import key_of
from hotfolder.queue.shelf import WorkShelf, to_item
from hotfolder.queue.statements import (
    ADOPT_SQL,
    COMPLETE_SQL,
    DUPLICATE_SQL,
    HEAD_SQL,
    INSERT_SQL,
    LIKE_SQL,
    LOOK_SQL,
    NEAR_SQL,
    PROMOTE_SQL,
    RENEW_SQL,
    RERANK_SQL,
    TAKE_SQL,
    URGENT_SQL,
)


@dataclass(frozen=True, slots=True)
class Recovered:
    """What became of the items that an earlier run had in hand."""

    handed_back: list[WorkItem]
    cancelled: list[WorkItem]
    dead: list[WorkItem]


class WorkStore(WorkShelf):
    """The `work_queue` table; a claimed item is written only by who holds its lease token."""

    def __init__(
        self,
        database: Database,
        *,
        lease_s: float = 60.0,
        aging_s: float = 600.0,
        make_id: NewId = new_id,
        make_token: NewId = new_token,
    ) -> None:
        super().__init__(database)
        self._lease_s = lease_s
        self._point = point_ms(aging_s)
        self._make_id = make_id
        self._make_token = make_token

    def enqueue(self, tx: Transaction, work: NewWork) -> str:
        """Add an item inside the caller's transaction; gives the id of the one that has its `dedupe_key`."""
        if work.dedupe_key is not None:
            known = tx.execute(DUPLICATE_SQL, (work.dedupe_key,)).fetchone()
            if known is not None:
                return str(known["id"])
        work_id, since = self._make_id(), work.since or tx.at
        waits = work.is_waiting or (work.run_at is not None and work.run_at > tx.at)
        status = "scheduled" if waits else "pending"
        values = (
            work_id,
            work.task_type,
            work.lane,
            status,
            work.priority,
            to_json(dict(work.payload)),
            work.correlation_id,
            work.owner_module,
            work.max_attempts,
            tx.at,
            since,
            rank_of(since, work.priority, self._point),
            None if work.is_waiting else work.run_at,
            work.dedupe_key,
            work.affinity.main if work.affinity else None,
            work.affinity.detail if work.affinity else None,
            ",".join(work.tags) or None,
        )
        tx.execute(INSERT_SQL, values)
        tx.event(WORK_UPDATED, "work", work_id, {"status": status, "taskType": work.task_type})
        return work_id

    def claim(self, lane: str, near: Affinity | None = None) -> WorkItem | None:
        """Take the next pending item of a lane under a new lease; counts the attempt.

        It is the one with the lowest rank, unless there is one of its priority like `near`: that goes first.
        None from a lane that is paused; a draining one gives what got in line before it was to drain.
        """
        if not self._has_work(lane):
            return None
        with self._database.transaction(durable=False) as tx:
            return self.take(tx, lane, near)

    def take(self, tx: Transaction, lane: str, near: Affinity | None = None) -> WorkItem | None:
        """Claim inside the caller's transaction, such as the one that completes what it had in hand."""
        lane_values = {"lane": lane, "key": key_of(lane), "now": tx.at}
        head = tx.execute(HEAD_SQL, lane_values).fetchone()
        if head is None or head["is_due"]:
            self._promote(tx, lane_values)
            head = tx.execute(HEAD_SQL, lane_values).fetchone()
        if head is None:
            return None
        row = _find_like(tx, lane_values, head, near) or head
        lease = {"token": self._make_token(), "until": self._lease_end(tx.at), "at": tx.at}
        tx.execute(TAKE_SQL, {**lease, "place": row["place"]})
        item = replace(
            to_item(row),
            status="processing",
            attempt_count=row["attempt_count"] + 1,
            lease_token=lease["token"],
            started_at=tx.at,
            has_overtaken=row is not head,
        )
        told = {
            "status": "processing",
            "from": "pending",
            "taskType": item.task_type,
            "attempt": item.attempt_count,
        }
        tx.event(WORK_UPDATED, "work", item.work_id, told)
        return item

    def renew(self, items: list[WorkItem]) -> list[WorkItem]:
        """Extend the leases of items in hand; gives back those whose lease is no longer ours."""
        lost = []
        with self._database.transaction(durable=False) as tx:
            for item in items:
                values = {
                    "until": self._lease_end(tx.at),
                    "id": item.work_id,
                    "token": item.lease_token,
                }
                if tx.execute(RENEW_SQL, values).rowcount == 0:
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

    def suspend(self, tx: Transaction, correlation_id: str, task_type: str) -> int:
        """Keep the items of a subject and kind that nobody holds from being claimed; gives their number."""
        items = self._list_waiting(tx, correlation_id, task_type)
        for item in items:
            if item.status == "pending":
                self._leave(tx, item, "scheduled", None)
            sql = "UPDATE work_queue SET run_at = NULL, completed_at = NULL WHERE id = ?"
            tx.execute(sql, (item.work_id,))
        return len(items)

    def resume(
        self,
        tx: Transaction,
        correlation_id: str,
        task_type: str,
        run_at: str | None = None,
        *,
        since: str | None = None,
    ) -> int:
        """Let the suspended items of a subject and kind go on, now or at an instant; gives their number.

        They keep their place in line, unless they are in it `since` another instant.
        """
        sql = """
            UPDATE work_queue SET run_at = ?
            WHERE correlation_id = ? AND task_type = ? AND status = 'scheduled' AND run_at IS NULL
            RETURNING id, task_type, priority
        """
        rows = tx.execute(sql, (run_at or tx.at, correlation_id, task_type)).fetchall()
        for row in rows:
            if since is not None:
                place = (since, rank_of(since, row["priority"], self._point), row["id"])
                tx.execute("UPDATE work_queue SET since = ?, rank = ? WHERE id = ?", place)
        if run_at is None or run_at <= tx.at:
            for row in rows:
                tx.execute("UPDATE work_queue SET status = 'pending' WHERE id = ?", (row["id"],))
                tx.event(WORK_UPDATED, "work", row["id"], _told_pending("scheduled", row))
        return len(rows)

    def reprioritise(self, tx: Transaction, correlation_id: str, priority: int) -> None:
        """Give every item of a subject that has not ended another priority; its place in line follows."""
        sql = """
            UPDATE work_queue SET rank = rank + (priority - :priority) * :point, priority = :priority
            WHERE correlation_id = :subject AND status IN ('pending', 'scheduled', 'processing')
        """
        tx.execute(sql, {"priority": priority, "point": self._point, "subject": correlation_id})

    def requeue(self, tx: Transaction, work_id: str, actor: str | None = None) -> None:
        """Give a dead item all of its attempts again.

        Raises QueueError for one that is not dead, or whose `dedupe_key` another open item has by now.
        """
        sql = """
            UPDATE work_queue
            SET status = 'pending', attempt_count = 0, crash_count = 0, cancel_requested = 0,
                failures_json = NULL, error_message = NULL, started_at = NULL, completed_at = NULL,
                run_at = :at
            WHERE id = :id AND status = 'dead' AND NOT EXISTS (
                SELECT 1 FROM work_queue another
                WHERE another.dedupe_key = work_queue.dedupe_key
                  AND another.status IN ('pending', 'scheduled', 'processing')
            )
            RETURNING task_type
        """
        row = tx.execute(sql, {"at": tx.at, "id": work_id}).fetchone()
        if row is None:
            raise QueueError(
                f"Work item {work_id} is not dead, or the same work is in the queue again already.",
                hint="Only dead work can be requeued.",
            )
        tx.event(WORK_UPDATED, "work", work_id, _told_pending("dead", row), actor)

    def bury(self, tx: Transaction, correlation_id: str) -> None:
        """Dead work of a subject that is made anew as another is no longer to be requeued: it failed."""
        sql = "UPDATE work_queue SET status = 'failed' WHERE correlation_id = ? AND status = 'dead'"
        tx.execute(sql, (correlation_id,))

    def rerank(self, tx: Transaction) -> None:
        """Put what waits in the order of `aging_s`, if that has changed since it was last in order."""
        tx.execute(ADOPT_SQL, {"point": self._point})
        point = str(self._point)
        row = tx.execute("SELECT value FROM app_settings WHERE key = 'queue.pointMs'").fetchone()
        if row is not None and row["value"] == point:
            return
        tx.execute(RERANK_SQL, {"point": self._point})
        tx.execute("INSERT OR REPLACE INTO app_settings (key, value) VALUES ('queue.pointMs', ?)", (point,))

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
        for item in map(to_item, rows):
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
        items = self._list_waiting(tx, correlation_id, task_type)
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

    def void(self, tx: Transaction, item: WorkItem) -> bool:
        """Take the lease from whoever holds the item, who may write nothing of it any more; False: too late.

        It stays in hand, without a token and expired: its worker interrupts it at the next heartbeat, and
        records a failed attempt once it has let go.
        """
        sql = """
            UPDATE work_queue SET lease_token = NULL, lease_until = :at
            WHERE id = :id AND status = 'processing' AND lease_token = :token
        """
        values = {"at": tx.at, "id": item.work_id, "token": item.lease_token}
        return tx.execute(sql, values).rowcount > 0

    def _has_work(self, lane: str) -> bool:
        """Whether there is something to claim; a lane in which there is nothing costs a look, no lock."""
        values = {"lane": lane, "key": key_of(lane), "now": self._database.now()}
        look = self._database.query_one(LOOK_SQL, values)
        return look is not None and bool(look["is_any"])

    def _promote(self, tx: Transaction, lane_values: Mapping[str, str]) -> None:
        """What was to wait until now is in line from now on."""
        for row in tx.execute(PROMOTE_SQL, lane_values).fetchall():
            tx.event(WORK_UPDATED, "work", row["id"], _told_pending("scheduled", row))

    def _list_waiting(self, tx: Transaction, correlation_id: str, task_type: str) -> list[WorkItem]:
        """The items of a subject and kind that nobody holds."""
        sql = """
            SELECT * FROM work_queue
            WHERE correlation_id = ? AND task_type = ? AND status IN ('pending', 'scheduled')
        """
        return [to_item(row) for row in tx.execute(sql, (correlation_id, task_type)).fetchall()]

    def _leave(self, tx: Transaction, item: WorkItem, status: WorkStatus, message: str | None) -> None:
        """Change the status of an item that is waiting or in hand; checks the table and the lease."""
        check_transition(WORK_TRANSITIONS, item.status, status)
        values = {
            "status": status,
            "message": message,
            "at": tx.at,
            "id": item.work_id,
            "from": item.status,
            "token": item.lease_token,
        }
        changed = tx.execute(COMPLETE_SQL, values).rowcount
        if changed == 0:
            raise QueueError(f"The lease on work item {item.work_id} ({item.task_type}) is no longer held.")
        tx.event(WORK_UPDATED, "work", item.work_id, _told(item, status, message))
        if status in ("failed", "cancelled", "dead"):
            tx.count(WORK_ENDED, {"lane": item.lane, "status": status})

    def _lease_end(self, at: str) -> str:
        return format_instant(parse_instant(at) + timedelta(seconds=self._lease_s))


def _told_pending(before: WorkStatus, row: Row) -> dict[str, Any]:
    return {"status": "pending", "from": before, "taskType": row["task_type"]}


def _told(item: WorkItem, status: WorkStatus, message: str | None) -> dict[str, Any]:
    """What an event says of an item that is left: the attempt it was at, and how that failed."""
    told = {
        "status": status,
        "from": item.status,
        "taskType": item.task_type,
        "attempt": item.attempt_count,
    }
    if message:
        told["error"] = message.partition("\n")[0]
        if item.failures and item.failures[-1].attempt == item.attempt_count:
            told["code"] = item.failures[-1].code
    return told


def _find_like(tx: Transaction, lane: Mapping[str, str], head: Row, near: Affinity | None) -> Row | None:
    """The item that shares most with `near` among those of the head's priority; None: the head itself.

    One that would have to give way to a more urgent one at once is better not taken: see `gives_way`.
    """
    if near is None or head["affinity"] is None:
        return None
    if (head["affinity"], head["affinity_detail"]) == (near.main, near.detail):
        return None
    wanted = {**lane, "priority": head["priority"], "main": near.main, "detail": near.detail}
    found: Row | None = tx.execute(LIKE_SQL, wanted).fetchone() or tx.execute(NEAR_SQL, wanted).fetchone()
    if found is None or found["place"] == head["place"]:
        return None
    has_more_urgent = tx.execute(URGENT_SQL, {**wanted, "id": found["id"]}).fetchone() is not None
    return None if has_more_urgent else found
