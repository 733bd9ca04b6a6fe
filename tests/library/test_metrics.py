"""The figures of a scrape are those of the database, and what has ended costs it nothing."""

from __future__ import annotations

import pytest

from hotfolder import metrics
from hotfolder.domain.generation import GenerationOutcome
from hotfolder.domain.work import NewWork
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.imports import ImportStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.library.metrics import (
    DEAD_SQL,
    GENERATIONS_SQL,
    JOBS_SQL,
    PENDING_SQL,
    PROCESSING_SQL,
    SCHEDULED_SQL,
    MetricsStore,
)
from hotfolder.library.seen import Origin, SeenStore
from hotfolder.queue.lanes import LaneBook
from hotfolder.queue.store import WorkStore

AT = "2026-11-21T03:00:00.000Z"
ENDPOINT = 'local.a,b=c,d "e".image'
"""A model set has any name."""
OUTCOME = GenerationOutcome("a.png", 4200, None, None, "cn-engine", None, {}, ai_generated=True)


@pytest.fixture
def read(database):
    return MetricsStore(database).read


@pytest.fixture
def count(read):
    """The value of a counter with these labels; 0 before the first."""

    def find(name, **labels):
        return next((each.value for each in read().counters if (each.name, each.labels) == (name, labels)), 0)

    return find


@pytest.fixture
def put(database):
    """Enqueues work."""

    def enqueue(lane="gpu", **values):
        with database.transaction() as tx:
            return WorkStore(database).enqueue(tx, NewWork("paint", lane, {}, "tests", "s", **values))

    return enqueue


@pytest.fixture
def jobs(database):
    """Adds a job, and gives how to change its status."""
    store = JobStore(database)
    with database.transaction() as tx:
        store.insert(tx, Job("job", "received", "a.yaml", "a.yaml", b"", AT))

    def change(*statuses):
        with database.transaction() as tx:
            for each in statuses:
                store.set_status(tx, "job", each)

    return change


@pytest.fixture
def picture(database, jobs):
    """Adds a picture of the job, and gives how to change its status."""
    store = GenerationStore(database)
    asked = Generation(
        "g", "job", 0, "local", ENDPOINT, "text-to-image", {"prompt": "A bay"}, 64, 64, 1, "pending", AT
    )
    with database.transaction() as tx:
        store.insert(tx, asked, [])

    def change(status):
        with database.transaction() as tx:
            store.set_status(tx, "g", status)

    return change


def test_open_work_is_counted_by_lane_and_state(database, put, read):
    put()
    put()
    put("io", run_at="2026-12-01T00:00:00.000Z")
    put("cpu")
    WorkStore(database).claim("cpu")

    assert read().work == {("gpu", "pending"): 2, ("io", "scheduled"): 1, ("cpu", "processing"): 1}


def test_age_of_waiting_work_begins_when_its_turn_came(clock, put, read):
    put("io", run_at="2026-11-21T03:10:00.000Z")
    put("cpu")
    clock.advance(5)
    put("cpu")
    clock.advance(600 - 5)
    assert read().oldest_pending_s == {"cpu": 600.0}

    clock.advance(30)

    assert read().oldest_pending_s == {"cpu": 630.0}


def test_work_that_was_told_to_go_on_is_as_old_as_that(database, clock, put, read):
    put(is_waiting=True)
    clock.advance(3600)
    with database.transaction() as tx:
        WorkStore(database).resume(tx, "s", "paint")

    clock.advance(7)

    assert read().oldest_pending_s == {"gpu": 7.0}


def test_state_of_a_lane_is_what_somebody_wants_of_it(database, read):
    LaneBook(database).put("gpu", "paused", "anna")

    assert read().lane_states == {"gpu": "paused"}


def test_jobs_that_have_not_ended_are_counted_by_status(jobs, read):
    jobs("queued")

    found = read().jobs

    assert {status: n for status, n in found.items() if n} == {"queued": 1}
    assert {"held", "backlogged", "waiting_refs", "running"} <= found.keys()
    assert "completed" not in found


