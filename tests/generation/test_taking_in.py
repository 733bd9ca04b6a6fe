"""What a review showed: jobs that run again, ids of refused files, references to what is no picture."""

from __future__ import annotations

import os
import threading
from pathlib import Path, PurePosixPath

import pytest
from PIL import Image

from hotfolder.app import Library
from hotfolder.clock import new_id
from hotfolder.delivery.results import ResultHandler
from hotfolder.errors import ContentMissing, LibraryError
from hotfolder.files.names import claim_name
from hotfolder.files.storage import write_to_free_name
from hotfolder.generation.claimed import Accepted, ClaimedFile
from hotfolder.generation.prepare import prepare_references

JOB = "endpointKey: local.procedural.image\nparams: {prompt: A bay, size: 64*64}\n"
OWN_ID = "3f0c1111-0000-4000-8000-000000000001"


def take_in(library: Library, text: str, name: str = "a.yaml", claim: str | None = None) -> str:
    """The id of the job that a claimed file stands for; the file lies in processing/ under it."""
    claim = claim or new_id()
    outcome = library.service.take_in(ClaimedFile(claim, name, PurePosixPath(name), text.encode()))
    assert isinstance(outcome, Accepted)
    (library.paths.processing / claim_name(outcome.job_id, name)).write_text(text, encoding="utf-8")
    return outcome.job_id


def deliver(library: Library) -> int:
    """Run every pending delivery; gives their number."""
    handler = ResultHandler(library.database, library.paths, library.jobs, library.generations, library.media)
    count = 0
    while (item := library.work.claim("io")) is not None:
        done = handler.execute(item, threading.Event())
        with library.database.transaction() as tx:
            library.work.complete(tx, item)
            done.record(tx)
        count += 1
    return count


def test_result_left_over_from_an_earlier_run_leaves_the_job_that_runs_again_alone(library: Library) -> None:
    job_id = take_in(library, JOB)
    library.control.cancel(job_id, "anna")
    library.control.retry(job_id, "anna")

    assert deliver(library) == 1

    assert library.jobs.get(job_id).final_path is None
    assert [file.name for file in library.paths.processing.iterdir()] == [f"{job_id}--a.yaml"]
    assert not any(library.paths.failed.iterdir())


def test_retry_keeps_the_seed_that_was_chosen_for_the_same_picture(library: Library) -> None:
    job_id = take_in(library, JOB)
    (first,) = library.generations.list_of_job(job_id)
    library.control.cancel(job_id, "anna")

    library.control.retry(job_id, "anna")

    (second,) = library.generations.list_of_job(job_id)
    assert second.generation_id != first.generation_id
    assert second.seed == first.seed


@pytest.mark.parametrize("own_id", [OWN_ID, "order-17"])
def test_refused_file_is_found_under_its_own_id_and_runs_under_it_once_mended(
    library: Library, own_id: str
) -> None:
    broken = f"id: {own_id}\nextra: {{order: 7}}\n" + JOB.replace("A bay", '""')

    refused = take_in(library, broken)
    again = take_in(library, broken)
    mended = take_in(library, f"id: {own_id}\n" + JOB)

    assert refused == again == mended
    job = library.jobs.get(mended)
    assert job.status == "queued"
    assert own_id in (job.job_id, job.submit_key)
    assert len(library.jobs.list_newest()) == 1


def test_refused_file_keeps_what_the_submitter_wrote_for_himself(library: Library) -> None:
    job_id = take_in(library, "extra: {order: 7}\n" + JOB.replace("prompt", "promt"))

    assert library.jobs.get(job_id).extra == {"order": 7}


@pytest.mark.parametrize(
    "name", ["../library.db", "../library.db-wal", "../hotfolder.yaml", "../run/lock", "linked.png"]
)
def test_reference_to_the_database_is_refused_without_being_opened(
    library: Library, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def opened(*_: object, **__: object) -> None:
        raise AssertionError("the file was opened")

    os.link(library.paths.database, library.paths.inbox / "linked.png")
    monkeypatch.setattr("hotfolder.generation.references.store_stream", opened)
    monkeypatch.setattr("hotfolder.generation.references.check_image", opened)

    job_id = take_in(library, f"refs: [{name}]\n" + JOB)

    error = library.jobs.get(job_id).error
    assert error is not None
    assert [each["code"] for each in error["problems"]] == ["job.ref_refused"]


def test_reference_changed_after_acceptance_never_reaches_the_engine(library: Library) -> None:
    Image.new("RGB", (40, 30), "red").save(library.paths.inbox / "red.png")
    job_id = take_in(library, "refs: [red.png]\n" + JOB)
    (generation,) = library.generations.list_of_job(job_id)
    (reference,) = library.generations.list_inputs(generation.generation_id)
    Image.new("RGB", (40, 30), "blue").save(library.paths.absolute(reference.file_path))

    with pytest.raises(ContentMissing, match="has changed"):
        prepare_references(library.paths, [reference])


def test_broken_prepared_reference_is_made_again(library: Library) -> None:
    Image.new("RGB", (40, 30), "red").save(library.paths.inbox / "red.png")
    job_id = take_in(library, "refs: [red.png]\n" + JOB)
    (generation,) = library.generations.list_of_job(job_id)
    inputs = library.generations.list_inputs(generation.generation_id)
    (prepared,) = prepare_references(library.paths, inputs)
    Path(prepared.path).write_bytes(b"")

    assert prepare_references(library.paths, inputs) == (prepared,)


def test_refused_reference_does_not_take_another_jobs_file_away(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (40, 30), "red").save(library.paths.inbox / "red.png")
    take_in(library, "refs: [red.png]\n" + JOB)
    (stored,) = library.paths.refs.iterdir()

    def fails(*_: object) -> None:
        raise LibraryError("not enough memory to decode it")

    monkeypatch.setattr("hotfolder.generation.references.check_image", fails)
    take_in(library, "refs: [red.png]\n" + JOB, "b.yaml")

    assert stored.is_file()


def test_second_run_under_an_id_takes_over_the_new_name_and_place(library: Library) -> None:
    take_in(library, f"id: {OWN_ID}\n" + JOB.replace("A bay", '""'), "old.yaml")

    job_id = take_in(library, f"id: {OWN_ID}\n" + JOB, "new.yaml")

    assert (library.jobs.get(job_id).file_name, library.jobs.get(job_id).job_file) == ("new.yaml", "new.yaml")


def test_eight_submits_of_one_name_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait(10)
        write_to_free_name(tmp_path, "job.yaml", str(number).encode())

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(file.read_text() for file in tmp_path.iterdir()) == [str(number) for number in range(8)]


def test_reference_missing_in_the_second_document_refuses_the_whole_file_where_nobody_waits(
    library: Library,
) -> None:
    job_id = take_in(library, JOB + "---\nrefs:\n  - nowhere.png\n" + JOB)

    error = library.jobs.get(job_id).error
    assert error is not None
    assert [(each["code"], each["path"]) for each in error["problems"]] == [("job.ref_missing", "refs.0")]
