"""Any sequence of steps keeps an item in one status and at most one hand, and claims come as promised."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hotfolder.database import Database
from hotfolder.domain.instants import format_instant
from hotfolder.domain.work import CRASHES_MAX, NewWork, end_of_failure
from hotfolder.errors import QueueError
from hotfolder.migrations import migrate
from hotfolder.queue.lanes import LaneBook
from hotfolder.queue.store import WorkStore

LEASE_S = 60
LANES, SUBJECTS, KEYS = ("gpu", "io"), ("a", "b"), ("x", "y")
ENDED = ("completed", "failed", "cancelled", "dead")
lanes, subjects = st.sampled_from(LANES), st.sampled_from(SUBJECTS)
priorities, short_s = st.integers(-2, 2), st.integers(0, 5)


@dataclass
class _Believed:
    """What an item should be, by the contract alone."""

    arrival: int
    lane: str
    subject: str
    priority: int
    since: datetime
    status: str
    run_at: datetime | None = None
    key: str | None = None
    attempts: int = 0
    crashes: int = 0
    is_to_cancel: bool = False
    lease_until: datetime | None = None

    @property
    def is_open(self):
        return self.status not in ENDED

    @property
    def is_due_or_waits_for_a_time(self):
        return self.is_open and not (self.status == "scheduled" and self.run_at is None)


class QueueMachine(RuleBasedStateMachine):
    """With ageing: ten minutes of waiting are worth a point of priority."""

    aging_s = 600.0

    def __init__(self):
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        path = self.folder / "library.db"
        migrate(path)
        self.now = datetime(2026, 11, 21, tzinfo=UTC)
        self.database = Database(path, clock=lambda: self.now)
        self.store = WorkStore(self.database, lease_s=LEASE_S, aging_s=self.aging_s)
        self.book = LaneBook(self.database)
        self.believed = {}
        self.wishes = dict.fromkeys(LANES, ("running", None))
        self.held = {}
        self.lost = []
        self.finished = {}

    def teardown(self):
        self.database.close()
        shutil.rmtree(self.folder)

    # Getting in line

    @rule(
        lane=lanes,
        subject=subjects,
        priority=priorities,
        delay_s=st.none() | short_s,
        is_waiting=st.sampled_from([False, False, False, True]),
        key=st.none() | st.sampled_from(KEYS),
    )
    def enqueue(self, lane, subject, priority, delay_s, is_waiting, key):
        run_at = None if delay_s is None else self.now + timedelta(seconds=delay_s)
        known = [
            work_id for work_id, each in self.believed.items() if key and each.key == key and each.is_open
        ]
        new = NewWork(
            "paint",
            lane,
            {},
            "tests",
            subject,
            priority,
            run_at=run_at and format_instant(run_at),
            is_waiting=is_waiting,
            dedupe_key=key,
        )

        work_id = self._do("enqueue", new)

        if known:
            assert [work_id] == known
            return
        waits = is_waiting or bool(delay_s)
        self.believed[work_id] = _Believed(
            len(self.believed), lane, subject, priority, self.now, "scheduled" if waits else "pending"
        )
        self.believed[work_id].run_at = None if is_waiting else run_at
        self.believed[work_id].key = key

    @rule(subject=subjects)
    def suspend(self, subject):
        waiting = self._those(subject, "pending", "scheduled")
        assert self._do("suspend", subject, "paint") == len(waiting)
        for each in waiting.values():
            each.status, each.run_at = "scheduled", None

    @rule(subject=subjects, delay_s=st.none() | short_s)
    def resume(self, subject, delay_s):
        run_at = None if delay_s is None else self.now + timedelta(seconds=delay_s)
        suspended = [each for each in self._those(subject, "scheduled").values() if each.run_at is None]
        assert self._do("resume", subject, "paint", run_at and format_instant(run_at)) == len(suspended)
        for each in suspended:
            each.run_at = run_at or self.now
            each.status = "scheduled" if delay_s else "pending"

    @rule(subject=subjects, priority=priorities)
    def reprioritise(self, subject, priority):
        self._do("reprioritise", subject, priority)
        for each in self._those(subject, "pending", "scheduled", "processing").values():
            each.priority = priority

    @rule(seconds=st.integers(1, 4) | st.sampled_from([30, LEASE_S + 1, 700]))
    def clock_moves(self, seconds):
        self.now += timedelta(seconds=seconds)

    # In hand

    @rule(lane=lanes)
    def claim(self, lane):
        for each in self.believed.values():
            is_due = each.status == "scheduled" and each.run_at is not None and each.run_at <= self.now
            if each.lane == lane and is_due:
                each.status = "pending"
        wish, at = self.wishes[lane]
        in_line = [
            work_id
            for work_id in self._line(lane)
            if wish == "running" or (wish == "draining" and self.believed[work_id].since <= at)
        ]

        item = self.store.claim(lane)

        assert (item.work_id if item else None) == next(iter(in_line), None)
        if item is not None:
            believed = self.believed[item.work_id]
            believed.status, believed.attempts = "processing", believed.attempts + 1
            believed.lease_until = self.now + timedelta(seconds=LEASE_S)
            assert (item.attempt_count, item.priority) == (believed.attempts, believed.priority)
            self.held[item.work_id] = item

    @precondition(lambda self: self.held)
    @rule()
    def renew(self):
        assert self.store.renew([*self.held.values(), *self.lost]) == self.lost
        for work_id in self.held:
            self.believed[work_id].lease_until = self.now + timedelta(seconds=LEASE_S)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def complete(self, data):
        item = self._drop(data, "completed")
        self._do("complete", item)
        self._keep(item.work_id)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), status=st.sampled_from(["failed", "cancelled", "dead", "dead"]))
    def fail(self, data, status):
        item = self._drop(data, status)
        self._do("end", item, status, "it broke")
        self._keep(item.work_id)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), delay_s=short_s, name=st.sampled_from(["retry", "postpone"]))
    def retry(self, data, delay_s, name):
        item = self._drop(data, "scheduled")
        believed = self.believed[item.work_id]
        believed.run_at = self.now + timedelta(seconds=delay_s)
        believed.attempts -= name == "postpone"
        self._do(name, item, delay_s, "again")

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def hand_back(self, data):
        item = self._drop(data, "pending")
        self.believed[item.work_id].attempts -= 1
        self._do("hand_back", item)

    @rule()
    def take_up_expired(self):
        """As a worker does it that finds leases which nobody has renewed."""
        expired = self.store.list_expired()
        believed = {work_id for work_id in self.held if self.believed[work_id].lease_until < self.now}
        assert {item.work_id for item in expired} == believed
        for item in expired:
            assert self._do("is_expired", item)
            self.lost.append(self.held.pop(item.work_id))
            each = self.believed[item.work_id]
            if end_of_failure(item, retryable=True) == "dead":
                each.status = "dead"
                self._do("end", item, "dead", "the lease has run out")
                self._keep(item.work_id)
            else:
                each.status, each.run_at = "scheduled", self.now
                self._do("retry", item, 0, "the lease has run out")
            assert not self._do("is_expired", item)

    @rule()
    def crash_and_recover(self):
        found = self._do("recover")
        told = found.handed_back + found.dead + found.cancelled
        assert sorted(item.work_id for item in told) == sorted(self.held)
        for work_id, item in self.held.items():
            each = self.believed[work_id]
            each.crashes += 1
            if each.is_to_cancel:
                each.status = "cancelled"
            elif each.crashes >= CRASHES_MAX:
                each.status = "dead"
            else:
                each.status, each.attempts = "pending", each.attempts - 1
            if not each.is_open:
                self._keep(work_id)
            self.lost.append(item)
        self.held = {}

    @precondition(lambda self: self.lost)
    @rule(data=st.data(), name=st.sampled_from(["complete", "hand_back"]))
    def write_without_the_lease(self, data, name):
        item = data.draw(st.sampled_from(self.lost))
        with pytest.raises(QueueError):
            self._do(name, item)
        assert self.store.renew([item]) == [item]

    # What people want

    @rule(subject=subjects)
    def cancel_waiting(self, subject):
        waiting = self._those(subject, "pending", "scheduled")
        assert {item.work_id for item in self._do("cancel_waiting", subject, "paint")} == set(waiting)
        for work_id, each in waiting.items():
            each.status = "cancelled"
            self._keep(work_id)

    @rule(subject=subjects)
    def request_cancel(self, subject):
        held = self._those(subject, "processing")
        assert self._do("request_cancel", subject, "paint") == len(held)
        for each in held.values():
            each.is_to_cancel = True
        wanted = {key for key, each in self.believed.items() if each.is_to_cancel and key in self.held}
        assert self.store.list_cancel_requested() == wanted

    @precondition(lambda self: any(not each.is_open for each in self.believed.values()))
    @rule(data=st.data())
    def requeue(self, data):
        ended = sorted(work_id for work_id, each in self.believed.items() if not each.is_open)
        work_id = data.draw(st.sampled_from(ended))
        each = self.believed[work_id]
        is_back = any(
            other.is_open and each.key and other.key == each.key for other in self.believed.values()
        )
        if each.status != "dead" or is_back:
            with pytest.raises(QueueError):
                self._do("requeue", work_id)
            return
        self._do("requeue", work_id)
        del self.finished[work_id]
        self.believed[work_id] = replace(
            each, status="pending", attempts=0, crashes=0, is_to_cancel=False, run_at=None
        )

    @rule(lane=lanes, state=st.sampled_from(["running", "paused", "draining"]))
    def want_lane(self, lane, state):
        if self.wishes[lane][0] != state:
            self.wishes[lane] = (state, self.now)
        assert self.book.put(lane, state, "anna").state == state

    @rule()
    def settle_lanes(self):
        self.book.settle(LANES)
        draining = {lane: at for lane, (state, at) in self.wishes.items() if state == "draining"}
        has_open = any(
            each.lane in draining and each.since <= draining[each.lane] and each.is_due_or_waits_for_a_time
            for each in self.believed.values()
        )
        if not has_open:
            self.wishes |= dict.fromkeys(draining, ("paused", self.now))

    # What always holds

    @invariant()
    def every_item_is_what_it_should_be(self):
        sql = "SELECT id, status, attempt_count, crash_count, priority, cancel_requested FROM work_queue"
        expected = {
            key: (each.status, each.attempts, each.crashes, each.priority, int(each.is_to_cancel))
            for key, each in self.believed.items()
        }
        assert {row["id"]: tuple(row)[1:] for row in self.database.query(sql)} == expected
        assert self.store.count_open() == sum(each.is_open for each in self.believed.values())

    @invariant()
    def the_line_is_in_the_order_promised(self):
        for lane in LANES:
            subjects_in_line = [self.believed[work_id].subject for work_id in self._line(lane)]
            assert self.store.list_pending(lane, 1000) == subjects_in_line

    @invariant()
    def lanes_are_as_they_are_wanted(self):
        assert {lane: self.book.find(lane).state for lane in LANES} == {
            lane: state for lane, (state, _) in self.wishes.items()
        }

    @invariant()
    def every_lease_is_in_one_hand(self):
        rows = self.database.query("SELECT id, lease_token FROM work_queue WHERE lease_token IS NOT NULL")
        assert {row["id"]: row["lease_token"] for row in rows} == {
            work_id: item.lease_token for work_id, item in self.held.items()
        }
        tokens = Counter(item.lease_token for item in [*self.held.values(), *self.lost])
        assert all(count == 1 for count in tokens.values())

    @invariant()
    def what_has_ended_never_changes(self):
        assert {work_id: self._row(work_id) for work_id in self.finished} == self.finished

    def _line(self, lane):
        """What is pending in a lane, in the order of the contract."""
        pending = [
            key for key, each in self.believed.items() if (each.lane, each.status) == (lane, "pending")
        ]
        return sorted(pending, key=lambda key: self._place(self.believed[key]))

    def _place(self, each):
        return (each.since - each.priority * timedelta(seconds=self.aging_s), each.arrival)

    def _those(self, subject, *statuses):
        return {
            key: each
            for key, each in self.believed.items()
            if each.subject == subject and each.status in statuses
        }

    def _do(self, name, *values):
        with self.database.transaction(durable=False) as tx:
            return getattr(self.store, name)(tx, *values)

    def _drop(self, data, status):
        work_id = data.draw(st.sampled_from(sorted(self.held)))
        self.believed[work_id].status = status
        item = self.held.pop(work_id)
        self.lost.append(item)
        return item

    def _keep(self, work_id):
        self.finished[work_id] = self._row(work_id)

    def _row(self, work_id):
        return dict(self.database.query_one("SELECT * FROM work_queue WHERE id = ?", (work_id,)))


class StrictQueueMachine(QueueMachine):
    """Without ageing: no wait outweighs a point of priority."""

    aging_s = 0.0

    def _place(self, each):
        return (-each.priority, each.since, each.arrival)


BOUNDED = settings(max_examples=40, stateful_step_count=50, deadline=None, database=None)
TestWithAgeing = QueueMachine.TestCase
TestWithAgeing.settings = BOUNDED
TestWithoutAgeing = StrictQueueMachine.TestCase
TestWithoutAgeing.settings = BOUNDED
