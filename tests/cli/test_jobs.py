"""hotfolder jobs: what is there, one of them, and a change of mind."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from hotfolder.app import Library
from hotfolder.delivery.documents import build_progress, build_status
from hotfolder.domain.estimate import Estimate
from hotfolder.files.storage import write_json
from hotfolder.generation.claimed import ClaimedFile
from hotfolder.lock import LibraryLock
from tests.cli.conftest import Command
from tests.scenarios.service import JOB, Service

HEAD = {
    *("schema", "jobId", "jobFile", "status", "owner", "createdAt", "startedAt", "completedAt"),
    *("endpointKey", "extra"),
}
WAITS = {"priority", "held", "waitReason", "notBefore"}
BROKEN = "endpointKey: nowhere.image\nparams: {prompt: x}\n"
ID = "0199aaaa-0000-7000-8000-00000000000"


def add_job(library: Library, number: int, *, name: str = "a.yaml", text: str = JOB) -> str:
    """A job as the inbox takes it in: queued, or failed when its text is broken."""
    job_id = f"{ID}{number}"
    library.service.take_in(ClaimedFile(job_id, name, PurePosixPath(name), text.encode()))
    return job_id


def id_of(finished: Service, name: str) -> str:
    return str(finished.query("SELECT id FROM jobs WHERE job_file = ?", name)[0]["id"])


def rows(out: str) -> Mapping[str, str]:
    return {line.split()[1]: line for line in out.splitlines()[1:]}


def test_list_shows_what_waits_and_hides_what_has_ended(on: Command, library: Library, root: Path) -> None:
    add_job(library, 1, name="active.yaml")
    add_job(library, 2, name="ended.yaml", text=BROKEN)
    (root / "inbox" / "new.yaml").write_text("x", encoding="utf-8")
    (root / "inbox" / "hold" / "later.yaml").write_text("x", encoding="utf-8")

    lines = on("jobs", "list").out.splitlines()

    assert lines[0].split() == ["Job", "File", "Status", "Priority", "Created", "Forecast"]
    assert lines[1].split()[:4] == [f"{ID}1", "active.yaml", "queued", "0"]
    assert [line.split() for line in lines[2:]] == [["new.yaml", "received"], ["hold/later.yaml", "held"]]


def test_list_of_nothing_says_how_to_see_more(on: Command) -> None:
    assert "--all" in on("jobs", "list").out
    assert on("jobs", "list", "--all").out == "No jobs.\n"
    assert on("jobs", "list", "--json").json == []


def test_list_of_all_shows_the_ended_ones_newest_first(on: Command, library: Library) -> None:
    for number in (1, 2, 3):
        add_job(library, number, name=f"{number}.yaml", text=BROKEN)

    assert list(rows(on("jobs", "list", "--all").out)) == ["3.yaml", "2.yaml", "1.yaml"]
    assert list(rows(on("jobs", "list", "--all", "--limit", 1).out)) == ["3.yaml"]


def test_list_as_json_is_an_array_of_objects_in_camel_case(on_finished: Command) -> None:
    found = on_finished("jobs", "list", "--all", "--json").json

    jobs = {each["jobFile"]: each for each in found}
    assert set(jobs) == {"bay.yaml", "pair.yaml", "broken.yaml", "hold/later.yaml"}
    assert set(jobs["bay.yaml"]) == {*HEAD, *WAITS, "waitsFor", "progress"}
    assert jobs["bay.yaml"]["progress"] is None
    assert jobs["bay.yaml"]["status"] == "completed"
    assert jobs["bay.yaml"]["extra"] == {"order": 7}
    assert jobs["hold/later.yaml"] == {"jobId": None, "jobFile": "hold/later.yaml", "status": "held"}


def test_show_finds_a_job_by_its_id_its_last_characters_and_the_submitters_id(
    on_finished: Command, finished: Service
) -> None:
    job_id = id_of(finished, "bay.yaml")

    for name in (job_id, job_id[-8:], job_id.upper(), "order-7"):
        outcome = on_finished("jobs", "show", name)
        assert outcome.code == 0, name
        assert outcome.out.startswith(f"{job_id}  completed\ninbox/bay.yaml -> done/")


def test_show_lists_the_pictures(on_finished: Command, finished: Service) -> None:
    out = on_finished("jobs", "show", id_of(finished, "pair.yaml")).out

    pictures = [line.split() for line in out.splitlines() if "originals/" in line]
    pictures = [each for each in pictures if each[0].isdigit()]  # the timeline names them too
    assert [each[0] for each in pictures] == ["8", "9"]
    assert all((finished.root / each[2]).is_file() for each in pictures)
    assert all(each[3:] == ["64", "x", "64"] for each in pictures)


def test_show_of_a_failed_job_repeats_its_report(on_finished: Command, finished: Service) -> None:
    out = on_finished("jobs", "show", id_of(finished, "broken.yaml")).out

    assert "No pictures." in out
    assert "**line 1, column 14:** There is no endpoint" in out
    assert "## To try again" in out


def test_show_as_json_is_the_result_file_with_what_happened(on_finished: Command, finished: Service) -> None:
    found = on_finished("jobs", "show", "order-7", "--json").json

    timeline = found.pop("timeline")
    assert found == finished.wait_for_result("bay.yaml")
    assert [each["to"] for each in timeline["steps"] if each["what"].startswith("job")][-1] == "completed"


def test_time_left_of_a_job_is_told_while_a_sidecar_works(on: Command, library: Library, root: Path) -> None:
    add_job(library, 1, name="first.yaml")
    job = library.jobs.get(f"{ID}1")
    progress = build_progress([], {}, 0, Estimate(10.0, 20.0, 30.0))
    write_json(library.paths.status_json(job.job_id), build_status(job, progress))

    assert "left" not in on("jobs", "list").out + on("jobs", "show", job.job_id).out
    assert on("jobs", "show", job.job_id, "--json").json["progress"] is None

    sidecar = LibraryLock(root / "run" / "lock")
    sidecar.acquire()
    try:
        assert on("jobs", "list").out.splitlines()[1].endswith("10 to 30 s left")
        assert "\nfirst.yaml, queued, 0 ahead, 10 to 30 s left\n" in on("jobs", "show", job.job_id).out
        assert on("jobs", "list", "--json").json[0]["progress"] == progress
        assert on("jobs", "show", job.job_id, "--json").json["progress"] == progress
    finally:
        sidecar.release()


def test_unknown_job_ends_with_1_and_says_where_to_look(on_finished: Command) -> None:
    for verb in ("show", "cancel", "retry"):
        outcome = on_finished("jobs", verb, "zzz")
        assert (outcome.code, outcome.out) == (1, "")
        assert "There is no job zzz. [library.not_found]" in outcome.err
        assert "jobs list --all" in outcome.err


def test_characters_of_several_jobs_name_all_of_them(on: Command, library: Library) -> None:
    ids = [add_job(library, number) for number in (1, 2)]

    outcome = on("jobs", "show", ID[:8])

    assert outcome.code == 1
    assert all(each in outcome.err for each in ids)
    assert "Give more characters." in outcome.err


def test_cancel_ends_a_waiting_job_without_a_sidecar(on: Command, library: Library) -> None:
    job_id = add_job(library, 1)

    outcome = on("jobs", "cancel", job_id)

    assert (outcome.code, outcome.out) == (0, f"{job_id}: cancelled\n")
    assert library.jobs.get(job_id).status == "cancelled"


def test_cancel_of_an_ended_job_is_refused_and_does_not_stop_the_others(
    on: Command, library: Library
) -> None:
    ended, waiting = add_job(library, 1, text=BROKEN), add_job(library, 2)

    outcome = on("jobs", "cancel", ended, "zzz", waiting)

    assert outcome.code == 1
    assert f"Job {ended} has ended already (failed). [job.already_ended]" in outcome.err
    assert "There is no job zzz." in outcome.err
    assert outcome.out == f"{waiting}: cancelled\n"


def test_cancel_works_for_a_user_without_a_name(
    on: Command, library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 4242")

    monkeypatch.setattr("getpass.getuser", nameless)

    assert on("jobs", "cancel", add_job(library, 1)).code == 0


def test_retry_of_a_job_that_completed_or_waits_is_refused(
    on: Command, library: Library, on_finished: Command
) -> None:
    for outcome in (on("jobs", "retry", add_job(library, 1)), on_finished("jobs", "retry", "order-7")):
        assert (outcome.code, outcome.out) == (1, "")
        assert "[job.not_retryable]" in outcome.err


def test_retry_of_a_job_that_is_still_broken_tells_its_problems(on: Command, library: Library) -> None:
    outcome = on("jobs", "retry", add_job(library, 1, text=BROKEN))

    assert outcome.code == 1
    assert "1:14: There is no endpoint `nowhere.image`. [job.unknown_endpoint]" in outcome.err


def test_names_of_files_do_not_reach_the_terminal_raw(on: Command, library: Library) -> None:
    job_id = add_job(library, 1, name="a\x1b]0;x\x07\x9b\nb.yaml", text=BROKEN)

    for arguments in (
        ("list", "--all"),
        ("list", "--all", "--json"),
        ("show", job_id),
        ("show", job_id, "--json"),
    ):
        outcome = on("jobs", *arguments)
        assert outcome.code == 0
        assert not set("\x1b\x07\x9b") & set(outcome.out)


def test_cancelled_job_of_a_stopped_library_ends_in_failed_at_the_next_run_and_can_be_retried(
    on: Command, root: Path
) -> None:
    job = "endpointKey: local.procedural.image\nparams: {prompt: x, size: 64*64, steps: 1}\nid: mine\n"
    (root / "inbox" / "a.yaml").write_text(
        job.replace("local.procedural", "local.flux2-klein-4b"), encoding="utf-8"
    )
    assert on("run", "--once").code == 1
    retried = on("jobs", "retry", "mine")
    cancelled = on("jobs", "cancel", "mine")
    on("run", "--once")

    assert retried.out.endswith(": queued\n")
    assert cancelled.out.endswith(": cancelled\n")
    assert on("jobs", "show", "mine", "--json").json["status"] == "cancelled"
    assert [each.name for each in (root / "failed").glob("*.yaml")] == ["a.yaml"]
