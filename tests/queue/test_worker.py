"""What becomes of an item however its handler ends, and of the items in hand however the worker ends."""

from __future__ import annotations

import threading
import time

import pytest

from hotfolder.database import Database
from hotfolder.domain.instants import parse_instant
from hotfolder.domain.work import CRASHES_MAX, NewWork
from hotfolder.errors import (
    DiskFull,
    EngineBusy,
    EngineCancelled,
    EngineCrashed,
    EngineTimeout,
    HotfolderError,
    ProviderError,
    QueueError,
)
from hotfolder.events import Doorbell
from hotfolder.queue.store import WorkStore
from hotfolder.queue.worker import POSTPONE_S, Done, Worker

WAIT_S = 10.0


class Scripted:
    """A handler that does what the test says, and remembers what it was told."""

    def __init__(self, act=None):
        self.act = act or (lambda item, interrupt: Done(lambda tx: None))
        self.begun = threading.Event()
        self.told = []
        self.heard = threading.Event()

    def execute(self, item, interrupt):
        self.begun.set()
        return self.act(item, interrupt)

    def returned(self, tx, item):
        tx.event("test.returned", "work", item.work_id, {})
        self.told.append("returned")
        self.heard.set()

    def ended(self, tx, item, status, error):
        tx.event("test.ended", "work", item.work_id, {})
        self.told.append((status, error.code))
        self.heard.set()


def until_interrupted(item, interrupt):
    assert interrupt.wait(WAIT_S)
    raise EngineCancelled("stopped")


def raising(error):
    def act(item, interrupt):
        raise error

    return act


def note(tx, key):
    tx.execute("INSERT INTO app_settings (key) VALUES (?)", (key,))


@pytest.fixture
def make_worker(database, queue, doorbell):
    """Builds workers over the same database; all are stopped at the end."""
    made = []

    def make(handlers, lanes=None, *, lease_s=60.0):
        named = handlers if isinstance(handlers, dict) else {"paint": handlers}
        store = WorkStore(database, lease_s=lease_s)
        made.append(
            Worker(database, store, named, lanes or {"gpu": 1}, doorbell, lease_s=lease_s, jitter=lambda: 0.5)
        )
        return made[-1]

    yield make
    for worker in made:
        worker.hurry()
        worker.stop(0)


def wait_for(look, what):
    deadline = time.monotonic() + WAIT_S
    while not look():
        assert time.monotonic() < deadline, f"{what} did not come about"
        time.sleep(0.005)  # the pause of a poll with a limit


def queue_threads():
    return [each.name for each in threading.enumerate() if each.name.startswith(("lane-", "queue-"))]


# How one attempt may end


def test_an_empty_lane_has_nothing_to_run(make_worker):
    assert make_worker(Scripted()).run_one("gpu") is False


def test_done_work_is_recorded_and_completed_then_tidied_up(queue, database, make_worker):
    at_tidying = []
    handler = Scripted(
        lambda item, interrupt: Done(
            record=lambda tx: note(tx, item.work_id),
            after=lambda: at_tidying.append(queue.status(item.work_id)),
        )
    )
    work_id = queue.put()

    assert make_worker(handler).run_one("gpu") is True

    assert queue.status(work_id) == "completed"
    assert [row["key"] for row in database.query("SELECT key FROM app_settings")] == [work_id]
    assert at_tidying == ["completed"]
    assert handler.told == []


def test_a_record_that_raises_takes_the_completion_back_with_it(queue, database, make_worker):
    def act(item, interrupt):
        def record(tx):
            note(tx, "half")
            raise ProviderError("the record is wrong")

        return Done(record)

    handler = Scripted(act)
    work_id = queue.put()

    make_worker(handler).run_one("gpu")

    assert database.query("SELECT * FROM app_settings") == []
    assert queue.status(work_id) == "failed"
    assert "completed" not in queue.changes(work_id)
    assert handler.told == [("failed", "provider.failed")]


