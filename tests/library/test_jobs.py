"""Jobs keep what was submitted, and change their status by the table only."""

from __future__ import annotations

import itertools
import sqlite3
from dataclasses import replace

import pytest

from hotfolder.domain.generation import ACTIVE, ENDED, JOB_TRANSITIONS
from hotfolder.errors import NotFound
from hotfolder.library.jobs import Job, JobStore

AT = "2026-11-21T03:00:00.000Z"
IDS = (
    "019aa4a0-0000-7000-8000-00000000aaaa",
    "019aa4a0-1111-7000-8000-00000000bbbb",
    "019bb4a0-1111-7000-8000-00000000aaaa",
)
CHANGES = [
    (before, after)
    for before, after in itertools.product(JOB_TRANSITIONS, repeat=2)
    if after in JOB_TRANSITIONS[before]
]
OTHER_CHANGES = sorted(set(itertools.product(JOB_TRANSITIONS, repeat=2)) - set(CHANGES))


@pytest.fixture
def jobs(database):
    return JobStore(database)


@pytest.fixture
def add(database, jobs):
    """Adds a job, at any status."""

    def insert(job_id=IDS[0], *, status="received", **values):
        job = Job(job_id, "received", "shots/a.yaml", "a.yaml", b"endpointKey: x\n", AT, **values)
        with database.transaction() as tx:
            jobs.insert(tx, job)
            tx.execute("UPDATE jobs SET status = ? WHERE id = ?", (status, job_id))
        return job

    return insert


@pytest.fixture
def change(database, jobs):
    """Changes the status, in a transaction of its own."""

    def set_status(status, job_id=IDS[0], **values):
        with database.transaction() as tx:
            jobs.set_status(tx, job_id, status, **values)

    return set_status


def told(database, topic="job.changed"):
    events = [each for each in database.list_events(0) if each.topic == topic]
    return [(each.subject_id, each.data, each.actor) for each in events]


def test_a_job_is_read_as_it_was_written(jobs, add):
    job = add(
        submit_key="shot-17",
        content_sha256="c" * 64,
        endpoint_key="local.flux2-klein-4b.image",
        title="Übung",
        owner="anna",
        priority=-3,
        max_attempts=5,
        keywords=("bay", "dawn"),
        metadata={"creator": "Anna"},
        extra={"shot": [17, None]},
    )

    assert jobs.get(job.job_id) == job
    assert jobs.find_by_key("shot-17") == job
    assert jobs.is_known(job.job_id)


def test_the_text_of_a_job_keeps_every_byte(database, jobs):
    text = b"\xef\xbb\xbfprompt: caf\xe9\x00\r\n"
    with database.transaction() as tx:
        jobs.insert(tx, Job(IDS[0], "received", "a.yaml", "a.yaml", text, AT))

    assert jobs.get(IDS[0]).text == text


def test_a_new_job_is_an_event_that_names_its_file(database, add):
    add()

    assert told(database, "job.received") == [(IDS[0], {"jobFile": "shots/a.yaml"}, None)]


def test_a_job_that_does_not_exist_is_not_found(jobs, change):
    assert jobs.find("none") is None
    assert jobs.find_by_key("none") is None
    assert not jobs.is_known("none")
    with pytest.raises(NotFound, match="none"):
        jobs.get("none")
    with pytest.raises(NotFound, match="none"):
        change("queued", "none")


def test_two_jobs_cannot_have_the_same_key(add):
    add(IDS[0], submit_key="shot-17")

    with pytest.raises(sqlite3.IntegrityError):
        add(IDS[1], submit_key="shot-17")


@pytest.mark.parametrize(("before", "after"), CHANGES)
def test_every_change_of_the_table_is_made_and_told(database, jobs, add, change, before, after):
    add(status=before)

    change(after, actor="anna")

    assert jobs.get(IDS[0]).status == after
    assert told(database) == [(IDS[0], {"status": after, "from": before}, "anna")]


@pytest.mark.parametrize("before", JOB_TRANSITIONS)
def test_every_other_change_is_refused_and_nothing_is_told(database, jobs, add, change, before):
    add(status=before)

    for _, after in (each for each in OTHER_CHANGES if each[0] == before):
        with pytest.raises(ValueError, match=f"no change from '{before}' to '{after}'"):
            change(after)

    assert jobs.get(IDS[0]).status == before
    assert told(database) == []


def test_a_job_starts_once_and_ends_when_it_ends(jobs, clock, add, change):
    add(status="queued")
    clock.advance(1)
    change("running")
    clock.advance(1)
    change("queued")  # handed back
    clock.advance(1)
    change("running")
    assert jobs.get(IDS[0]).completed_at is None
    clock.advance(1)
    change("completed")

    job = jobs.get(IDS[0])
    assert (job.started_at, job.completed_at) == ("2026-11-21T03:00:01.000Z", "2026-11-21T03:00:04.000Z")


