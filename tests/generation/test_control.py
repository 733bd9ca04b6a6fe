"""Jobs that run again: which seed they get, and which of them may."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest

from hotfolder.app import Library
from hotfolder.clock import new_id
from hotfolder.errors import HotfolderError
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


def seeds_of(library: Library, job_id: str) -> list[int]:
    return [each.seed for each in library.generations.list_of_job(job_id)]


def test_retry_keeps_every_seed_that_was_chosen(library: Library) -> None:
    job_id = take_in(library, JOB + "count: 3\n")
    chosen = seeds_of(library, job_id)
    library.control.cancel(job_id, "anna")

    library.control.retry(job_id, "anna")

    assert len(set(chosen)) == 3
    assert seeds_of(library, job_id) == chosen


def test_changed_prompt_under_the_same_id_gets_a_fresh_seed(library: Library) -> None:
    job_id = take_in(library, f"id: {OWN_ID}\n" + JOB)
    chosen = seeds_of(library, job_id)
    library.control.cancel(job_id, "anna")

    take_in(library, f"id: {OWN_ID}\n" + JOB.replace("A bay", "A cliff"))

    assert library.jobs.get(job_id).status == "queued"
    assert seeds_of(library, job_id) != chosen


def test_seed_that_the_job_names_wins_over_the_one_that_was_chosen(library: Library) -> None:
    job_id = take_in(library, f"id: {OWN_ID}\n" + JOB)
    library.control.cancel(job_id, "anna")

    take_in(library, f"id: {OWN_ID}\n" + JOB.replace("A bay", "A bay, seed: 5"))

    assert seeds_of(library, job_id) == [5]


def test_job_that_still_runs_is_not_tried_again(library: Library) -> None:
    job_id = take_in(library, JOB)

    with pytest.raises(HotfolderError) as caught:
        library.control.retry(job_id, "anna")

    assert caught.value.code == "job.not_retryable"
    assert library.jobs.get(job_id).run == 1


def test_cancel_of_a_waiting_job_ends_it_and_its_work_at_once(library: Library) -> None:
    job_id = take_in(library, JOB)

    job = library.control.cancel(job_id, "anna")

    assert job.status == "cancelled"
    assert library.work.count_open("gpu") == 0
    assert [each.status for each in library.generations.list_of_job(job_id)] == ["cancelled"]