def test_every_end_of_a_job_is_counted(jobs, count):
    jobs("queued", "running", "failed", "queued", "running", "completed")

    assert count(metrics.JOBS_RECEIVED) == 1
    assert count(metrics.JOBS_ENDED, status="failed") == 1
    assert count(metrics.JOBS_ENDED, status="completed") == 1
    assert count(metrics.JOBS_REFUSED) == 0


def test_job_that_fails_at_the_door_is_refused(jobs, count):
    jobs("failed")

    assert count(metrics.JOBS_REFUSED) == 1
    assert count(metrics.JOBS_ENDED, status="failed") == 1


def test_made_picture_is_counted_with_its_wait_and_its_time(clock, picture, count, read):
    clock.advance(20)
    picture("processing")
    clock.advance(4)
    assert read().generations == {"pending": 0, "processing": 1, "awaiting_review": 0}

    picture("completed")

    assert count(metrics.GENERATIONS_ENDED, endpoint=ENDPOINT, status="completed") == 1
    assert count(metrics.GENERATION_DURATION + metrics.BUCKET, endpoint=ENDPOINT, le="5") == 1
    assert count(metrics.GENERATION_DURATION + metrics.SUM, endpoint=ENDPOINT) == 4
    assert count(metrics.QUEUE_WAIT + metrics.BUCKET, endpoint=ENDPOINT, le="60") == 1
    assert count(metrics.QUEUE_WAIT + metrics.SUM, endpoint=ENDPOINT) == 20


def test_time_of_a_review_is_no_part_of_a_pictures_time(clock, picture, count):
    picture("processing")
    clock.advance(10_000)
    picture("awaiting_review")
    assert count(metrics.GENERATIONS_ENDED, endpoint=ENDPOINT, status="completed") == 0
    clock.advance(86_400)

    picture("completed")

    assert count(metrics.GENERATION_DURATION + metrics.BUCKET, endpoint=ENDPOINT, le="+Inf") == 1
    assert count(metrics.GENERATION_DURATION + metrics.SUM, endpoint=ENDPOINT) == 10_000
    assert count(metrics.GENERATIONS_ENDED, endpoint=ENDPOINT, status="completed") == 1


@pytest.mark.parametrize("end", ["failed", "cancelled"])
def test_picture_that_was_not_made_has_no_time(picture, count, end):
    picture("processing")

    picture(end)

    assert count(metrics.GENERATIONS_ENDED, endpoint=ENDPOINT, status=end) == 1
    assert count(metrics.GENERATION_DURATION + metrics.SUM, endpoint=ENDPOINT) == 0


@pytest.mark.parametrize(("seconds", "bound"), [(-3.0, "0.5"), (0.5, "0.5"), (0.51, "1"), (601, "+Inf")])
def test_a_duration_is_counted_below_the_first_bound_that_holds_it(database, count, seconds, bound):
    with database.transaction() as tx:
        metrics.observe(tx, metrics.GENERATION_DURATION, {"endpoint": "e"}, seconds)

    assert count(metrics.GENERATION_DURATION + metrics.BUCKET, endpoint="e", le=bound) == 1


def test_engine_is_busy_for_what_its_pictures_took(database, picture, count):
    with database.transaction() as tx:
        GenerationStore(database).record_outcome(tx, "g", OUTCOME)
        GenerationStore(database).record_outcome(tx, "g", OUTCOME)

    assert count(metrics.ENGINE_BUSY, engine="cn-engine") == pytest.approx(8.4)


@pytest.mark.parametrize("end", ["failed", "dead", "cancelled"])
def test_work_that_ends_without_success_is_counted(database, put, count, read, end):
    put("io")
    store = WorkStore(database)
    item = store.claim("io")

    with database.transaction() as tx:
        store.end(tx, item, end, "no")

    assert count(metrics.WORK_ENDED, lane="io", status=end) == 1
    assert read().dead == ({"io": 1} if end == "dead" else {})


def test_completed_work_is_not_counted_at_all(database, put, read):
    put()
    store = WorkStore(database)
    item = store.claim("gpu")

    with database.transaction() as tx:
        store.complete(tx, item)

    assert read().counters == ()