@pytest.mark.parametrize("status", sorted(ENDED))
def test_every_ended_job_has_an_instant_of_its_end(jobs, add, change, status):
    add(status="running")

    change(status)

    assert jobs.get(IDS[0]).completed_at == AT


def test_a_job_that_never_ran_has_no_start(jobs, add, change):
    add()

    change("failed", error={"code": "job.parse", "message": "No."})

    job = jobs.get(IDS[0])
    assert (job.started_at, job.completed_at) == (None, AT)
    assert job.error == {"code": "job.parse", "message": "No."}


def test_a_job_that_begins_again_forgets_how_it_ended_but_not_where_its_file_lies(
    database, jobs, clock, add, change
):
    job = add(status="running")
    change("failed", error={"code": "engine.crashed"})
    with database.transaction() as tx:
        jobs.request_cancel(tx, IDS[0])
        jobs.set_final_path(tx, IDS[0], "failed/a.yaml")
    clock.advance(60)

    with database.transaction() as tx:
        jobs.begin_again(tx, replace(job, text=b"edited", priority=7, keywords=("bay",), extra={"take": 2}))

    again = jobs.get(IDS[0])
    assert (again.status, again.run) == ("queued", 2)
    assert (again.text, again.priority, again.keywords, again.extra) == (b"edited", 7, ("bay",), {"take": 2})
    assert (again.error, again.cancel_requested) == (None, False)
    assert (again.started_at, again.completed_at) == (None, None)
    assert (again.final_path, again.retry_of_path) == (None, "failed/a.yaml")
    assert not jobs.is_final_path_taken("failed/a.yaml")


@pytest.mark.parametrize("status", ["running", "completed", "queued"])
def test_a_job_that_has_not_failed_does_not_begin_again(database, jobs, add, status):
    job = add(status=status)
    before = jobs.get(IDS[0])

    with pytest.raises(ValueError, match=f"{status}.* begin again"), database.transaction() as tx:
        jobs.begin_again(tx, replace(job, text=b"edited"))

    assert jobs.get(IDS[0]) == before


def test_a_wish_to_cancel_is_kept_with_the_job(database, jobs, add):
    add()
    with database.transaction() as tx:
        jobs.request_cancel(tx, IDS[0])

    assert jobs.get(IDS[0]).cancel_requested


def test_a_place_for_the_file_belongs_to_one_job(database, jobs, add):
    add(IDS[0])
    add(IDS[1])
    with database.transaction() as tx:
        jobs.set_final_path(tx, IDS[0], "done/a.yaml")

    assert jobs.is_final_path_taken("done/a.yaml")
    assert not jobs.is_final_path_taken("done/b.yaml")
    with pytest.raises(sqlite3.IntegrityError), database.transaction() as tx:
        jobs.set_final_path(tx, IDS[1], "done/a.yaml")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (IDS[0], {IDS[0]}),
        (IDS[0].upper(), {IDS[0]}),
        ("019aa4a0", {IDS[0], IDS[1]}),
        ("019AA4A0-11", {IDS[1]}),
        ("aaaa", {IDS[0], IDS[2]}),
        ("shot-17", {IDS[1]}),
        ("shot", set()),
        ("a4a0", set()),
        ("%", set()),
        ("", set()),
        (IDS[0] + "0", set()),
    ],
)
def test_a_job_is_found_by_its_id_its_key_or_an_end_of_its_id(jobs, add, text, found):
    add(IDS[0])
    add(IDS[1], submit_key="shot-17")
    add(IDS[2])

    assert {job.job_id for job in jobs.find_by_prefix(text)} == found


def test_a_key_that_looks_like_the_beginning_of_an_id_goes_first(jobs, add):
    add(IDS[0])
    add(IDS[2], submit_key="019aa4a0")

    assert [job.job_id for job in jobs.find_by_prefix("019aa4a0")] == [IDS[2]]


def test_jobs_are_listed_newest_first_and_active_ones_on_wish(database, jobs):
    for number, (job_id, status) in enumerate(zip(IDS, ["running", "completed", "held"], strict=True)):
        at = f"2026-11-21T03:00:0{number}.000Z"
        with database.transaction() as tx:
            jobs.insert(tx, Job(job_id, "received", "a.yaml", "a.yaml", b"", at))
            tx.execute("UPDATE jobs SET status = ? WHERE id = ?", (status, job_id))

    assert [job.job_id for job in jobs.list_newest()] == [IDS[2], IDS[1], IDS[0]]
    assert [job.job_id for job in jobs.list_newest(statuses=ACTIVE)] == [IDS[2], IDS[0]]
    assert [job.job_id for job in jobs.list_newest(limit=1)] == [IDS[2]]
    assert jobs.list_active_ids() == {IDS[0], IDS[2]}


