"""The reading of the queue for people: right however much waits, and quick however much has ended."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hotfolder.app import Library, create_library, open_library
from hotfolder.config import load_settings
from hotfolder.queue import dead, overview
from hotfolder.queue.overview import QueueOverview

AT = "2026-11-21T03:00:00.000Z"
ADD_JOB = """
    INSERT INTO jobs (id, status, job_file, file_name, created_at, text, priority, keywords_json,
                      metadata_json, extra_json)
    VALUES (?, ?, ?, 'a.yaml', ?, x'', 0, '[]', '{}', '{}')
"""
ADD_PICTURE = """
    INSERT INTO generations (id, job_id, position, provider, endpoint_key, mode, width, height, seed,
                             params_json, status, created_at)
    VALUES (?, ?, ?, 'local', 'x', 'text-to-image', 64, 64, 1, '{}', 'pending', ?)
"""
ADD_WORK = """
    INSERT INTO work_queue (id, task_type, lane, status, payload_json, correlation_id, owner_module, priority,
                            max_attempts, created_at, since, rank)
    VALUES (?, 'generation.local.image', 'gpu', 'pending', '{}', ?, 'generation', 0, 3, ?, ?, ?)
"""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    create_library(tmp_path / "library")
    opened = open_library(tmp_path / "library", load_settings(tmp_path / "library", {}))
    yield opened
    opened.close()


def add(library: Library, job_id: str, pictures: int, rank: int, status: str = "queued") -> None:
    with library.database.transaction() as tx:
        tx.execute(ADD_JOB, (job_id, status, f"{job_id}.yaml", AT))
        for position in range(pictures):
            picture = f"{job_id}-{position}"
            tx.execute(ADD_PICTURE, (picture, job_id, position, AT))
            tx.execute(ADD_WORK, (f"work-{picture}", picture, AT, AT, rank))


def view(library: Library) -> QueueOverview:
    return QueueOverview(library.database, {"gpu": 1, "cpu": 2, "io": 8})


def test_next_jobs_are_found_behind_jobs_of_very_many_pictures(library: Library) -> None:
    add(library, "long", 700, rank=1)
    add(library, "at-work", 300, rank=2, status="running")
    add(library, "last", 1, rank=4)
    add(library, "short", 1, rank=3)

    assert [each.job_id for each in view(library).list_next()] == ["long", "short", "last"]
    assert [each.job_id for each in view(library).list_next(2)] == ["long", "short"]
    assert view(library).list_lanes()[0].counts["pending"] == 1002


def test_an_empty_queue_is_told_as_one(library: Library) -> None:
    found = view(library).describe()

    assert (found["jobs"], found["next"], found["dead"]) == ({}, [], [])
    assert [(each["state"], each["pending"], each["oldestAgeS"]) for each in found["lanes"]] == [
        ("running", 0, None)
    ] * 3


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        *((sql, {}) for sql in overview._COUNT_SQL.values()),
        (overview._OLDEST_SQL, {}),
        (overview._NEXT_SQL, {"lane": "gpu", "rank": 0, "place": 0, "page": 10}),
        (overview._DEAD_SQL, dict.fromkeys(("code", "endpoint_key", "owner", "since", "limit"))),
        (overview._DEAD_OF_SQL, ("[]",)),
        (dead.LIST_SQL, (20,)),
    ],
)
def test_no_statement_looks_at_what_has_ended(
    library: Library, sql: str, values: dict[str, object] | tuple[object]
) -> None:
    plan = [row["detail"] for row in library.database.query(f"EXPLAIN QUERY PLAN {sql}", values)]

    (place,) = [each for each in plan if "work_queue" in each]
    assert any(each in place for each in ("idx_work_claim", "idx_work_scheduled", "idx_work_processing")) or (
        "idx_work_dead" in place
    ), plan
