"""The queue keeps its promises: nothing lost, nothing twice, nobody writes what another holds."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from hotfolder.domain.instants import format_instant
from hotfolder.domain.work import CRASHES_MAX, Affinity, NewWork
from hotfolder.errors import QueueError
from hotfolder.queue.lanes import LaneBook
from hotfolder.queue.store import WorkStore
from tests.queue.conftest import Queue

CLAIM_ALL = """
import sys
from pathlib import Path
from hotfolder.database import Database
from hotfolder.queue.store import WorkStore
database = Database(Path(sys.argv[1]))
store = WorkStore(database)
taken = [store.claim("io")]
print("ready", flush=True)
sys.stdin.readline()
while taken[-1] is not None:
    with database.transaction() as tx:
        store.complete(tx, taken[-1])
    taken.append(store.claim("io"))
print(*(item.payload["n"] for item in taken[:-1]))
"""


class TestClaiming:
    def test_an_empty_lane_gives_nothing(self, queue):
        assert queue.claim() is None

    def test_a_claimed_item_is_what_was_put_in(self, queue, database):
        work_id = queue.put("subject", payload={"name": "Übung", "n": [1, None]}, priority=4, max_attempts=7)

        item = queue.claim()

        assert item.work_id == work_id
        assert (item.task_type, item.lane, item.status) == ("paint", "gpu", "processing")
        assert item.payload == {"name": "Übung", "n": [1, None]}
        assert (item.correlation_id, item.priority, item.max_attempts) == ("subject", 4, 7)
        assert item.started_at == item.created_at == database.now()
        assert item.lease_token
        assert not item.cancel_requested

    def test_a_claimed_item_is_not_claimed_again(self, queue):
        queue.put()
        queue.claim()

        assert queue.claim() is None

    def test_higher_priority_goes_first_then_age_then_order_of_arrival(self, queue, clock):
        late_urgent = [queue.put(priority=0), queue.put(priority=0)]
        clock.advance(1)
        later = [queue.put(priority=0), queue.put(priority=5), queue.put(priority=-5)]

        order = [queue.claim().work_id for _ in range(5)]

        assert order == [later[1], *late_urgent, later[0], later[2]]

    def test_items_of_one_transaction_keep_their_order_whatever_their_ids(self, database):
        ids = iter(["c", "a", "b"])
        store = WorkStore(database, make_id=lambda: next(ids))
        with database.transaction() as tx:
            for _ in range(3):
                store.enqueue(tx, NewWork("paint", "gpu", {}, "tests", "s"))

        assert [store.claim("gpu").work_id for _ in range(3)] == ["c", "a", "b"]

    def test_lanes_do_not_see_each_others_items(self, queue):
        on_gpu, on_io = queue.put(lane="gpu"), queue.put(lane="io", priority=9)

        assert queue.claim("cpu") is None
        assert queue.claim("gpu").work_id == on_gpu
        assert queue.claim("io").work_id == on_io

    def test_the_attempt_is_counted_when_the_item_is_claimed(self, queue):
        work_id = queue.put()
        assert queue.row(work_id)["attempt_count"] == 0

        assert queue.claim().attempt_count == 1
        assert queue.row(work_id)["attempt_count"] == 1

    def test_work_of_a_transaction_that_was_rolled_back_does_not_exist(self, queue, database):
        with pytest.raises(ZeroDivisionError), database.transaction() as tx:
            _before_a_fault(lambda: queue.store.enqueue(tx, NewWork("paint", "gpu", {}, "tests", "s")))

        assert queue.claim() is None

    def test_what_is_like_the_last_item_goes_before_older_work_of_its_priority_alone(self, queue, database):
        near = Affinity("4b", "bay")
        with database.transaction() as tx:
            for name, priority, affinity in [
                ("other", 0, Affinity("9b", "bay")),
                ("same model", 0, Affinity("4b", "cliff")),
                ("same prompt", 0, near),
                ("none", 0, None),
                ("urgent", 5, Affinity("9b", "sea")),
            ]:
                queue.store.enqueue(tx, NewWork("paint", "gpu", {}, "tests", name, priority, 3, affinity))

        found = [queue.store.claim("gpu", near) for _ in range(5)]

        assert [(each.correlation_id, each.has_overtaken) for each in found] == [
            ("urgent", False),
            ("same prompt", True),
            ("same model", True),
            ("other", False),
            ("none", False),
        ]
        assert found[1].affinity == near

    def test_low_priority_is_claimed_after_its_time_although_urgent_work_keeps_coming(self, queue, clock):
        low = queue.put(priority=-1)

        waited_s = _rounds_until_claimed(queue, clock, low, 100) * 60

        assert waited_s == 2 * 600

    def test_without_ageing_low_priority_waits_until_nothing_urgent_is_left(self, database, clock):
        queue = Queue(database, WorkStore(database, aging_s=0))
        low = queue.put(priority=-1)

        assert _rounds_until_claimed(queue, clock, low, 100) == 100
        assert queue.claim().work_id == low

    def test_a_paused_lane_with_work_in_it_wakes_nobody(self, queue, database, doorbell):
        queue.put()
        LaneBook(database).put("gpu", "paused", "anna")
        bell = doorbell.listen()

        assert queue.claim() is None

        assert not bell.is_set()

    def test_looking_at_an_empty_lane_writes_nothing_and_wakes_nobody(self, queue, doorbell):
        bell = doorbell.listen()

        queue.claim()

        assert not bell.is_set()

    def test_two_processes_share_300_items_and_take_each_exactly_once(self, queue, database):
        with database.transaction() as tx:
            for number in range(300):
                queue.store.enqueue(tx, NewWork("send", "io", {"n": number}, "tests", str(number)))
        command = [sys.executable, "-c", CLAIM_ALL, str(database.path)]
        children = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for child in children:
            assert child.stdout.readline() == "ready\n"
        for child in children:
            child.stdin.write("go\n")
            child.stdin.flush()
        taken = [[int(n) for n in child.communicate(timeout=40)[0].split()] for child in children]

        assert sorted(taken[0] + taken[1]) == list(range(300))
        assert all(taken)
        rows = database.query("SELECT status, attempt_count FROM work_queue")
        assert {tuple(row) for row in rows} == {("completed", 1)}


class TestEnding:
    def test_a_completed_item_is_finished_for_good(self, queue, database):
        item = _claimed(queue)

        queue.do("complete", item)

        row = queue.row(item.work_id)
        assert (row["status"], row["completed_at"]) == ("completed", database.now())
        assert (row["lease_token"], row["lease_until"], row["error_message"]) == (None, None, None)
        assert queue.claim() is None

    @pytest.mark.parametrize("status", ["failed", "cancelled", "dead"])
    def test_an_item_that_ends_without_success_keeps_the_reason(self, queue, status):
        item = _claimed(queue)

        queue.do("end", item, status, "the paint is dry")

        assert queue.row(item.work_id)["error_message"] == "the paint is dry"
        assert queue.status(item.work_id) == status
        assert queue.claim() is None

    def test_a_handed_back_item_is_as_if_it_had_not_been_claimed(self, queue):
        work_id = queue.put()
        before = queue.row(work_id)

        queue.do("hand_back", queue.claim())

        assert queue.row(work_id) == before

    def test_an_item_to_be_tried_again_waits_for_its_delay(self, queue, clock):
        item = _claimed(queue)
        queue.do("retry", item, 8.0, "the engine crashed")

        assert queue.status(item.work_id) == "scheduled"
        assert queue.row(item.work_id)["error_message"] == "the engine crashed"
        assert queue.row(item.work_id)["completed_at"] is None
        clock.advance(7.999)
        assert queue.claim() is None
        clock.advance(0.001)
        again = queue.claim()
        assert (again.work_id, again.attempt_count) == (item.work_id, 2)
        assert queue.row(item.work_id)["error_message"] is None

    def test_a_delay_on_one_lane_ends_only_when_that_lane_looks(self, queue, clock):
        item = _claimed(queue)
        queue.do("retry", item, 1.0, "later")
        clock.advance(2)

        assert queue.claim("io") is None
        assert queue.status(item.work_id) == "scheduled"

    def test_an_item_keeps_its_place_by_age_after_a_delay(self, queue, clock):
        old = _claimed(queue)
        clock.advance(1)
        queue.put("younger")
        queue.do("retry", old, 1.0, "later")
        clock.advance(1)

        assert queue.claim().work_id == old.work_id

    def test_an_item_that_nobody_claimed_cannot_be_completed(self, queue):
        item = _claimed(queue)
        queue.do("hand_back", item)

        with pytest.raises(ValueError, match="no change from 'pending'"):
            queue.do("complete", replace(item, status="pending", lease_token=None))

    def test_every_change_of_an_item_is_an_event(self, queue, clock):
        work_id = queue.put()
        queue.do("retry", queue.claim(), 1.0, "again")
        clock.advance(1)
        queue.do("hand_back", queue.claim())
        queue.do("complete", queue.claim())

        told = ["pending", "processing", "scheduled", "pending", "processing", "pending", "processing"]
        assert queue.changes(work_id) == [*told, "completed"]

    def test_an_item_completes_together_with_what_else_is_written_or_not_at_all(self, queue, database):
        item = _claimed(queue)

        with pytest.raises(ZeroDivisionError), database.transaction() as tx:
            _before_a_fault(lambda: queue.store.complete(tx, item))

        assert queue.row(item.work_id)["lease_token"] == item.lease_token
        assert queue.status(item.work_id) == "processing"


WRITES = [
    ("complete",),
    ("end", "failed", "m"),
    ("end", "cancelled", "m"),
    ("retry", 1.0, "m"),
    ("hand_back",),
]


class TestLeases:
    @pytest.mark.parametrize("write", WRITES, ids=lambda write: "-".join(map(str, write)))
    def test_who_has_lost_the_lease_can_write_nothing(self, queue, write):
        lost = _claimed(queue)
        queue.do("recover")
        holder = queue.claim()
        before = queue.row(holder.work_id)

        with pytest.raises(QueueError, match="no longer held"):
            queue.do(write[0], lost, *write[1:])

        assert queue.row(holder.work_id) == before
        queue.do("complete", holder)

    @pytest.mark.parametrize("write", WRITES, ids=lambda write: "-".join(map(str, write)))
    def test_a_finished_item_never_changes(self, queue, write):
        item = _claimed(queue)
        queue.do("complete", item)
        before = queue.row(item.work_id)

        with pytest.raises(QueueError):
            queue.do(write[0], item, *write[1:])

        assert queue.row(item.work_id) == before

    def test_a_renewed_lease_ends_later(self, queue, clock):
        item = _claimed(queue)
        first = queue.row(item.work_id)["lease_until"]
        clock.advance(15)

        assert queue.store.renew([item]) == []

        assert first == format_instant(clock() + timedelta(seconds=45))
        assert queue.row(item.work_id)["lease_until"] == format_instant(clock() + timedelta(seconds=60))

    def test_renewing_tells_which_leases_are_lost_and_renews_the_others(self, queue, clock):
        kept, lost = _claimed(queue), _claimed(queue)
        queue.do("hand_back", lost)
        clock.advance(30)

        assert queue.store.renew([lost, kept]) == [lost]
        assert queue.row(kept.work_id)["lease_until"] == format_instant(clock() + timedelta(seconds=60))
        assert queue.row(lost.work_id)["lease_until"] is None

    def test_a_lease_that_nobody_renews_runs_out(self, queue, clock):
        item = _claimed(queue)
        clock.advance(60)
        assert queue.store.list_expired() == []
        clock.advance(0.001)

        assert [each.work_id for each in queue.store.list_expired()] == [item.work_id]

    def test_a_renewed_or_ended_item_does_not_run_out(self, queue, clock):
        renewed, ended = _claimed(queue), _claimed(queue)
        clock.advance(59)
        queue.store.renew([renewed])
        queue.do("complete", ended)
        clock.advance(2)

        assert queue.store.list_expired() == []


class TestRecovery:
    def test_a_crash_spends_no_attempt(self, queue):
        work_id = queue.put(max_attempts=1)
        queue.claim()

        found = queue.do("recover")

        assert [item.work_id for item in found.handed_back] == [work_id]
        assert (found.cancelled, found.dead) == ([], [])
        row = queue.row(work_id)
        assert (row["status"], row["attempt_count"], row["crash_count"]) == ("pending", 0, 1)

    def test_an_item_that_was_in_hand_at_ten_crashes_is_dead(self, queue):
        work_id = queue.put()
        for _ in range(CRASHES_MAX - 1):
            queue.claim()
            assert queue.do("recover").dead == []
        queue.claim()

        found = queue.do("recover")

        assert CRASHES_MAX == 10
        assert [item.work_id for item in found.dead] == [work_id]
        assert found.handed_back == []
        assert queue.status(work_id) == "dead"
        assert "10 times" in queue.row(work_id)["error_message"]

    def test_an_item_that_was_to_be_cancelled_is_cancelled(self, queue):
        item = _claimed(queue, "s")
        queue.do("request_cancel", "s", "paint")

        found = queue.do("recover")

        assert [each.work_id for each in found.cancelled] == [item.work_id]
        assert queue.status(item.work_id) == "cancelled"

    def test_only_what_was_in_hand_is_touched(self, queue):
        done, delayed = _claimed(queue), _claimed(queue)
        queue.do("complete", done)
        queue.do("retry", delayed, 60, "later")
        waiting = queue.put()
        before = [queue.row(each) for each in (done.work_id, delayed.work_id, waiting)]

        assert queue.do("recover").handed_back == []

        assert [queue.row(each) for each in (done.work_id, delayed.work_id, waiting)] == before


class TestCancelling:
    def test_waiting_and_delayed_items_of_a_subject_are_cancelled_at_once(self, queue):
        delayed = _claimed(queue, "s")
        queue.do("retry", delayed, 60, "later")
        waiting = queue.put("s")
        others = [queue.put("other"), queue.put("s", task_type="send")]

        cancelled = queue.do("cancel_waiting", "s", "paint")

        assert {item.work_id for item in cancelled} == {delayed.work_id, waiting}
        assert {queue.status(each) for each in (delayed.work_id, waiting)} == {"cancelled"}
        assert {queue.status(each) for each in others} == {"pending"}

    def test_what_is_in_hand_is_not_cancelled_behind_its_holders_back(self, queue):
        item = _claimed(queue, "s")

        assert queue.do("cancel_waiting", "s", "paint") == []
        assert queue.status(item.work_id) == "processing"

    def test_a_wish_to_cancel_is_for_items_in_hand(self, queue):
        held, other = _claimed(queue, "s"), _claimed(queue, "other")
        waiting = queue.put("s")

        assert queue.do("request_cancel", "s", "paint") == 1

        assert queue.store.list_cancel_requested() == {held.work_id}
        asked = [queue.store.is_cancel_requested(each) for each in (held.work_id, other.work_id, waiting)]
        assert asked == [True, False, False]

    def test_a_wish_to_cancel_leaves_other_kinds_of_work_alone(self, queue):
        _claimed(queue, "s")

        assert queue.do("request_cancel", "s", "send") == 0
        assert queue.store.list_cancel_requested() == set()

    def test_an_item_that_has_ended_is_no_longer_to_be_cancelled(self, queue):
        item = _claimed(queue, "s")
        queue.do("request_cancel", "s", "paint")
        queue.do("complete", item)

        assert queue.store.list_cancel_requested() == set()

    def test_nobody_wishes_to_cancel_what_does_not_exist(self, queue):
        assert not queue.store.is_cancel_requested("nothing")


class TestCounting:
    def test_open_items_are_those_that_wait_are_delayed_or_in_hand(self, queue):
        _claimed(queue)
        done, delayed = _claimed(queue), _claimed(queue)
        queue.do("complete", done)
        queue.do("retry", delayed, 60, "later")
        queue.put()
        queue.put(lane="io")

        assert queue.store.count_open() == 4
        assert [queue.store.count_open(lane) for lane in ("gpu", "io", "cpu")] == [3, 1, 0]

    def test_the_position_is_the_number_of_items_ahead(self, queue, clock):
        queue.put("first")
        queue.put("second")
        clock.advance(1)
        queue.put("late")
        queue.put("urgent", priority=1)
        queue.put("elsewhere", lane="io")

        subjects = ("urgent", "first", "second", "late")
        assert [queue.store.queue_position(each, "gpu") for each in subjects] == [0, 1, 2, 3]
        assert queue.store.queue_position("elsewhere", "gpu") is None
        assert queue.store.queue_position("nobody", "gpu") is None

    def test_a_subject_stands_where_its_first_item_stands(self, queue):
        for subject in ("a", "b", "a"):
            queue.put(subject)

        assert queue.store.queue_position("a", "gpu") == 0
        assert queue.store.queue_position("b", "gpu") == 1

    def test_items_in_hand_are_not_ahead_of_anybody(self, queue):
        queue.put("running")
        queue.put("next")
        queue.claim()

        assert queue.store.queue_position("running", "gpu") is None
        assert queue.store.queue_position("next", "gpu") == 0

    def test_the_next_subjects_are_listed_in_the_order_of_claiming(self, queue, clock):
        queue.put("running", priority=9)
        queue.claim()
        queue.put("first")
        queue.put("second")
        queue.put("first")
        clock.advance(1)
        queue.put("late")
        queue.put("urgent", priority=1)
        queue.put("elsewhere", lane="io")

        listed = queue.store.list_pending("gpu", 100)

        assert listed == ["urgent", "first", "second", "first", "late"]
        assert queue.store.list_pending("gpu", 2) == listed[:2]
        assert [queue.claim().correlation_id for _ in listed] == listed


def _rounds_until_claimed(queue, clock, work_id, limit):
    """So often is more urgent work claimed that comes every minute."""
    for rounds in range(limit):
        urgent = queue.put(priority=1)
        item = queue.claim()
        queue.do("complete", item)
        if item.work_id == work_id:
            return rounds
        assert item.work_id == urgent
        clock.advance(60)
    return limit


def _claimed(queue, subject="s"):
    """A new item, in hand; nothing else may be pending."""
    work_id = queue.put(subject)
    item = queue.claim()
    assert item.work_id == work_id
    return item


def _before_a_fault(act):
    act()
    raise ZeroDivisionError


def test_open_items_of_an_owner_are_those_that_wait_or_are_in_hand(queue):
    waiting, held, _ = (queue.put(each) for each in "abc")
    queue.do("reprioritise", "b", 5)
    queue.do("reprioritise", "c", 5)
    queue.claim()
    queue.do("complete", queue.claim())

    assert {each.work_id for each in queue.store.list_open("tests")} == {waiting, held}
    assert queue.store.list_open("another") == []
