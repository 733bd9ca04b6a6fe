"""Job files at the door: ids that are known already, and repeats after a crash."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from hotfolder.app import Library
from hotfolder.clock import new_id
from hotfolder.generation.claimed import Accepted, ClaimedFile

OWN_ID = "3f0c1111-0000-4000-8000-000000000001"
JOB = "endpointKey: local.procedural.image\nparams: {prompt: A bay, size: 64*64}\n"


def take_in(library: Library, text: str, name: str = "a.yaml", claim: str | None = None) -> str:
    """The id of the job that a claimed file stands for."""
    outcome = library.service.take_in(
        ClaimedFile(claim or new_id(), name, PurePosixPath(name), text.encode())
    )
    assert isinstance(outcome, Accepted)
    return outcome.job_id


BROKEN = JOB.replace("A bay", '""')


def rows(library: Library, sql: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in library.database.query(sql)]


def test_broken_file_taken_in_again_after_a_crash_makes_one_job_and_one_result(library: Library) -> None:
    claim = new_id()

    first = take_in(library, BROKEN, claim=claim)
    second = take_in(library, BROKEN, claim=claim)

    assert first == second == claim
    assert rows(library, "SELECT id, status FROM jobs") == [(claim, "failed")]
    assert rows(library, "SELECT task_type FROM work_queue") == [("delivery.result",)]


@pytest.mark.parametrize("own_id", [OWN_ID, "order-17"])
def test_broken_file_with_the_id_of_a_running_job_is_refused_under_its_own_claim(
    library: Library, own_id: str
) -> None:
    running = take_in(library, f"id: {own_id}\n" + JOB)
    before = library.jobs.get(running)
    claim = new_id()

    refused = take_in(library, f"id: {own_id}\n" + BROKEN, "b.yaml", claim)

    assert refused == claim
    job = library.jobs.get(claim)
    assert (job.status, job.submit_key, job.file_name) == ("failed", None, "b.yaml")
    assert library.jobs.get(running) == before
    assert library.jobs.find_by_key("order-17") == (before if own_id == "order-17" else None)


def test_refused_file_that_is_dropped_mended_runs_with_the_mended_text(library: Library) -> None:
    refused = take_in(library, f"id: order-17\nextra: {{order: 7}}\n{BROKEN}")

    mended = take_in(library, f"id: order-17\nextra: {{order: 8}}\n{JOB}", "mended.yaml")

    job = library.jobs.get(mended)
    assert (mended, job.status, job.run) == (refused, "queued", 2)
    assert (job.extra, job.error) == ({"order": 8}, None)
    assert job.text.decode().endswith(JOB)
    assert [each.params["prompt"] for each in library.generations.list_of_job(mended)] == ["A bay"]


def test_other_job_under_the_id_of_a_running_one_is_refused_as_a_duplicate(library: Library) -> None:
    running = take_in(library, f"id: {OWN_ID}\n" + JOB)

    other = take_in(library, f"id: {OWN_ID}\n" + JOB.replace("bay", "cliff"), "b.yaml")

    error = library.jobs.get(other).error
    assert other != running
    assert error is not None
    assert error["code"] == "job.duplicate_id"


def test_same_job_dropped_again_with_other_comments_is_answered_by_the_first(library: Library) -> None:
    first = take_in(library, f"id: {OWN_ID}\n" + JOB)

    again = take_in(library, f"# once more\nid: {OWN_ID}\n" + JOB, "b.yaml")

    assert again == first
    assert len(library.generations.list_of_job(first)) == 1


@pytest.mark.parametrize("text", [BROKEN, JOB.replace("bay", "cliff")], ids=["broken", "duplicate"])
@pytest.mark.parametrize("own_id", [OWN_ID, "order-17"])
def test_refused_file_with_a_used_id_is_refused_once_also_after_a_crash(
    library: Library, own_id: str, text: str
) -> None:
    take_in(library, f"id: {own_id}\n" + JOB)
    claim = new_id()

    outcomes = [take_in(library, f"id: {own_id}\n" + text, "b.yaml", claim) for _ in range(2)]

    assert outcomes == [claim, claim]
    assert len(library.jobs.list_newest()) == 2