def test_imports_are_counted_once_by_their_outcome(database, count):
    with database.transaction() as tx:
        ImportStore(database).end(tx, "m", {"outcome": "imported"})
        ImportStore(database).end(tx, "m", {"outcome": "imported"})

    assert count(metrics.IMPORTS, outcome="imported") == 1


def test_claimed_files_are_counted_when_they_are_seen_first(database, count):
    seen = SeenStore(database)

    seen.record_claims({"a": Origin("a.yaml", 1, 2, 3, 4, 5), "b": Origin("b.yaml", 1, 3, 3, 4, 5)})
    seen.record_claims({"a": Origin("a.yaml")})

    assert count(metrics.FILES_CLAIMED) == 2


def test_latest_state_of_each_engine_is_told(database, read):
    with database.transaction() as tx:
        tx.event("engine.status", "engine", "procedural", {"state": "stopped"})
        for state in ("busy", "ready", "error"):
            tx.event("engine.status", "engine", "cn-engine", {"state": state})

    assert read().engines == {"procedural": "stopped", "cn-engine": "error"}


def test_events_are_told_so_far_and_kept(database, read):
    assert (read().events_so_far, read().events_kept) == (0, 0)
    with database.transaction() as tx:
        for number in range(10):
            tx.event("job.changed", "job", str(number), {})
        tx.execute("DELETE FROM events WHERE seq <= 4")

    assert (read().events_so_far, read().events_kept) == (10, 6)


def test_size_of_the_database_is_that_of_its_pages(database, read):
    found = read()

    database.query("PRAGMA wal_checkpoint(TRUNCATE)")
    assert found.database_bytes == database.path.stat().st_size


@pytest.mark.parametrize(
    ("sql", "index"),
    [
        (PENDING_SQL, "idx_work_claim"),
        (SCHEDULED_SQL, "idx_work_scheduled"),
        (PROCESSING_SQL, "idx_work_claim"),
        (DEAD_SQL, "idx_work_dead"),
        (JOBS_SQL, "idx_jobs_status"),
        (GENERATIONS_SQL, "idx_generations_status"),
    ],
)
def test_open_rows_are_found_by_an_index_of_theirs(database, sql, index):
    values = ("queued",) * sql.count("?")

    plan = "; ".join(row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {sql}", values))

    assert index in plan
    assert "TEMP B-TREE" not in plan


def test_a_scrape_takes_as_many_steps_with_many_ended_rows_as_with_few(database, read):
    _add_ended(database, 0, 10)
    few = _steps(database, read)

    _add_ended(database, 10, 10_000)

    assert _steps(database, read) <= few * 1.05


def _steps(database, read):
    """How many instructions of its machine SQLite runs for a scrape."""
    taken = 0

    def step():
        nonlocal taken
        taken += 1
        return 0

    connection = database.connection()
    connection.set_progress_handler(step, 1)
    read()
    connection.set_progress_handler(None, 0)
    return taken


def _add_ended(database, first, last):
    numbers = [(str(each),) for each in range(first, last)]
    connection = database.connection()
    connection.execute("BEGIN")
    connection.executemany(
        """
        INSERT INTO work_queue (id, task_type, status, payload_json, owner_module, created_at, lane)
        VALUES (?, 'paint', 'completed', '{}', 'tests', '2026-11-21T03:00:00.000Z', 'gpu')
        """,
        numbers,
    )
    connection.executemany(
        """
        INSERT INTO jobs (id, status, job_file, file_name, text, created_at)
        VALUES (?, 'completed', 'a', 'a', x'', '2026-11-21T03:00:00.000Z')
        """,
        numbers,
    )
    connection.executemany(
        """
        INSERT INTO generations (id, provider, endpoint_key, mode, params_json, status, created_at)
        VALUES (?, 'local', 'e', 'text-to-image', '{}', 'completed', '2026-11-21T03:00:00.000Z')
        """,
        numbers,
    )
    connection.executemany(
        """
        INSERT INTO events (at, topic, subject_type, subject_id, data_json)
        VALUES ('2026-11-21T03:00:00.000Z', 'job.changed', 'job', ?, '{}')
        """,
        numbers,
    )
    connection.execute("COMMIT")