def test_work_that_cannot_be_tidied_up_is_still_done(queue, make_worker, caplog):
    handler = Scripted(lambda item, interrupt: Done(lambda tx: None, after=lambda: 1 / 0))
    work_id = queue.put()

    make_worker(handler).run_one("gpu")

    assert queue.status(work_id) == "completed"
    assert handler.told == []
    assert "tidy up" in caplog.text


def test_a_retryable_error_is_tried_again_after_a_pause(queue, clock, make_worker):
    handler = Scripted(raising(EngineCrashed("the engine died")))
    worker = make_worker(handler)
    work_id = queue.put()

    worker.run_one("gpu")

    assert (queue.status(work_id), queue.row(work_id)["error_message"]) == ("scheduled", "the engine died")
    assert handler.told == ["returned"]
    assert worker.run_one("gpu") is False
    clock.advance(1)
    handler.act = lambda item, interrupt: Done(lambda tx: None)
    assert worker.run_one("gpu") is True
    assert queue.status(work_id) == "completed"


def test_the_pauses_between_attempts_grow(queue, clock, make_worker):
    worker = make_worker(Scripted(raising(EngineCrashed("again"))))
    work_id = queue.put(max_attempts=5)
    pauses_s = []
    for _ in range(4):
        worker.run_one("gpu")
        run_at = parse_instant(queue.row(work_id)["run_at"])
        pauses_s.append((run_at - clock()).total_seconds())
        clock.now = run_at

    assert pauses_s == [1, 2, 4, 8]


@pytest.mark.parametrize("error", [DiskFull("no room"), EngineBusy("one at a time")], ids=["disk", "engine"])
def test_what_is_nobodys_fault_postpones_the_item_and_spends_no_attempt(queue, clock, make_worker, error):
    handler = Scripted(raising(error))
    worker = make_worker(handler)
    work_id = queue.put(max_attempts=1)  # a single spent attempt would end it

    for _ in range(3):
        assert worker.run_one("gpu") is True
        row = queue.row(work_id)
        assert (row["status"], row["attempt_count"]) == ("scheduled", 0)
        assert (parse_instant(row["run_at"]) - clock()).total_seconds() == POSTPONE_S
        clock.advance(POSTPONE_S)

    assert handler.told == ["returned"] * 3
    handler.act = lambda item, interrupt: Done(lambda tx: None)
    assert worker.run_one("gpu") is True
    assert (queue.status(work_id), queue.row(work_id)["attempt_count"]) == ("completed", 1)


def test_the_last_attempt_leaves_a_dead_item(queue, clock, make_worker):
    handler = Scripted(raising(EngineCrashed("again")))
    worker = make_worker(handler)
    work_id = queue.put(max_attempts=3)
    for _ in range(3):
        assert worker.run_one("gpu") is True
        clock.advance(10)

    assert queue.status(work_id) == "dead"
    assert queue.row(work_id)["attempt_count"] == 3
    assert handler.told == ["returned", "returned", ("dead", "engine.crashed")]
    assert worker.run_one("gpu") is False


def test_how_each_attempt_failed_is_known_at_the_end(queue, clock, make_worker):
    ends = []
    handler = Scripted()
    handler.ended = lambda tx, item, status, error: ends.append(item.failures)
    worker = make_worker(handler)
    queue.put(max_attempts=2)
    for error in (EngineCrashed("once"), DiskFull("no room"), EngineTimeout("twice")):
        handler.act = raising(error)
        worker.run_one("gpu")
        clock.advance(POSTPONE_S)

    (failures,) = ends
    assert [(each.attempt, each.code, each.message) for each in failures] == [
        (1, "engine.crashed", "once"),
        (2, "engine.timeout", "twice"),
    ]


def test_an_error_that_would_come_again_fails_the_item_at_once(queue, make_worker):
    handler = Scripted(raising(HotfolderError("no such model", code="engine.load_failed")))
    work_id = queue.put(max_attempts=3)

    make_worker(handler).run_one("gpu")

    assert (queue.status(work_id), queue.row(work_id)["error_message"]) == ("failed", "no such model")
    assert handler.told == [("failed", "engine.load_failed")]


