"""What limits are measured by, and that measuring stays cheap however many jobs wait."""

from __future__ import annotations

import pytest

from hotfolder.domain.limits import Bucket
from hotfolder.domain.ranking import point_ms, rank_of
from hotfolder.errors import NotFound
from hotfolder.library.jobs import Job, JobStore
from hotfolder.library.owners import (
    ACTIVE_SQL,
    AHEAD_SQL,
    BACKLOG_SQL,
    ENDS_SQL,
    OWNERS_SQL,
    ROUND_SQL,
    InLine,
    OwnerStore,
)

AT = "2026-11-21T03:00:00.000Z"


@pytest.fixture
def owners(database):
    return OwnerStore(database)


@pytest.fixture
def add(database):
    """Adds a job, at any status."""
    jobs = JobStore(database)

    def insert(
        job_id,
        owner=None,
        status="queued",
        *,
        priority=0,
        created_at=AT,
        completed_at=None,
        reason="over limit: x",
    ):
        job = Job(job_id, "received", "a.yaml", "a.yaml", b"", created_at, owner=owner, priority=priority)
        with database.transaction() as tx:
            jobs.insert(tx, job)
            sql = "UPDATE jobs SET status = ?, completed_at = ?, wait_reason = ? WHERE id = ?"
            tx.execute(sql, (status, completed_at, reason, job_id))
            jobs.set_backlog_rank(tx, job_id, OwnerStore(database).rank_of(created_at, priority))

    return insert


