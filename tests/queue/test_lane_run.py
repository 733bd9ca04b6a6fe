"""A lane with work before it claims the next item in the transaction that completes the one in hand."""

from __future__ import annotations

import pytest

from hotfolder.errors import ProviderError
from hotfolder.queue.worker import Done, Worker
from tests.queue.test_worker import Scripted


@pytest.fixture
def make_worker(database, queue, doorbell):
    def make(handler):
        return Worker(database, queue.store, {"paint": handler}, {"gpu": 1}, doorbell, lease_s=60)

    return make


def test_a_lane_runs_on_while_there_is_work(queue, make_worker):
    items = [queue.put() for _ in range(3)]

    assert make_worker(Scripted()).run_on("gpu", lambda: True)

    assert [queue.status(each) for each in items] == ["completed"] * 3


def test_the_next_item_is_claimed_with_the_end_of_the_one_before(queue, database, make_worker):
    first, second = queue.put(), queue.put()
    bounds = iter([True, False])

    make_worker(Scripted()).run_on("gpu", lambda: next(bounds))

    told = [(event.subject_id, event.data["status"]) for event in database.list_events(0)]
    assert told[2:] == [
        (first, "processing"),
        (first, "completed"),
        (second, "processing"),
        (second, "completed"),
    ]


def test_a_lane_that_is_to_stop_claims_nothing_more(queue, make_worker):
    first, second = queue.put(), queue.put()

    assert make_worker(Scripted()).run_on("gpu", lambda: False)

    assert [queue.status(first), queue.status(second)] == ["completed", "pending"]
    assert queue.row(second)["attempt_count"] == 0


def test_when_the_end_cannot_be_recorded_the_next_item_is_not_claimed(queue, make_worker):
    def act(item, interrupt):
        def record(tx):
            raise ProviderError("the record is wrong")

        return Done(record)

    first, second = queue.put(), queue.put()

    assert make_worker(Scripted(act)).run_on("gpu", lambda: True)

    assert [queue.status(first), queue.status(second)] == ["failed", "pending"]


def test_a_hurried_worker_claims_nothing_with_the_end_of_its_work(queue, make_worker):
    first, second = queue.put(), queue.put()
    handler = Scripted()
    worker = make_worker(handler)
    handler.act = lambda _item, _interrupt: worker.hurry() or Done(lambda tx: None)

    worker.run_on("gpu", lambda: True)

    assert [queue.status(first), queue.status(second)] == ["completed", "pending"]


def test_what_is_due_goes_before_less_urgent_work_that_was_there_already(queue, clock, make_worker):
    seen = []

    def act(item, interrupt):
        seen.append(item.correlation_id)
        clock.advance(1)
        return Done(lambda tx: None)

    queue.put("due", priority=5)
    queue.do("retry", queue.claim(), 1.0, "again")
    queue.put("first")
    queue.put("second")

    make_worker(Scripted(act)).run_on("gpu", lambda: True)

    assert seen == ["first", "due", "second"]