def test_an_unexpected_exception_is_logged_and_tried_again(queue, make_worker, caplog):
    handler = Scripted(raising(KeyError("surprise")))
    work_id = queue.put(max_attempts=2)

    make_worker(handler).run_one("gpu")

    assert queue.status(work_id) == "scheduled"
    assert "KeyError" in queue.row(work_id)["error_message"]
    assert "surprise" in caplog.text


def test_an_unexpected_exception_at_the_last_attempt_leaves_a_dead_item(queue, make_worker):
    handler = Scripted(raising(KeyError("surprise")))
    work_id = queue.put(max_attempts=1)

    make_worker(handler).run_one("gpu")

    assert queue.status(work_id) == "dead"
    assert handler.told == [("dead", "internal.unexpected")]


def test_a_handler_that_meets_a_queue_error_of_its_own_fails_the_item(queue, make_worker):
    handler = Scripted(raising(QueueError("the backlog is full", code="queue.backlog_full")))
    work_id = queue.put()

    make_worker(handler).run_one("gpu")

    assert queue.status(work_id) == "failed"
    assert handler.told == [("failed", "queue.backlog_full")]


def test_work_of_a_kind_that_nobody_knows_fails_and_says_so(queue, make_worker):
    work_id = queue.put(task_type="knit")

    make_worker(Scripted()).run_one("gpu")

    assert queue.status(work_id) == "failed"
    assert "knit" in queue.row(work_id)["error_message"]


def test_a_handler_that_cannot_record_the_end_takes_the_end_back(queue, make_worker):
    handler = Scripted(raising(HotfolderError("no")))
    handler.ended = lambda *_: 1 / 0
    worker = make_worker(handler)
    work_id = queue.put()

    with pytest.raises(ZeroDivisionError):
        worker.run_one("gpu")

    assert queue.status(work_id) == "processing"


# Leases


@pytest.mark.parametrize("ends_well", [True, False])
def test_an_item_that_was_taken_away_is_not_written(queue, database, make_worker, ends_well, caplog):
    def act(item, interrupt):
        queue.do("recover")
        act.holder = queue.claim()
        if not ends_well:
            raise HotfolderError("too late")
        return Done(lambda tx: note(tx, "must not be"))

    handler = Scripted(act)
    work_id = queue.put()

    assert make_worker(handler).run_one("gpu") is True

    assert queue.row(work_id)["lease_token"] == act.holder.lease_token
    assert queue.status(work_id) == "processing"
    assert database.query("SELECT * FROM app_settings") == []
    assert handler.told == []
    assert "taken away" in caplog.text


def test_the_heartbeat_renews_a_lease_that_would_run_out(queue, clock, make_worker):
    handler = Scripted(until_interrupted)
    worker = make_worker(handler, lease_s=0.2)
    worker.start()
    work_id = queue.put()
    assert handler.begun.wait(WAIT_S)
    first = queue.row(work_id)["lease_until"]

    clock.advance(0.15)

    wait_for(lambda: queue.row(work_id)["lease_until"] > first, "a renewed lease")
    assert queue.store.list_expired() == []


def test_who_has_lost_the_lease_is_told_to_stop(queue, make_worker):
    stopped = threading.Event()

    def act(item, interrupt):
        assert interrupt.wait(WAIT_S)
        stopped.set()
        raise EngineCancelled("stopped")

    handler = Scripted(act)
    worker = make_worker(handler, lease_s=0.2)
    worker.start()
    queue.put()
    assert handler.begun.wait(WAIT_S)

    queue.database.connection().execute("UPDATE work_queue SET lease_token = 'of another'")

    assert stopped.wait(WAIT_S)
    assert handler.told == []


