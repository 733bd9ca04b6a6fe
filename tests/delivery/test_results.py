"""The end of a job's file: its place is its own, nothing is written over, reports name what lies there."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from hotfolder.app import Library, create_library, open_library
from hotfolder.clock import new_id
from hotfolder.config import load_settings
from hotfolder.delivery import results
from hotfolder.delivery.flood import LIMIT, FailureTally
from hotfolder.delivery.results import ResultHandler
from hotfolder.domain.work import WorkItem
from hotfolder.files.names import claim_name
from hotfolder.generation.claimed import Accepted, ClaimedFile
from hotfolder.library.jobs import Job

JOB = "endpointKey: local.procedural.image\nparams: {prompt: A bay, size: 64*64}\n"
LIMIT_S = 10.0


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    root = tmp_path / "library"
    create_library(root)
    library = open_library(root, load_settings(root, {}))
    yield library
    library.close()


@pytest.fixture
def handler(library: Library) -> ResultHandler:
    return ResultHandler(library.database, library.paths, library.jobs, library.generations, library.media)


def take_in(library: Library, text: str = JOB, name: str = "a.yaml", claim_id: str | None = None) -> str:
    """The id of a new job whose file lies in processing/."""
    claimed = ClaimedFile(claim_id or new_id(), name, PurePosixPath(name), text.encode())
    outcome = library.service.take_in(claimed)
    assert isinstance(outcome, Accepted)
    put_into_processing(library, outcome.job_id, text, name)
    return outcome.job_id


def put_into_processing(library: Library, job_id: str, text: str, name: str = "a.yaml") -> None:
    (library.paths.processing / claim_name(job_id, name)).write_text(text, encoding="utf-8")


def run(library: Library, handler: ResultHandler, item: WorkItem) -> None:
    done = handler.execute(item, threading.Event())
    with library.database.transaction() as tx:
        library.work.complete(tx, item)
        done.record(tx)


def claim(library: Library) -> WorkItem:
    item = library.work.claim("io")
    assert item is not None
    return item


def end(library: Library, handler: ResultHandler, text: str = JOB, name: str = "a.yaml") -> Job:
    """A cancelled job whose result has been delivered."""
    job_id = take_in(library, text, name)
    library.control.cancel(job_id, "anna")
    run(library, handler, claim(library))
    return library.jobs.get(job_id)


def result_of(library: Library, job: Job) -> dict[str, object]:
    assert job.final_path is not None
    found: dict[str, object] = json.loads((library.paths.root / f"{job.final_path}.result.json").read_text())
    return found


def test_result_that_was_claimed_before_the_retry_leaves_the_new_run_its_file(
    library: Library, handler: ResultHandler
) -> None:
    job_id = take_in(library)
    library.control.cancel(job_id, "anna")
    late = claim(library)
    library.control.retry(job_id, "anna")
    library.control.cancel(job_id, "anna")  # ended again: only the number of the run tells them apart

    run(library, handler, late)

    assert library.jobs.get(job_id).final_path is None
    assert [each.name for each in library.paths.processing.iterdir()] == [f"{job_id}--a.yaml"]


def test_retry_while_a_place_is_chosen_keeps_its_file_and_is_not_cancelled_for_it(library: Library) -> None:
    class SlowHandler(ResultHandler):
        """Somebody tries the job again after its end was read, and before its place is noted."""

        def _free_place(self, job: Job, folder: Path) -> Path:
            library.control.retry(job.job_id, "anna")
            return super()._free_place(job, folder)

    handler = SlowHandler(library.database, library.paths, library.jobs, library.generations, library.media)
    job_id = take_in(library)
    library.control.cancel(job_id, "anna")

    run(library, handler, claim(library))

    job = library.jobs.get(job_id)
    assert (job.status, job.final_path, job.retry_of_path) == ("queued", None, None)
    assert [each.name for each in library.paths.processing.iterdir()] == [f"{job_id}--a.yaml"]
    assert list(library.paths.failed.iterdir()) == []


def test_retry_before_the_delivery_still_knows_where_the_first_run_left_the_file(
    library: Library, handler: ResultHandler
) -> None:
    job = end(library, handler)
    for _ in range(2):  # the second retry comes before the result of the first
        library.control.retry(job.job_id, "anna")
        library.control.cancel(job.job_id, "anna")
    assert library.jobs.get(job.job_id).retry_of_path == "failed/a.yaml"

    run(library, handler, claim(library))
    run(library, handler, claim(library))

    assert library.jobs.get(job.job_id).final_path == "failed/a.yaml"
    assert {each.name for each in library.paths.failed.iterdir()} == {
        "a.yaml",
        "a.yaml.error.md",
        "a.yaml.result.json",
    }


class MeetingHandler(ResultHandler):
    """Holds each thread at the name it has just chosen until the other one has chosen too."""

    meeting = threading.Barrier(2)

    def _free_place(self, job: Job, folder: Path) -> Path:
        place = super()._free_place(job, folder)
        if place.name == "a.yaml":
            self.meeting.wait(LIMIT_S)
        return place


def ids_of_different_turns() -> tuple[str, str]:
    """Of two jobs that do not wait for each other."""
    one = other = new_id()
    while hash(one) % results._TURNS == hash(other) % results._TURNS:
        other = new_id()
    return one, other


def test_two_jobs_of_one_name_that_end_at_once_get_two_places(library: Library) -> None:
    handler = MeetingHandler(
        library.database, library.paths, library.jobs, library.generations, library.media
    )
    titles = ("title: one\n", "title: two\n")
    ids = zip(ids_of_different_turns(), titles, strict=True)
    texts = {take_in(library, JOB + title, claim_id=claim_id): title for claim_id, title in ids}
    for job_id in texts:
        library.control.cancel(job_id, "anna")
    items = [claim(library), claim(library)]

    threads = [threading.Thread(target=run, args=(library, handler, item)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)

    jobs = [library.jobs.get(job_id) for job_id in texts]
    assert {job.final_path for job in jobs} == {"failed/a.yaml", "failed/a~2.yaml"}
    for job in jobs:
        assert (library.paths.root / str(job.final_path)).read_text().endswith(texts[job.job_id])
        assert result_of(library, job)["jobId"] == job.job_id


def test_place_of_another_job_stays_taken_when_its_file_has_been_removed(
    library: Library, handler: ResultHandler
) -> None:
    first = end(library, handler)
    for each in library.paths.failed.iterdir():
        each.unlink()

    second = end(library, handler)

    assert (first.final_path, second.final_path) == ("failed/a.yaml", "failed/a~2.yaml")


def test_repeat_is_put_beside_and_writes_nothing_over(library: Library, handler: ResultHandler) -> None:
    job = end(library, handler)
    foreign = library.paths.failed / "a~2.yaml"
    foreign.write_bytes(b"somebody's notes")
    put_into_processing(library, job.job_id, "# dropped again\n" + JOB)
    library.closer.deliver_if_ended(job.job_id)

    run(library, handler, claim(library))

    assert foreign.read_bytes() == b"somebody's notes"
    assert (library.paths.failed / "a.yaml").read_text() == JOB
    assert (library.paths.failed / "a~3.yaml").read_text() == "# dropped again\n" + JOB
    beside = json.loads((library.paths.failed / "a~3.yaml.result.json").read_text())
    assert beside["jobId"] == job.job_id
    assert not any(library.paths.processing.iterdir())


def test_repeat_whose_result_was_written_before_a_crash_goes_beside_it(
    library: Library, handler: ResultHandler
) -> None:
    job = end(library, handler)
    kept = library.paths.failed / "a~2.yaml.result.json"
    kept.write_bytes((library.paths.failed / "a.yaml.result.json").read_bytes())
    put_into_processing(library, job.job_id, JOB)
    library.closer.deliver_if_ended(job.job_id)

    run(library, handler, claim(library))

    assert (library.paths.failed / "a~2.yaml").read_text() == JOB
    assert not (library.paths.failed / "a~3.yaml.result.json").exists()


def test_report_names_the_file_as_it_lies_in_failed(library: Library, handler: ResultHandler) -> None:
    broken = JOB.replace("A bay", '""')
    (library.paths.failed / "c3.yaml").write_text("another file of that name")
    take_in(library, broken, "c3.yaml")

    run(library, handler, claim(library))

    report = (library.paths.failed / "c3~2.yaml.error.md").read_text()
    assert report.startswith("# c3~2.yaml: failed\n")
    assert "Mend `c3~2.yaml` and move it back" in report
    assert (library.paths.failed / "c3~2.yaml").read_text() == broken


def test_report_of_many_failures_counts_them_all_when_two_end_at_once(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_slowly(path: Path, data: bytes) -> None:
        if path.name.startswith("many-") and not is_first_written.is_set():
            is_first_written.set()
            is_next_written.wait(0.3)
        write(path, data)
        if path.name.startswith("many-"):
            is_next_written.set()

    tally = FailureTally()
    handler = ResultHandler(
        library.database, library.paths, library.jobs, library.generations, library.media, tally=tally
    )
    jobs = [refuse(library, f"{number}.yaml") for number in range(2)]
    for number in range(LIMIT):
        tally.count(jobs[0].error or {}, f"before-{number}.yaml")
    is_first_written, is_next_written = threading.Event(), threading.Event()
    write = results.write_atomic
    monkeypatch.setattr(results, "write_atomic", write_slowly)

    threads = [threading.Thread(target=run, args=(library, handler, claim(library))) for _ in jobs]
    for each in threads:
        each.start()
    for each in threads:
        each.join(LIMIT_S)

    (report,) = library.paths.failed.rglob("many-*.error.md")
    assert report.read_text(encoding="utf-8").startswith("# 2 more job files failed")


def refuse(library: Library, name: str) -> Job:
    """A job for an endpoint that is not there."""
    text = JOB.replace("procedural", "nowhere")
    outcome = library.service.take_in(ClaimedFile(new_id(), name, PurePosixPath(name), text.encode()))
    assert isinstance(outcome, Accepted)  # as a job that has failed
    put_into_processing(library, outcome.job_id, text, name)
    return library.jobs.get(outcome.job_id)
