"""What people do to jobs that wait: hold, release, another priority, dead work tried again."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest
from PIL import Image

from hotfolder.app import Library, create_library, open_library
from hotfolder.config import load_settings
from hotfolder.domain.work import WorkItem
from hotfolder.errors import EngineCrashed, HotfolderError
from hotfolder.generation.execute import EXECUTE
from hotfolder.library.jobs import Job
from hotfolder.lock import LibraryLock
from hotfolder.queue.lanes import LaneBook, LaneState
from tests.generation.test_control import JOB, OWN_ID, take_in

LATER = "2099-12-01T08:00:00.000Z"


def status(library: Library, job_id: str) -> str:
    return library.jobs.get(job_id).status


def items(library: Library, job_id: str) -> list[WorkItem]:
    generations = library.generations.list_of_job(job_id)
    return [item for each in generations for item in library.work.list_of(each.generation_id)]


def run_at(library: Library, job_id: str) -> list[str | None]:
    rows = library.database.query("SELECT run_at FROM work_queue ORDER BY rowid")
    return [row["run_at"] for row in rows]


def told(library: Library, job_id: str) -> list[tuple[str | None, str | None]]:
    """Who made the job what, as the events say."""
    events = [each for each in library.database.list_events(0) if each.subject_id == job_id]
    return [(each.actor, each.data.get("status")) for each in events if each.actor]


def die(library: Library, job_id: str) -> None:
    """Claim the only picture of a job and let it use up its attempts."""
    item = library.work.claim("gpu")
    assert item is not None
    error = {"code": "engine.crashed", "message": "it died", "hint": None, "problems": []}
    with library.database.transaction() as tx:
        library.jobs.set_status(tx, job_id, "running")
        library.generations.set_status(tx, item.correlation_id, "processing")
        library.work.end(tx, item, "dead", str(EngineCrashed("it died")))
        library.generations.set_status(tx, item.correlation_id, "failed", error=error)
        library.closer.close_if_ended(tx, job_id)


def test_a_held_job_is_not_claimed_until_it_is_released(library: Library) -> None:
    job_id = take_in(library, JOB + "count: 2\n")

    library.control.hold(job_id, "anna")

    assert (status(library, job_id), library.jobs.get(job_id).wait_reason) == ("held", "held by anna")
    assert library.work.claim("gpu") is None
    library.control.release(job_id, "ben")
    assert status(library, job_id) == "queued"
    assert library.work.claim("gpu") is not None
    assert told(library, job_id) == [("anna", None), ("anna", "held"), ("ben", None), ("ben", "queued")]


def test_to_hold_or_release_twice_changes_nothing_more(library: Library) -> None:
    job_id = take_in(library, JOB)
    library.control.hold(job_id, "anna")
    library.control.hold(job_id, "ben")
    held = told(library, job_id)
    library.control.release(job_id, "anna")
    library.control.release(job_id, "ben")

    assert held == [("anna", None), ("anna", "held")]
    assert len(told(library, job_id)) == 4


def test_a_job_of_which_a_picture_is_in_hand_cannot_be_held(library: Library) -> None:
    job_id = take_in(library, JOB)
    assert library.work.claim("gpu") is not None

    with pytest.raises(HotfolderError) as refused:
        library.control.hold(job_id, "anna")

    assert refused.value.code == "job.running"
    assert status(library, job_id) == "queued"


@pytest.mark.parametrize("change", ["hold", "release"])
def test_an_ended_job_can_be_neither_held_nor_released(library: Library, change: str) -> None:
    job_id = take_in(library, JOB)
    library.control.cancel(job_id, "anna")

    with pytest.raises(HotfolderError) as refused:
        getattr(library.control, change)(job_id, "anna")

    assert refused.value.code == "job.already_ended"


def test_a_held_job_can_be_cancelled(library: Library) -> None:
    job_id = take_in(library, JOB)
    library.control.hold(job_id, "anna")

    library.control.cancel(job_id, "anna")

    assert status(library, job_id) == "cancelled"
    assert [item.status for item in items(library, job_id)] == ["cancelled"]


def test_a_job_with_a_time_waits_for_it_also_after_a_hold(library: Library) -> None:
    job_id = take_in(library, f"{JOB}notBefore: {LATER}\n")
    before = run_at(library, job_id)
    library.control.hold(job_id, "anna")
    held = run_at(library, job_id)
    library.control.release(job_id, "anna")

    assert (before, held, run_at(library, job_id)) == ([LATER], [None], [LATER])
    assert status(library, job_id) == "queued"
    assert library.work.claim("gpu") is None


def test_jobs_that_wait_for_a_word_or_a_time_of_their_own_keep_nobody_up(library: Library) -> None:
    held = take_in(library, JOB)
    library.control.hold(held, "anna")
    take_in(library, f"{JOB}notBefore: {LATER}\n", "b.yaml")

    assert library.work.count_runnable("delivery") == 0


def test_another_priority_moves_a_job_in_the_queue_and_outlasts_a_retry(library: Library) -> None:
    take_in(library, JOB)
    second = take_in(library, JOB, "b.yaml")

    library.control.prioritize(second, 7, "anna")

    item = library.work.claim("gpu")
    assert item is not None
    assert (item.correlation_id, item.priority) == (
        library.generations.list_of_job(second)[0].generation_id,
        7,
    )
    with library.database.transaction() as tx:
        library.work.hand_back(tx, item)
    library.control.cancel(second, "anna")
    library.control.retry(second, "anna")
    assert library.jobs.get(second).priority == 7
    assert [each.priority for each in items(library, second)][-1] == 7


@pytest.mark.parametrize("priority", [-101, 101])
def test_a_priority_out_of_range_is_refused(library: Library, priority: int) -> None:
    job_id = take_in(library, JOB)

    with pytest.raises(HotfolderError, match="is none"):
        library.control.prioritize(job_id, priority, "anna")

    assert library.jobs.get(job_id).priority == 0


def test_a_job_whose_picture_used_up_its_attempts_is_requeued(library: Library) -> None:
    job_id = take_in(library, JOB)
    die(library, job_id)
    assert status(library, job_id) == "failed"

    library.control.requeue(job_id, "anna")

    assert status(library, job_id) == "queued"
    item = library.work.claim("gpu")
    assert item is not None
    assert (item.task_type, item.attempt_count) == (EXECUTE, 1)


def test_dead_work_that_follows_a_job_gets_its_attempts_again(library: Library) -> None:
    job_id = take_in(library, JOB)
    library.control.cancel(job_id, "anna")
    item = library.work.claim("io")
    assert item is not None
    with library.database.transaction() as tx:
        library.work.end(tx, item, "dead", "the disk was full")

    library.control.requeue(job_id, "anna")

    again = library.work.claim("io")
    assert again is not None
    assert (again.work_id, again.attempt_count) == (item.work_id, 1)
    assert status(library, job_id) == "cancelled"


def test_a_job_that_failed_without_dead_work_is_not_requeued(library: Library) -> None:
    job_id = take_in(library, JOB)
    library.control.cancel(job_id, "anna")

    with pytest.raises(HotfolderError) as refused:
        library.control.requeue(job_id, "anna")

    assert refused.value.code == "job.not_dead"


def test_a_job_that_needs_what_no_lane_has_waits_and_says_so(tmp_path) -> None:
    root = tmp_path / "library"
    create_library(root)
    settings = "queue: {lane_tags: {gpu: []}}\nintake: {refs_timeout_s: 0}\n"
    (root / "hotfolder.yaml").write_text(settings, encoding="utf-8")
    small = open_library(root, load_settings(root, {}))
    text = JOB.replace("local.procedural.image", "local.flux2-klein-9b.image").replace("64*64", "512*512")
    job_id = take_in(small, text)
    told_once = len(small.database.list_events(0))
    small.entrance.let_in_due()
    waiting, events = small.jobs.get(job_id), len(small.database.list_events(0))
    small.close()

    (root / "hotfolder.yaml").write_text(settings.replace("[]", "[high-vram]"), encoding="utf-8")
    large = open_library(root, load_settings(root, {}))
    large.entrance.let_in_due()
    after = status(large, job_id)
    large.close()

    assert (waiting.status, waiting.wait_reason) == ("backlogged", "no lane of this machine has high-vram")
    assert events == told_once
    assert after == "queued"


def test_a_picture_that_is_tried_again_leaves_no_dead_work_behind(library: Library) -> None:
    job_id = take_in(library, JOB)
    die(library, job_id)

    library.control.retry(job_id, "anna")

    rows = library.database.query("SELECT status FROM work_queue WHERE task_type = ?", (EXECUTE,))
    assert [row["status"] for row in rows] == ["failed", "pending"]


def test_a_requeue_says_who_wanted_it_and_takes_result_and_picture_alike(library: Library) -> None:
    job_id = take_in(library, JOB)
    die(library, job_id)
    item = library.work.claim("io")
    assert item is not None
    with library.database.transaction() as tx:
        library.work.end(tx, item, "dead", "the disk was full")

    library.control.requeue(job_id, "anna")

    assert library.work.list_of(job_id)[0].status == "pending"
    assert status(library, job_id) == "queued"
    told_of = [each for each in library.database.list_events(0) if each.subject_id == item.work_id]
    assert told_of[-1].actor == "anna"


def test_a_retry_uses_the_references_that_the_job_names_now(library: Library) -> None:
    inbox = library.paths.inbox
    for name, colour in (("a.png", "red"), ("b.png", "blue")):
        Image.new("RGB", (64, 64), colour).save(inbox / name)
    text = "endpointKey: local.procedural.image\nparams: {prompt: A bay, size: 64*64}\nrefs: [%s]\n"
    job_id = take_in(library, text % "a.png")
    die(library, job_id)
    changed = (text % "b.png").encode()
    with library.database.transaction() as tx:
        tx.execute("UPDATE jobs SET text = ? WHERE id = ?", (changed, job_id))

    library.control.retry(job_id, "anna")

    generation = library.generations.list_of_job(job_id)[0]
    (reference,) = library.generations.list_inputs(generation.generation_id)
    assert reference.original_name == "b.png"


def test_work_that_is_held_while_it_waits_for_another_attempt_keeps_nobody_up(library: Library) -> None:
    job_id = take_in(library, JOB)
    item = library.work.claim("gpu")
    assert item is not None
    with library.database.transaction() as tx:
        library.work.retry(tx, item, 5.0, "it died")

    library.control.hold(job_id, "anna")

    assert library.work.count_runnable("delivery") == 0


@pytest.mark.parametrize("state", ["paused", "draining"])
def test_work_of_a_lane_that_stands_still_keeps_nobody_up(library: Library, state: LaneState) -> None:
    LaneBook(library.database).put("gpu", state, "anna")
    take_in(library, JOB)

    assert library.work.count_runnable("delivery") == 0


def test_a_job_with_a_time_gets_in_line_at_that_time(library: Library) -> None:
    take_in(library, f"{JOB}notBefore: {LATER}\n")

    row = library.database.query_one("SELECT since, rank FROM work_queue")
    assert row is not None
    assert row["since"] == LATER


def test_a_wish_to_hold_ends_with_a_cancel(library: Library) -> None:
    job_id = take_in(library, JOB)
    library.control.hold(job_id, "anna")
    library.control.cancel(job_id, "anna")

    library.control.retry(job_id, "anna")

    assert status(library, job_id) == "queued"


def test_a_result_that_died_is_not_listed_as_dead_once_the_job_runs_again(library: Library) -> None:
    job_id = take_in(library, JOB)
    library.control.cancel(job_id, "anna")
    item = library.work.claim("io")
    assert item is not None
    with library.database.transaction() as tx:
        library.work.end(tx, item, "dead", "the disk was full")

    library.control.retry(job_id, "anna")

    assert [each.status for each in library.work.list_of(job_id)] == ["failed"]


def test_a_bundle_that_was_refused_says_where_it_has_to_go_to_be_tried_again(library: Library) -> None:
    with library.database.transaction() as tx:
        text = f"{JOB}refs: [a.png]\n".encode()
        job = Job(OWN_ID, "received", "x.zip", "x.zip", text, tx.at, text_name="job.yaml")
        library.jobs.insert(tx, job)
        library.closer.refuse(tx, OWN_ID, {"code": "queue.no_credits", "message": "no", "problems": []})

    with pytest.raises(HotfolderError, match=r"are in its bundle x\.zip"):
        library.control.retry(OWN_ID, "anna")


def test_a_library_whose_service_is_of_another_version_is_not_changed_under_it(library: Library) -> None:
    holder = LibraryLock(library.paths.run / "lock")
    holder.acquire()
    connection = sqlite3.connect(library.paths.database)
    connection.execute("DELETE FROM _sqlite_migrations WHERE name = 'm005_queue'")
    connection.commit()
    connection.close()
    command = [sys.executable, "-m", "hotfolder", "--library", str(library.paths.root), "jobs", "list"]
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    finally:
        holder.release()

    assert "A service of another version runs on" in found.stderr


def test_rows_that_an_older_program_wrote_get_their_place_in_line(library: Library) -> None:
    take_in(library, JOB)
    library.database.connection().execute("UPDATE work_queue SET since = NULL, rank = 0")

    with library.database.transaction() as tx:
        library.work.rerank(tx)

    assert library.work.claim("gpu") is not None