def test_work_whose_end_could_not_be_recorded_is_taken_up_again(queue, clock, make_worker):
    handler = Scripted(raising(HotfolderError("no")))
    record_end, handler.ended = handler.ended, lambda *_: 1 / 0
    worker = make_worker(handler, lease_s=0.2)
    work_id = queue.put(max_attempts=1)
    with pytest.raises(ZeroDivisionError):
        worker.run_one("gpu")
    handler.ended = record_end

    worker.start()
    clock.advance(1)

    assert handler.heard.wait(WAIT_S)
    assert handler.told == [("dead", "queue.lease_expired")]
    wait_for(lambda: queue.status(work_id) == "dead", "a dead item")


def test_work_in_hand_is_not_taken_from_us_after_the_machine_has_slept(queue, clock, make_worker):
    release = threading.Event()

    def act(item, interrupt):
        assert release.wait(WAIT_S)
        return Done(lambda tx: None)

    handler = Scripted(act)
    worker = make_worker(handler, lease_s=0.2)
    worker.start()
    work_id = queue.put()
    assert handler.begun.wait(WAIT_S)
    before = queue.row(work_id)["lease_until"]

    clock.advance(3600)

    wait_for(lambda: queue.row(work_id)["lease_until"] > before, "a renewed lease")
    release.set()
    wait_for(lambda: queue.status(work_id) == "completed", "a completed item")
    assert queue.changes(work_id) == ["pending", "processing", "completed"]


# Cancelling what runs


def test_a_wish_to_cancel_is_passed_on_at_once_and_ends_the_item(queue, make_worker):
    handler = Scripted(until_interrupted)
    make_worker(handler, lease_s=3600).start()
    work_id = queue.put("s")
    assert handler.begun.wait(WAIT_S)

    queue.do("request_cancel", "s", "paint")

    assert handler.heard.wait(WAIT_S)
    assert handler.told == [("cancelled", "queue.cancelled")]
    wait_for(lambda: queue.status(work_id) == "cancelled", "a cancelled item")


def test_a_wish_from_another_process_is_passed_on_when_the_bell_rings(queue, doorbell, make_worker):
    handler, elsewhere = Scripted(until_interrupted), Database(queue.database.path)
    make_worker(handler, lease_s=3600).start()
    queue.put("s")
    assert handler.begun.wait(WAIT_S)

    with elsewhere.transaction() as tx:
        WorkStore(elsewhere).request_cancel(tx, "s", "paint")
    doorbell.ring()

    assert handler.heard.wait(WAIT_S)
    assert handler.told == [("cancelled", "queue.cancelled")]
    elsewhere.close()


def test_only_the_item_that_is_to_be_cancelled_is_interrupted(queue, make_worker):
    interrupts = {}

    def act(item, interrupt):
        interrupts[item.correlation_id] = interrupt
        return until_interrupted(item, interrupt)

    handler = Scripted(act)
    make_worker(handler, {"gpu": 2}, lease_s=3600).start()
    queue.put("a")
    queue.put("b")
    wait_for(lambda: len(interrupts) == 2, "two items in hand")

    queue.do("request_cancel", "a", "paint")

    assert handler.heard.wait(WAIT_S)
    assert not interrupts["b"].is_set()


def test_work_that_was_finished_in_spite_of_a_cancel_is_completed(queue, make_worker):
    def act(item, interrupt):
        assert interrupt.wait(WAIT_S)
        return Done(lambda tx: None)

    handler = Scripted(act)
    make_worker(handler, lease_s=3600).start()
    work_id = queue.put("s")
    assert handler.begun.wait(WAIT_S)

    queue.do("request_cancel", "s", "paint")

    wait_for(lambda: queue.status(work_id) == "completed", "a completed item")
    assert handler.told == []


@pytest.mark.parametrize("error", [EngineCrashed("by chance"), HotfolderError("for good"), KeyError("odd")])
def test_an_attempt_that_fails_by_itself_while_a_cancel_is_under_way_is_not_tried_again(
    queue, make_worker, error
):
    def act(item, interrupt):
        queue.do("request_cancel", "s", "paint")
        raise error

    handler = Scripted(act)
    work_id = queue.put("s")

    make_worker(handler).run_one("gpu")

    assert queue.status(work_id) == "cancelled"
    assert handler.told[0][0] == "cancelled"