def fill(database, owner, number, status="backlogged"):
    """Many jobs at once, the higher priorities last."""
    rows = [
        (f"{owner}-{each:05}", status, owner, each * 3 // number, f"2026-11-21T03:{each % 60:02}:00.000Z")
        for each in range(number)
    ]
    with database.transaction() as tx:
        for row in rows:
            tx.execute(
                """
                INSERT INTO jobs (id, status, owner, priority, created_at, job_file, file_name, text,
                                  wait_reason, backlog_rank)
                VALUES (?, ?, ?, ?, ?, 'a.yaml', 'a.yaml', x'', 'over limit: x', ?)
                """,
                (*row, OwnerStore(database).rank_of(row[4], row[3])),
            )


def place(job_id, priority, at):
    """Where a job stands that has not been in the queue."""
    return InLine(job_id, priority, at, rank_of(at, priority, point_ms(600.0)), was_queued=False)


def steps_of(database, call):
    """How many hundreds of steps SQLite needs."""
    steps = [0]

    def count():
        steps[0] += 1

    connection = database.connection()
    connection.set_progress_handler(count, 100)
    try:
        call()
    finally:
        connection.set_progress_handler(None, 0)
    return steps[0]


def test_active_jobs_of_an_owner_are_those_that_wait_in_the_queue_and_run(owners, add):
    for number, status in enumerate(["queued", "running", "cancelling", "backlogged", "held", "completed"]):
        add(f"a{number}", "anna", status)
        add(f"b{number}", None, status)
    add("c0", "ben", "running")

    assert owners.count_active("anna", 100) == 3
    assert owners.count_active("anna", 100, but="a1") == 2
    assert owners.count_active("anna", 2) == 2
    assert owners.count_active(None, 100) == 3
    assert owners.count_active("carl", 100) == 0
    assert owners.count_queued(100) == 5
    assert owners.count_queued(4) == 4


def test_backlog_is_in_the_order_of_the_queue_where_waiting_counts(owners, add):
    add("b", "anna", "backlogged")
    add("a", "anna", "backlogged")
    add("old", "anna", "backlogged", created_at="2026-11-21T02:00:00.000Z")
    add("urgent", "anna", "backlogged", priority=7)
    add("other", "ben", "backlogged", priority=9)
    add("nobody", None, "backlogged")

    line = owners.list_backlog("anna", 10)

    assert [each.job_id for each in line] == ["urgent", "old", "a", "b"]
    assert [owners.count_ahead("anna", each, 10) for each in line] == [0, 1, 2, 3]
    assert owners.count_ahead("anna", line[-1], 2) == 2
    assert owners.count_ahead("anna", place("new", 8, AT), 10) == 0
    assert [each.job_id for each in owners.list_backlog(None, 10)] == ["nobody"]
    assert [owners.count_backlog(each) for each in ("anna", "ben", None, "carl")] == [4, 1, 1, 0]


def test_job_that_waits_for_something_else_is_not_in_the_line_but_looked_at_from_time_to_time(owners, add):
    for number in range(5):
        add(f"poor{number}", "anna", "backlogged", reason="no credit", created_at=f"2026-11-21T03:0{number}Z")
    add("odd", "anna", "backlogged", reason=None, created_at="2026-11-21T02:00Z")
    add("limited", "anna", "backlogged", created_at="2026-11-21T03:02:30Z")

    assert [each.job_id for each in owners.list_backlog("anna", 10)] == ["limited"]
    assert owners.count_ahead("anna", place("new", 0, "2026-11-22T00:00:00.000Z"), 10) == 1
    parts, begin = [], None
    while not parts or begin is not None:
        part = owners.list_others(begin, 3)
        parts, begin = [*parts, part.job_ids], part.end

    assert parts == [["odd", "poor0", "poor1"], ["poor2", "poor3"], ["poor4"]]


def test_owners_that_wait_are_found_with_those_that_have_no_name(owners, add):
    assert not owners.has_backlog()
    assert owners.list_backlogged_owners() == []

    add("a", "anna", "backlogged")
    add("a2", "anna", "backlogged")
    add("b", "ben", "completed")
    add("c", "carl", "backlogged")
    assert owners.has_backlog()
    assert owners.list_backlogged_owners() == ["anna", "carl"]

    add("n", None, "backlogged")
    assert set(owners.list_backlogged_owners()) == {"anna", "carl", None}


def test_place_of_a_job_is_read_from_its_row(owners, add):
    add("a", "anna", priority=7)

    assert owners.get_in_line("a") == place("a", 7, AT)
    with pytest.raises(NotFound, match="none"):
        owners.get_in_line("none")


def test_latest_ends_come_first_and_older_ones_are_left_out(owners, add):
    add("a", "anna", "completed", completed_at="2026-11-21T02:00:00.000Z")
    add("b", "anna", "failed", completed_at="2026-11-21T02:50:00.000Z")
    add("c", None, "completed", completed_at="2026-11-21T02:55:00.000Z")
    add("d", "anna", "running")

    assert owners.list_ends("2026-11-21T02:30:00.000Z") == [
        (None, "2026-11-21T02:55:00.000Z"),
        ("anna", "2026-11-21T02:50:00.000Z"),
    ]


def test_bucket_is_kept_for_each_owner_and_for_those_without_a_name(database, owners):
    assert owners.find_bucket("anna") is None

    with database.transaction() as tx:
        owners.save_bucket(tx, "anna", Bucket(3.5, AT))
        owners.save_bucket(tx, None, Bucket(1, AT))
        owners.save_bucket(tx, "anna", Bucket(2.5, tx.at))

    assert owners.find_bucket("anna") == Bucket(2.5, AT)
    assert owners.find_bucket(None) == Bucket(1, AT)


def test_full_queue_is_remembered_until_it_is_no_longer(database, owners):
    for closed in (True, True, False, False):
        with database.transaction() as tx:
            owners.set_closed(tx, closed)
        assert owners.is_closed() is closed


@pytest.mark.parametrize(
    "sql",
    [
        ACTIVE_SQL,
        AHEAD_SQL,
        BACKLOG_SQL.replace("?", "1"),
        ROUND_SQL.replace("?", "1"),
        OWNERS_SQL,
        ENDS_SQL.replace("?", "1"),
    ],
)
def test_every_look_at_jobs_goes_by_an_index(database, sql):
    values = dict.fromkeys(["owner", "but", "most", "rank", "job_id", "now"], "1")
    plan = [row["detail"] for row in database.query(f"EXPLAIN QUERY PLAN {sql}", values)]

    assert [each for each in plan if each.startswith("SCAN jobs") and "INDEX" not in each] == []
    assert any("idx_jobs_" in each for each in plan)


def test_long_backlog_makes_nobody_slow_who_only_counts(database, owners):
    """Who is at a limit, whose jobs wait, and whether one is ahead: what is asked for every job."""
    fill(database, "anna", 20)
    newest = place("z", 0, "2026-11-22T00:00:00.000Z")

    def look():
        owners.count_active("anna", 2)
        owners.has_backlog()
        owners.list_backlogged_owners()
        owners.count_ahead("anna", newest, 1)

    few = steps_of(database, look)
    fill(database, "ben", 10_000)
    fill(database, "carl", 10_000, "completed")
    fill(database, "dora", 10_000, "running")
    many = steps_of(database, look)

    assert many <= few + 5


def test_line_of_a_long_backlog_is_read_in_one_pass(database, owners):
    fill(database, "ben", 10_000)

    steps = steps_of(database, lambda: owners.list_backlog("ben", 100))

    assert steps * 100 <= 20 * 10_000