def test_what_a_job_waits_for_is_kept_and_forgotten_again(database, jobs, add):
    add(status="waiting_refs")
    with database.transaction() as tx:
        jobs.set_waiting(tx, IDS[0], ["Büro.png", "sha256 ab..."], AT)
    waiting = jobs.get(IDS[0])
    with database.transaction() as tx:
        jobs.set_waiting(tx, IDS[0], (), None)

    assert (waiting.waits_for, waiting.waits_until) == (("Büro.png", "sha256 ab..."), AT)
    assert (jobs.get(IDS[0]).waits_for, jobs.get(IDS[0]).waits_until) == ((), None)


def test_jobs_that_wait_are_listed_the_longest_waiting_first(database, jobs, add):
    for job_id, status, until in zip(
        IDS,
        ["waiting_refs", "queued", "waiting_refs"],
        ["2026-11-22", "2026-11-20", "2026-11-21"],
        strict=True,
    ):
        add(job_id, status=status)
        with database.transaction() as tx:
            jobs.set_waiting(tx, job_id, ["a.png"], until)

    assert [job.job_id for job in jobs.list_waiting()] == [IDS[2], IDS[0]]


def test_a_job_that_begins_again_may_wait_first(database, jobs, add, change):
    job = add(status="running")
    change("failed", error={"code": "engine.crashed"})

    with database.transaction() as tx:
        jobs.begin_again(tx, job, status="waiting_refs")

    again = jobs.get(IDS[0])
    assert (again.status, again.run, again.error) == ("waiting_refs", 2, None)


def test_a_job_that_waits_takes_on_what_its_file_says_by_now(database, jobs, add):
    job = add(status="waiting_refs", title="Before")
    with database.transaction() as tx:
        jobs.describe_again(tx, replace(job, text=b"edited", title="After", priority=9))

    now = jobs.get(IDS[0])
    assert (now.status, now.run, now.text, now.title, now.priority) == (
        "waiting_refs",
        1,
        b"edited",
        "After",
        9,
    )


@pytest.mark.parametrize(
    ("final_path", "name", "is_found"),
    [
        ("failed/a.yaml", "a.yaml", True),
        ("failed/2026/11/21/a.yaml", "a.yaml", True),
        ("failed/a~2.yaml", "a.yaml", False),
        ("failed/b-a.yaml", "a.yaml", False),
        ("done/2026/11/21/a.yaml", "a.yaml", False),
        ("failed/100%.yaml", "100%.yaml", True),
        ("failed/a_b.yaml", "a_b.yaml", True),
        ("failed/2026/11/21/axb.yaml", "a_b.yaml", False),
        ("failed/2026/11/21/A.yaml", "a.yaml", False),
        ("failed/2026/11/21/x.yaml", "%", False),
    ],
)
def test_a_job_is_found_by_the_name_that_its_file_had_in_failed(
    database, jobs, add, final_path, name, is_found
):
    add(status="failed")
    with database.transaction() as tx:
        jobs.set_final_path(tx, IDS[0], final_path)

    assert [job.job_id for job in jobs.find_by_final_name(name)] == ([IDS[0]] if is_found else [])


def test_jobs_that_have_their_file_in_processing_are_those_of_a_first_run(database, jobs, add):
    add(IDS[0], status="running")
    add(IDS[1], status="completed")
    add(IDS[2], status="queued")
    with database.transaction() as tx:
        tx.execute("UPDATE jobs SET run = 2 WHERE id = ?", (IDS[2],))

    assert jobs.list_claimed_ids() == {IDS[0]}


def test_each_further_file_of_a_job_is_counted(jobs, add):
    add()
    jobs.count_repeat(IDS[0])
    jobs.count_repeat(IDS[0])

    assert jobs.get(IDS[0]).repeats == 2


def test_names_in_failed_are_looked_up_by_an_index_alone(database, jobs, monkeypatch):
    asked = []
    monkeypatch.setattr(database, "query", lambda sql, values: asked.append((sql, values)) or [])
    jobs.find_by_final_name("a.yaml")
    monkeypatch.undo()

    plan = [
        row["detail"] for sql, values in asked for row in database.query(f"EXPLAIN QUERY PLAN {sql}", values)
    ]
    assert plan
    assert not [each for each in plan if each.startswith("SCAN")]