def test_a_wish_that_comes_right_after_the_claim_is_not_missed(queue, database, doorbell):
    class Late(WorkStore):
        def claim(self, lane, near=None):
            item = super().claim(lane, near)
            if item is not None:
                queue.do("request_cancel", "s", "paint")
                doorbell.ring()
                time.sleep(0.05)  # the heartbeat looks now, before the item counts as in hand
            return item

    handler = Scripted(until_interrupted)
    worker = Worker(database, Late(database), {"paint": handler}, {"gpu": 1}, doorbell, lease_s=3600)
    worker.start()
    queue.put("s")

    assert handler.heard.wait(WAIT_S)
    assert handler.told == [("cancelled", "queue.cancelled")]
    worker.stop(5)


# Stopping


def test_work_in_hand_at_a_stop_is_handed_back_with_its_attempt(queue, make_worker):
    handler = Scripted(until_interrupted)
    worker = make_worker(handler)
    worker.start()
    work_id = queue.put(max_attempts=1)
    assert handler.begun.wait(WAIT_S)

    worker.stop(0)

    row = queue.row(work_id)
    assert (row["status"], row["attempt_count"], row["lease_token"]) == ("pending", 0, None)
    assert handler.told == ["returned"]
    assert queue_threads() == []


def test_work_that_ends_within_the_grace_time_is_finished(queue, make_worker):
    def act(item, interrupt):
        assert not interrupt.wait(0.1)  # the time that the work takes
        return Done(lambda tx: None)

    handler = Scripted(act)
    worker = make_worker(handler)
    worker.start()
    first, second = queue.put(), queue.put()
    assert handler.begun.wait(WAIT_S)

    worker.stop(WAIT_S)

    assert (queue.status(first), queue.status(second)) == ("completed", "pending")


def test_a_stop_drains_what_the_gpu_lane_leaves_to_the_others(queue, make_worker):
    def paint(item, interrupt):
        time.sleep(0.05)  # the time that the work takes
        return Done(
            lambda tx: queue.store.enqueue(tx, NewWork("file", "cpu", {}, "tests", item.correlation_id))
        )

    def file(item, interrupt):
        return Done(
            lambda tx: queue.store.enqueue(tx, NewWork("send", "io", {}, "tests", item.correlation_id))
        )

    painter = Scripted(paint)
    handlers = {"paint": painter, "file": Scripted(file), "send": Scripted()}
    worker = make_worker(handlers, {"gpu": 1, "cpu": 2, "io": 2})
    worker.start()
    queue.put("a")
    queue.put("b")
    assert painter.begun.wait(WAIT_S)

    worker.stop(WAIT_S)

    rows = queue.database.query("SELECT task_type, correlation_id, status FROM work_queue ORDER BY rowid")
    assert [tuple(row) for row in rows] == [
        ("paint", "a", "completed"),
        ("paint", "b", "pending"),
        ("file", "a", "completed"),
        ("send", "a", "completed"),
    ]
    assert queue_threads() == []


def test_draining_ends_with_the_grace_time(queue, make_worker):
    def act(item, interrupt):
        queue.put("next", lane="io", task_type="send")
        return Done(lambda tx: None)

    worker = make_worker({"send": Scripted(act)}, {"io": 1})
    worker.start()
    queue.put("first", lane="io", task_type="send")

    worker.stop(0.05)

    assert queue_threads() == []
    assert queue.store.count_open("io") == 1


def test_hurry_hands_back_at_once_and_claims_nothing_more(queue, make_worker):
    handler = Scripted(until_interrupted)
    worker = make_worker({"paint": handler, "send": Scripted()}, {"gpu": 1, "io": 1})
    worker.start()
    in_hand = queue.put()
    assert handler.begun.wait(WAIT_S)
    stopper = threading.Thread(target=worker.stop, args=(WAIT_S,))
    stopper.start()

    worker.hurry()
    later = queue.put(lane="io", task_type="send")

    stopper.join(WAIT_S / 2)
    assert not stopper.is_alive()
    assert (queue.status(in_hand), queue.status(later)) == ("pending", "pending")
    assert queue_threads() == []


