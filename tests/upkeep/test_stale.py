"""The watch for stale work: each rule acts once and says why, and nothing that only waits is touched."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hotfolder.app import Library
from hotfolder.clock import utc_now
from hotfolder.domain.instants import format_instant
from hotfolder.domain.work import WorkItem
from hotfolder.errors import EngineCancelled
from hotfolder.events import ENGINE_STATUS, GENERATION_PROGRESS
from hotfolder.generation.execute import EXECUTE
from hotfolder.library.generations import Generation
from hotfolder.queue.worker import Done, Worker
from hotfolder.upkeep.stale import FORGOTTEN_JOBS_SQL, LOST_PICTURES_SQL, STALE, UNDELIVERED_SQL, StaleWatch
from tests.upkeep.conftest import JOB, HandClock, spoil, take_in

SILENCE_S = 1000.0
WAIT_S = 10.0


@pytest.fixture
def watch(library: Library, clock: HandClock) -> StaleWatch:
    stores = (library.database, library.jobs, library.generations, library.work)
    return StaleWatch(*stores, library.closer, silence_s=SILENCE_S, clock=clock)


def look(watch: StaleWatch) -> int:
    return watch.look(threading.Event())


def told(library: Library) -> list[tuple[str, str]]:
    """Whom the events say something was done about, and what."""
    events = [each for each in library.database.list_events(0) if each.topic == STALE]
    assert all(set(each.data) == {"found", "why", "done"} for each in events)
    return [(each.subject_id, each.data["done"]) for each in events]


def picture(library: Library, job_id: str) -> Generation:
    return library.generations.list_of_job(job_id)[0]


def begin(library: Library) -> WorkItem:
    """Claim the next picture, as its handler begins it."""
    item = library.work.claim("gpu")
    assert item is not None
    with library.database.transaction() as tx:
        library.generations.set_status(tx, item.correlation_id, "processing", attempts=1)
        library.jobs.set_status(tx, library.generations.get(item.correlation_id).job_id, "running")
    return item


def statuses(library: Library, subject_id: str) -> list[str]:
    return [each.status for each in library.work.list_of(subject_id)]


def look_after_silence(watch: StaleWatch, clock: HandClock) -> int:
    found = look(watch)
    clock.advance(SILENCE_S)
    return found + look(watch)


def tell(library: Library, topic: str, data: dict[str, Any]) -> None:
    with library.database.transaction() as tx:
        tx.event(topic, "engine", "someone", data)


def test_picture_without_progress_loses_its_lease_and_an_event_says_why(
    library: Library, watch: StaleWatch, clock: HandClock
) -> None:
    take_in(library)
    item = begin(library)

    assert look_after_silence(watch, clock) == 1

    assert told(library) == [(item.correlation_id, "interrupted, to be tried again")]
    assert library.work.renew([item]) == [item]
    assert [each.work_id for each in library.work.list_in_hand("gpu")] == [item.work_id]


def test_picture_whose_lease_was_taken_is_found_once(
    library: Library, watch: StaleWatch, clock: HandClock
) -> None:
    take_in(library)
    begin(library)
    look_after_silence(watch, clock)

    clock.advance(SILENCE_S)

    assert look_after_silence(watch, clock) == 0


@pytest.mark.parametrize("topic", [GENERATION_PROGRESS, ENGINE_STATUS])
def test_lane_on_which_something_moves_is_left_alone(
    library: Library, watch: StaleWatch, clock: HandClock, topic: str
) -> None:
    take_in(library)
    begin(library)

    for step in range(5):
        tell(library, topic, {"jobId": "x", "step": step})
        assert look(watch) == 0
        clock.advance(SILENCE_S - 1)
    assert told(library) == []


def test_engine_that_rests_before_it_is_started_again_is_waited_for(
    library: Library, watch: StaleWatch, clock: HandClock
) -> None:
    take_in(library)
    begin(library)
    later = format_instant(utc_now() + timedelta(hours=1))
    tell(library, ENGINE_STATUS, {"state": "error", "retryAt": later})

    assert look_after_silence(watch, clock) == 0


def test_picture_that_is_prepared_behind_a_hanging_one_is_not_blamed_for_it(
    library: Library, watch: StaleWatch, clock: HandClock
) -> None:
    take_in(library)
    take_in(library)
    hangs, waits = begin(library), library.work.claim("gpu")
    assert waits is not None

    look_after_silence(watch, clock)
    clock.advance(SILENCE_S)
    look(watch)

    assert [subject for subject, _ in told(library)] == [hangs.correlation_id]
    assert library.work.renew([waits]) == []


def test_worker_lets_go_of_hanging_work_and_tries_it_again(
    library: Library, watch: StaleWatch, clock: HandClock
) -> None:
    take_in(library)
    hanging = Hanging()
    worker = Worker(
        library.database, library.work, {EXECUTE: hanging}, {"gpu": 1}, library.doorbell, lease_s=0.2
    )
    worker.start()
    try:
        assert hanging.begun.wait(WAIT_S)
        look_after_silence(watch, clock)
        assert hanging.is_back.wait(WAIT_S)
    finally:
        worker.stop(0.0)

    (item,) = library.work.list_of(told(library)[0][0])
    assert [each.attempt for each in item.failures][:1] == [1]


class Hanging:
    """A handler that ends only when it is interrupted."""

    def __init__(self) -> None:
        self.begun, self.is_back = threading.Event(), threading.Event()

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:
        self.begun.set()
        assert interrupt.wait(WAIT_S)
        raise EngineCancelled("interrupted")

    def returned(self, tx: Any, item: WorkItem) -> None:
        self.is_back.set()

    def ended(self, tx: Any, item: WorkItem, status: Any, error: Any) -> None: ...


def lose_work(library: Library, subject_id: str) -> None:
    spoil(library, "UPDATE work_queue SET status = 'failed' WHERE correlation_id = ?", subject_id)


@pytest.mark.parametrize("is_begun", [False, True])
def test_picture_without_work_gets_its_work_again(
    library: Library, watch: StaleWatch, is_begun: bool
) -> None:
    lost = picture(library, take_in(library)).generation_id
    if is_begun:
        begin(library)
    lose_work(library, lost)

    assert look(watch) == 1

    before, after = library.work.list_of(lost)
    assert (after.payload, after.lane, after.max_attempts) == (before.payload, "gpu", before.max_attempts)
    assert statuses(library, lost) == ["failed", "pending"]
    assert library.generations.get(lost).status == "pending"
    assert told(library) == [(lost, "queued again")]
    assert look(watch) == 0


def test_picture_that_loses_its_work_again_fails_and_its_job_ends(
    library: Library, watch: StaleWatch
) -> None:
    job_id = take_in(library)
    lost = picture(library, job_id).generation_id
    lose_work(library, lost)
    look(watch)
    lose_work(library, lost)

    assert look(watch) == 1

    job = library.jobs.get(job_id)
    assert (job.status, job.error["code"] if job.error else None) == ("failed", "queue.stale")
    assert statuses(library, job_id) == ["pending"], "its result is delivered"
    assert [done for _, done in told(library)] == ["queued again", "ended"]


def test_picture_of_whose_work_nothing_is_known_fails(library: Library, watch: StaleWatch) -> None:
    job_id = take_in(library)
    spoil(library, "DELETE FROM work_queue WHERE lane = 'gpu'")

    assert look(watch) == 1

    assert picture(library, job_id).status == "failed"
    assert library.jobs.get(job_id).status == "failed"


def test_picture_without_work_of_a_job_to_be_cancelled_is_cancelled(
    library: Library, watch: StaleWatch
) -> None:
    job_id = take_in(library)
    begin(library)
    library.control.cancel(job_id, "someone")
    lose_work(library, picture(library, job_id).generation_id)

    assert look(watch) == 1

    assert library.jobs.get(job_id).status == "cancelled"


@pytest.mark.parametrize("status", ["queued", "running", "cancelling"])
@pytest.mark.parametrize("ended", ["completed", "failed"])
def test_job_whose_pictures_have_all_ended_is_closed(
    library: Library, watch: StaleWatch, status: str, ended: str
) -> None:
    job_id = take_in(library)
    lose_work(library, picture(library, job_id).generation_id)
    spoil(library, "UPDATE generations SET status = ?", ended)
    spoil(library, "UPDATE jobs SET status = ?", status)

    assert look(watch) == 1

    assert library.jobs.get(job_id).status == ended
    assert statuses(library, job_id) == ["pending"], "its result is delivered"
    assert told(library) == [(job_id, "ended")]
    assert look(watch) == 0


def test_job_whose_pictures_are_gone_fails_with_a_reason(library: Library, watch: StaleWatch) -> None:
    job_id = take_in(library)
    spoil(library, "DELETE FROM work_queue")
    spoil(library, "DELETE FROM generations")

    assert look(watch) == 1

    job = library.jobs.get(job_id)
    assert (job.status, job.error["code"] if job.error else None) == ("failed", "queue.stale")


def test_result_that_was_never_delivered_is_delivered_once_more(library: Library, watch: StaleWatch) -> None:
    job_id = take_in(library)
    library.control.cancel(job_id, "someone")
    assert look(watch) == 0, "its delivery waits"
    lose_work(library, job_id)

    assert look(watch) == 1
    assert statuses(library, job_id) == ["failed", "pending"]
    assert told(library) == [(job_id, "delivery queued again")]

    lose_work(library, job_id)
    assert look(watch) == 0


def test_delivered_result_is_left_alone(library: Library, watch: StaleWatch) -> None:
    job_id = take_in(library)
    library.control.cancel(job_id, "someone")
    lose_work(library, job_id)
    spoil(library, "UPDATE jobs SET final_path = 'failed/a.yaml'")

    assert look(watch) == 0


def hold(library: Library, job_id: str) -> None:
    library.control.hold(job_id, "someone")


def pause_the_lane(library: Library, job_id: str) -> None:
    spoil(library, "INSERT INTO control (key, value, at) VALUES ('lane.gpu', 'paused', '2026')")


def fail_an_attempt(library: Library, job_id: str) -> None:
    item = begin(library)
    with library.database.transaction() as tx:
        library.work.retry(tx, item.failed_with("engine.crashed", "It crashed."), 500.0, "It crashed.")
        library.generations.set_status(tx, item.correlation_id, "pending")


def put_in_the_backlog(library: Library, job_id: str) -> None:
    with library.database.transaction() as tx:
        library.work.suspend(tx, picture(library, job_id).generation_id, EXECUTE)
    spoil(library, "UPDATE jobs SET status = 'backlogged'")


def wait_for_references(library: Library, job_id: str) -> None:
    spoil(library, "DELETE FROM work_queue")
    spoil(library, "DELETE FROM generations")
    spoil(library, "UPDATE jobs SET status = 'waiting_refs'")


@pytest.mark.parametrize(
    "wait", [hold, pause_the_lane, fail_an_attempt, put_in_the_backlog, wait_for_references]
)
def test_what_only_waits_is_left_alone(
    library: Library, watch: StaleWatch, clock: HandClock, wait: Callable[[Library, str], None]
) -> None:
    wait(library, take_in(library))

    assert look_after_silence(watch, clock) == 0
    assert told(library) == []


def test_one_finding_that_cannot_be_acted_on_does_not_keep_the_others(
    library: Library, watch: StaleWatch
) -> None:
    broken, other = take_in(library), take_in(library, JOB + "title: other\n")
    spoil(library, "UPDATE work_queue SET status = 'failed'")
    subject = picture(library, broken).generation_id
    spoil(library, "UPDATE work_queue SET payload_json = 'no JSON' WHERE correlation_id = ?", subject)

    assert look(watch) == 1

    assert statuses(library, picture(library, other).generation_id) == ["failed", "pending"]


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (LOST_PICTURES_SQL, "idx_generations_status"),
        (FORGOTTEN_JOBS_SQL, "idx_jobs_status"),
        (UNDELIVERED_SQL, "sqlite_autoindex_jobs_3 (final_path=?)"),
    ],
)
def test_look_reads_no_table_from_end_to_end(library: Library, sql: str, index: str) -> None:
    plan = [row["detail"] for row in library.database.query("EXPLAIN QUERY PLAN " + sql, (1,))]

    assert any(index in each for each in plan), plan
    assert not any(each.startswith("SCAN") for each in plan), plan
