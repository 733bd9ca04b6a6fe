"""hotfolder jobs: hold, release, prioritize and requeue, on a library on which no sidecar runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hotfolder.app import Library
from hotfolder.cli.opening import user_name
from hotfolder.delivery.documents import build_progress, build_status
from hotfolder.domain.estimate import Estimate
from hotfolder.files.storage import write_json
from hotfolder.lock import LibraryLock
from tests.cli.conftest import Command
from tests.cli.test_jobs import BROKEN, add_job
from tests.dead_work import let_die
from tests.scenarios.service import JOB


def count_events(library: Library) -> int:
    return library.database.last_event_seq()


def add_dead(library: Library, number: int, *, code: str = "engine.crashed", more: str = "") -> str:
    job_id = add_job(library, number, name=f"{number}.yaml", text=JOB + more)
    let_die(library, job_id, code)
    return job_id


def next_jobs(on: Command) -> list[str]:
    return [each["jobId"] for each in on("queue", "show", "--json").json["next"]]


def test_a_held_job_is_not_claimed_until_it_is_released(on: Command, library: Library) -> None:
    job_id = add_job(library, 1)

    held = on("jobs", "hold", job_id)

    assert (held.code, held.out) == (0, f"{job_id}: held\n")
    assert library.work.claim("gpu") is None
    (told,) = on("jobs", "list", "--json").json
    assert (told["status"], told["held"], told["waitReason"]) == ("held", True, f"held by {user_name()}")
    assert f"held by {user_name()}" in on("jobs", "list").out + on("jobs", "show", job_id).out
    assert on("jobs", "release", job_id).out == f"{job_id}: queued\n"
    (told,) = on("jobs", "list", "--json").json
    assert (told["status"], told["held"], told["waitReason"]) == ("queued", False, None)
    assert library.work.claim("gpu") is not None


@pytest.mark.parametrize("verb", ["hold", "release"])
def test_what_is_so_already_changes_nothing(on: Command, library: Library, verb: str) -> None:
    job_id = add_job(library, 1)
    on("jobs", verb, job_id)
    before = count_events(library)

    assert on("jobs", verb, job_id).code == 0
    assert count_events(library) == before


def test_who_held_and_released_a_job_stands_in_the_events(on: Command, library: Library) -> None:
    job_id = add_job(library, 1)
    before = count_events(library)

    for verb in ("hold", "release"):
        on("jobs", verb, job_id)

    told = [each for each in library.database.list_events(before) if each.topic == "job.changed"]
    assert [each.data["status"] for each in told if "status" in each.data] == ["held", "queued"]
    assert {each.actor for each in told} == {user_name()}


def test_a_held_job_and_a_file_in_hold_are_both_listed_as_held(
    on: Command, library: Library, root: Path
) -> None:
    job_id = add_job(library, 1)
    add_job(library, 2, name="queued.yaml")
    on("jobs", "hold", job_id)
    (root / "inbox" / "hold" / "later.yaml").write_text(JOB, encoding="utf-8")

    told = on("jobs", "list", "--status", "held", "--json").json

    assert [(each["jobId"], each["jobFile"], each["status"]) for each in told] == [
        (job_id, "a.yaml", "held"),
        (None, "hold/later.yaml", "held"),
    ]


def test_list_shows_the_jobs_of_one_owner(on: Command, library: Library) -> None:
    add_job(library, 1, text=JOB + "owner: anna\n")
    add_job(library, 2, name="b.yaml", text=JOB + "owner: ben\n")

    told = on("jobs", "list", "--owner", "ben", "--json").json

    assert [each["jobFile"] for each in told] == ["b.yaml"]
    assert on("jobs", "list", "--owner", "carl", "--json").json == []


def test_a_job_for_later_says_from_when(on: Command, library: Library) -> None:
    at = "2099-12-01T08:00:00.000Z"
    add_job(library, 1, text=JOB + f"notBefore: {at}\n")

    assert on("jobs", "list", "--json").json[0]["notBefore"] == at
    assert f"queued (not before {at})" in on("jobs", "list").out


def test_nobody_forecasts_an_end_while_the_lane_of_pictures_is_paused(
    on: Command, library: Library, root: Path
) -> None:
    job = library.jobs.get(add_job(library, 1))
    progress = build_progress([], {}, 0, Estimate(10.0, 20.0, 30.0))
    write_json(library.paths.status_json(job.job_id), build_status(job, progress))
    sidecar = LibraryLock(root / "run" / "lock")
    sidecar.acquire()
    try:
        assert "10 to 30 s left" in on("jobs", "list").out
        on("queue", "pause", "--lane", "gpu")
        assert "left" not in on("jobs", "list").out + on("jobs", "show", job.job_id).out
        told = on("jobs", "list", "--json").json[0]["progress"]
        assert told == {**progress, "etaSeconds": None, "etaRangeSeconds": None}
    finally:
        sidecar.release()


def test_a_job_that_runs_or_has_ended_is_not_held(on: Command, library: Library) -> None:
    running, ended = add_job(library, 1), add_job(library, 2, name="b.yaml", text=BROKEN)
    assert library.work.claim("gpu") is not None

    outcome = on("jobs", "hold", running, ended)

    assert (outcome.code, outcome.out) == (1, "")
    assert "[job.running]" in outcome.err
    assert "[job.already_ended]" in outcome.err


@pytest.mark.parametrize("way", [("--priority", 7), (7,)])
def test_a_job_with_a_higher_priority_goes_first(on: Command, library: Library, way: tuple[object]) -> None:
    first, second, third = (
        add_job(library, each, name=f"{each}.yaml", text=JOB.replace("5", str(each))) for each in (1, 2, 3)
    )

    told = on("jobs", "prioritize", third, *way)

    assert (told.code, told.out) == (0, f"{third}: priority 7\n")
    assert next_jobs(on) == [third, first, second]
    item = library.work.claim("gpu")
    assert item is not None
    assert (library.generations.get(item.correlation_id).job_id, item.priority) == (third, 7)


def test_a_priority_below_zero_is_a_number_and_no_option(on: Command, library: Library) -> None:
    first, second = (
        add_job(library, each, name=f"{each}.yaml", text=JOB.replace("5", str(each))) for each in (1, 2)
    )

    assert on("jobs", "prioritize", first, "-5").out == f"{first}: priority -5\n"
    assert next_jobs(on) == [second, first]
    before = count_events(library)
    assert on("jobs", "prioritize", first, "--priority", "-5").code == 0
    assert count_events(library) == before


@pytest.mark.parametrize(
    "arguments", [("x",), ("5",), ("x", "y"), ("x", "101"), ("x", "--priority", "-101"), ("x", "--nonsense")]
)
def test_a_priority_that_is_none_is_a_usage_error(on: Command, arguments: tuple[str]) -> None:
    assert on("jobs", "prioritize", *arguments).code == 2


def test_dead_work_of_a_job_is_tried_again_with_all_of_its_attempts(on: Command, library: Library) -> None:
    job_id = add_dead(library, 1)

    told = on("jobs", "requeue", job_id)

    assert (told.code, told.out) == (0, f"{job_id}: queued\n")
    item = library.work.claim("gpu")
    assert item is not None
    assert (item.attempt_count, library.generations.get(item.correlation_id).job_id) == (1, job_id)
    shown = on("queue", "show", "--json").json
    assert (shown["dead"], shown["lanes"][0]["dead"]) == ([], 0)


def test_requeue_without_a_job_or_a_filter_says_why_it_does_nothing(on: Command, library: Library) -> None:
    job_id = add_dead(library, 1)

    for arguments in ((), ("--limit", 5), ("--dry-run",)):
        outcome = on("jobs", "requeue", *arguments)
        assert (outcome.code, outcome.out) == (2, "")
        assert "never everything that ever failed" in outcome.err
    assert on("jobs", "requeue", job_id, "--code", "engine.crashed").code == 2
    assert library.jobs.get(job_id).status == "failed"


@pytest.mark.parametrize(
    ("arguments", "chosen"),
    [
        (("--code", "engine.timeout"), [2]),
        (("--owner", "anna"), [1, 2]),
        (("--owner", "anna", "--code", "engine.crashed"), [1]),
        (("--endpoint", "local.procedural.image", "--limit", 2), [2, 3]),
        (("--endpoint", "local.nothing"), []),
        (("--since", "1h"), [1, 2, 3]),
        (("--since", "2099-01-01T00:00:00Z"), []),
    ],
)
def test_filters_choose_which_dead_work_is_tried_again(
    on: Command, library: Library, arguments: tuple[object], chosen: list[int]
) -> None:
    ids = [
        add_dead(library, 1, more="owner: anna\n"),
        add_dead(library, 2, code="engine.timeout", more="owner: anna\n"),
        add_dead(library, 3, code="engine.start_failed"),
    ]
    before = count_events(library)

    would = on("jobs", "requeue", *arguments, "--dry-run")

    assert would.code == 0
    assert {each.partition(":")[0] for each in would.out.splitlines() if "dead (" in each} == {
        ids[each - 1] for each in chosen
    }
    assert count_events(library) == before
    assert on("jobs", "requeue", *arguments).code == 0
    assert [library.jobs.get(each).status == "queued" for each in ids] == [
        each in chosen for each in (1, 2, 3)
    ]


def test_requeue_of_a_job_without_dead_work_is_refused(on: Command, library: Library) -> None:
    outcome = on("jobs", "requeue", add_job(library, 1), add_job(library, 2, name="b.yaml", text=BROKEN))

    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.count("[job.not_dead]") == 2


@pytest.mark.parametrize(
    "text", ["2 h", "h", "-1h", "yesterday", "2026-12-01", "2026-12-01T08:00:00", "9999999d"]
)
def test_a_time_that_is_none_is_a_usage_error(on: Command, text: str) -> None:
    outcome = on("jobs", "requeue", "--since", text)

    assert outcome.code == 2
    assert "2026-12-01T08:00:00Z" in outcome.err