def test_a_stop_asked_for_before_the_start_is_not_lost(queue, make_worker):
    worker = make_worker(Scripted())
    work_id = queue.put()

    worker.stop(0)
    worker.start()

    wait_for(lambda: queue_threads() == [], "the end of all threads")
    assert queue.status(work_id) == "pending"


def test_a_second_worker_takes_over_where_the_first_stopped(queue, make_worker):
    handler = Scripted(until_interrupted)
    first = make_worker(handler)
    first.start()
    work_id = queue.put(max_attempts=1)
    assert handler.begun.wait(WAIT_S)
    first.stop(0)

    second = make_worker(Scripted())
    assert second.recover() == 0
    second.start()

    wait_for(lambda: queue.status(work_id) == "completed", "a completed item")
    assert queue.row(work_id)["attempt_count"] == 1


# After a crash


def test_what_a_crash_left_in_hand_goes_back_and_its_handler_is_told(queue, make_worker):
    work_id = queue.put(max_attempts=1)
    queue.claim()
    handler = Scripted()

    assert make_worker(handler).recover() == 1

    assert handler.told == ["returned"]
    assert queue.status(work_id) == "pending"


def test_work_that_crashed_the_program_ten_times_is_dead(queue, make_worker):
    handler = Scripted()
    work_id = queue.put()
    for _ in range(CRASHES_MAX):
        queue.claim()
        make_worker(handler).recover()

    assert queue.status(work_id) == "dead"
    assert handler.told == ["returned"] * (CRASHES_MAX - 1) + [("dead", "queue.dead")]


def test_work_that_was_to_be_cancelled_at_a_crash_is_cancelled(queue, make_worker):
    handler = Scripted()
    work_id = queue.put("s")
    queue.claim()
    queue.do("request_cancel", "s", "paint")

    assert make_worker(handler).recover() == 0

    assert queue.status(work_id) == "cancelled"
    assert handler.told == [("cancelled", "queue.cancelled")]


def test_work_of_an_unknown_kind_does_not_keep_the_program_from_starting(queue, make_worker):
    work_id = queue.put(task_type="knit")
    queue.claim()

    assert make_worker(Scripted()).recover() == 1

    assert queue.status(work_id) == "pending"


# Lanes


def test_slow_work_on_one_lane_does_not_keep_another_waiting(queue, make_worker):
    painter, sender = Scripted(until_interrupted), Scripted()
    make_worker({"paint": painter, "send": sender}, {"gpu": 1, "io": 1}).start()
    queue.put()
    assert painter.begun.wait(WAIT_S)

    queue.put(lane="io", task_type="send")

    assert sender.begun.wait(WAIT_S)


def test_a_lane_runs_as_many_items_at_a_time_as_it_has_slots(queue, make_worker):
    meeting = threading.Barrier(3, timeout=WAIT_S)
    running, most = [], []

    def act(item, interrupt):
        running.append(item.work_id)
        most.append(len(running))
        meeting.wait()
        running.remove(item.work_id)
        return Done(lambda tx: None)

    worker = make_worker(Scripted(act), {"gpu": 3})
    worker.start()
    work_ids = [queue.put() for _ in range(6)]

    wait_for(lambda: {queue.status(each) for each in work_ids} == {"completed"}, "all to be completed")
    assert max(most) == 3


def test_a_lane_outlives_an_error_of_the_database(queue, database, make_worker, caplog):
    class Flaky(WorkStore):
        failures = 1

        def claim(self, lane, near=None):
            if self.failures:
                self.failures -= 1
                raise OSError("the disk is full")
            return super().claim(lane, near)

    handler, bell = Scripted(), Doorbell()
    worker = Worker(database, Flaky(database), {"paint": handler}, {"gpu": 1}, bell, lease_s=60)
    queue.put()

    worker.start()

    assert handler.begun.wait(WAIT_S)
    worker.stop(5)
    assert "the disk is full" in caplog.text
