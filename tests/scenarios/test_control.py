"""Jobs under control: cancelled, tried again, dropped again, followed, put first."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.service import Service, wait_for

STEP_MS = 150
SLOW = f"engine: {{env: {{HOTFOLDER_PROCEDURAL_STEP_MS: '{STEP_MS}'}}}}\n"


SMALL_FILES = "intake: {max_job_bytes: 2048}\n"


def job(prompt: str, more: str = "", *, steps: int = 1) -> str:
    """A small job; with ten steps it runs for 1.5 s in a slow library."""
    params = f"{{prompt: '{prompt}', size: 64*64, seed: 7, steps: {steps}}}"
    return f"endpointKey: local.procedural.image\nparams: {params}\n{more}"


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running library whose engine takes its time for every step."""
    yield from running(Service(tmp_path_factory.mktemp("slow") / "library", settings=SLOW))


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running library whose engine crashes once whenever the file `armed` beside the library is there."""
    folder = tmp_path_factory.mktemp("fragile")
    fault = f"{{HOTFOLDER_PROCEDURAL_FAULT: crash, HOTFOLDER_PROCEDURAL_FAULT_ONCE: {folder / 'armed'}}}"
    yield from running(Service(folder / "library", settings=f"engine: {{env: {fault}}}\n" + SMALL_FILES))


def running(service: Service) -> Iterator[Service]:
    try:
        service.start()
        service.wait_until_watching()
        yield service
    finally:
        service.kill()


def arm(service: Service) -> None:
    (service.root.parent / "armed").touch()


def job_row(service: Service, name: str) -> dict[str, Any] | None:
    return next(iter(service.query("SELECT * FROM jobs WHERE file_name = ?", name)), None)


def wait_for_status(service: Service, name: str, status: str) -> str:
    """The id of the job of this file, once it has this status."""

    def look() -> str | None:
        row = job_row(service, name)
        return row["id"] if row is not None and row["status"] == status else None

    return wait_for(look, f"{name} as {status}")


def wait_for_files(service: Service, pattern: str, count: int) -> list[Path]:
    """The result files of this pattern in done/ and failed/, once there are so many."""

    def look() -> list[Path] | None:
        folders = (service.root / "done", service.root / "failed")
        found = sorted(path for folder in folders for path in folder.rglob(pattern))
        return found if len(found) >= count else None

    return wait_for(look, f"{count} files like {pattern}")


def instants_of(service: Service, job_id: str) -> dict[str, datetime]:
    """When the job came into each status."""
    rows = service.query(
        "SELECT at, data_json FROM events WHERE topic = 'job.changed' AND subject_id = ?", job_id
    )
    return {json.loads(row["data_json"])["status"]: datetime.fromisoformat(row["at"]) for row in rows}


def test_waiting_job_is_cancelled_at_once_without_a_sidecar_and_a_running_one_at_the_next_start(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(settings=SLOW)
    service.start()
    service.wait_until_watching()
    service.drop("running.yaml", job("runs", steps=10))
    running_id = wait_for_status(service, "running.yaml", "running")
    service.drop("next.yaml", job("is prepared meanwhile"))
    next_id = wait_for_status(service, "next.yaml", "running")
    service.drop("waiting.yaml", job("waits"))
    waiting_id = wait_for_status(service, "waiting.yaml", "queued")
    service.kill()

    told = service.command("jobs", "cancel", waiting_id, running_id, next_id)

    assert told.returncode == 0, told.stderr
    names = ("waiting.yaml", "running.yaml", "next.yaml")
    rows = [job_row(service, name) for name in names]
    assert [row["status"] for row in rows if row] == ["cancelled", "cancelling", "cancelling"]
    service.start("--once")
    for name in names:
        result = service.wait_for_result(name)
        assert result["status"] == "cancelled"
        assert result["generations"][0]["error"]["code"] == "queue.cancelled"
        assert (service.root / "failed" / name).is_file()
        assert (service.root / "failed" / f"{name}.error.md").is_file()
    assert service.query("SELECT id FROM media") == []
    wait_for(lambda: not any((service.root / "processing").iterdir()), "an empty processing/")


def test_running_job_is_cancelled_within_a_second_and_the_next_one_runs(slow: Service) -> None:
    slow.drop("long.yaml", job("goes on and on", "count: 8\n", steps=10))
    job_id = wait_for_status(slow, "long.yaml", "running")
    slow.drop("next.yaml", job("comes next"))
    wait_for_status(slow, "next.yaml", "queued")

    told = slow.command("jobs", "cancel", job_id)

    assert told.returncode == 0, told.stderr
    result = slow.wait_for_result("long.yaml")
    at = instants_of(slow, job_id)
    # Pictures that were made while the command started (1.5 s each) stay; no further one is.
    assert result["status"] in ("cancelled", "partially_completed")
    assert (at[result["status"]] - at["cancelling"]).total_seconds() <= 1.0
    assert {each["status"] for each in result["generations"][-3:]} == {"cancelled"}
    assert slow.wait_for_result("next.yaml")["status"] == "completed"


def test_ended_job_is_neither_cancelled_nor_tried_again(slow: Service) -> None:
    slow.drop("ended.yaml", job("is over"))
    job_id = slow.wait_for_result("ended.yaml")["jobId"]

    cancelled, retried = slow.command("jobs", "cancel", job_id), slow.command("jobs", "retry", job_id)

    assert (cancelled.returncode, retried.returncode) == (1, 1)
    assert "job.already_ended" in cancelled.stderr
    assert "job.not_retryable" in retried.stderr


def test_status_of_a_running_job_is_told_while_it_runs_and_gone_at_its_end(slow: Service) -> None:
    slow.drop("told.yaml", job("is told", "count: 2\nextra: {order: 7}\n", steps=10))
    job_id = wait_for_status(slow, "told.yaml", "running")
    file = slow.root / "status" / f"{job_id}.json"

    def look() -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return found if (found["progress"]["currentStep"] or 0) >= 2 else None

    status = wait_for(look, "the progress of a running job")

    line = file.with_suffix(".txt").read_text(encoding="utf-8")
    assert (status["jobId"], status["jobFile"], status["status"]) == (job_id, "told.yaml", "running")
    assert status["schema"] == "hotfolder/result@1"
    assert (status["endpointKey"], status["extra"]) == ("local.procedural.image", {"order": 7})
    progress = status["progress"]
    assert progress.keys() == {
        *("stage", "currentStep", "totalSteps", "percentage"),
        *("currentImage", "totalImages", "etaSeconds", "etaRangeSeconds", "queuePosition"),
    }
    assert (progress["stage"], progress["totalSteps"]) == ("sampling", 10)
    assert (progress["currentImage"], progress["totalImages"]) == (1, 2)
    assert progress["percentage"] == pytest.approx(progress["currentStep"] * 5)
    assert progress["etaSeconds"] > 0
    assert line.startswith("told.yaml, running, picture 1 of 2, sampling")
    assert slow.wait_for_result("told.yaml")["status"] == "completed"
    wait_for(lambda: not any(file.parent.glob(f"{job_id}.*")), "the end of the status files")


def test_waiting_jobs_run_by_priority_and_then_by_arrival(slow: Service) -> None:
    slow.drop("first.yaml", job("holds the engine", steps=10))
    wait_for_status(slow, "first.yaml", "running")
    wanted = {"low": -5, "one": 0, "two": 0, "high": 5}
    for name, priority in wanted.items():
        slow.drop(f"{name}.yaml", job(name, f"priority: {priority}\n"))
        wait_for(lambda name=name: job_row(slow, f"{name}.yaml"), f"a row of {name}")  # type: ignore[misc]

    results = {name: slow.wait_for_result(f"{name}.yaml") for name in wanted}
    starts = {name: each["generations"][0]["startedAt"] for name, each in results.items()}

    assert sorted(starts, key=lambda name: starts[name]) == ["high", "one", "two", "low"]


def test_retry_of_a_partly_completed_job_makes_only_what_is_missing_and_moves_its_file(
    fragile: Service,
) -> None:
    arm(fragile)
    fragile.drop("partly.yaml", job("three seeds", "matrix: {steps: [1, 2, 3]}\nmaxAttempts: 1\n"))
    before = fragile.wait_for_result("partly.yaml")
    assert before["status"] == "partially_completed"
    assert [each["status"] for each in before["generations"]] == ["failed", "completed", "completed"]
    assert before["error"] is None
    report = (fragile.root / "failed" / "partly.yaml.error.md").read_text(encoding="utf-8")
    assert "1. seed 7: failed" in report
    assert "engine.crashed" in report
    assert "The next job starts it again" in report

    told = fragile.command("jobs", "retry", before["jobId"])

    assert told.returncode == 0, told.stderr
    wait_for_status(fragile, "partly.yaml", "completed")
    done = wait_for_files(fragile, "partly.yaml.result.json", 1)[0]
    wait_for(lambda: not list((fragile.root / "failed").glob("partly*")), "the old file and its reports gone")
    done = wait_for_files(fragile, "partly.yaml.result.json", 1)[0]
    after = json.loads(done.read_text(encoding="utf-8"))
    assert (after["jobId"], after["status"]) == (before["jobId"], "completed")
    assert after["generations"][1:] == before["generations"][1:]
    assert after["generations"][0]["status"] == "completed"
    assert done.with_name("partly.yaml").read_text(encoding="utf-8").endswith("maxAttempts: 1\n")
    assert done.parent.parent.parent.parent == fragile.root / "done"
    assert (
        len(
            fragile.query(
                "SELECT id FROM media WHERE title IS NULL AND generation_id IN "
                "(SELECT id FROM generations WHERE job_id = ?)",
                before["jobId"],
            )
        )
        == 3
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("several.yaml", job("good") + "---\n" + job("bad", "prioritty: 1\n")),
        ("large.yaml", job("large") + "# remark\n" * 1000),
    ],
    ids=["several jobs", "too large"],
)
def test_file_that_was_refused_as_a_whole_is_not_run_in_part_by_a_retry(
    fragile: Service, name: str, text: str
) -> None:
    fragile.drop(name, text)
    refused = fragile.wait_for_result(name)
    assert refused["status"] == "failed"

    told = fragile.command("jobs", "retry", refused["jobId"])

    assert told.returncode == 1
    assert "job.not_retryable" in told.stderr
    assert f"failed/{name}" in told.stderr.replace("\n", "")
    assert fragile.query("SELECT id FROM generations WHERE job_id = ?", refused["jobId"]) == []


@pytest.mark.parametrize("own_id", [str(uuid.UUID(int=0x5678)), "again-1"])
def test_failed_id_dropped_again_runs_again_under_the_same_job_id(fragile: Service, own_id: str) -> None:
    name = f"again-{len(own_id)}.yaml"
    text = job("second chance", f"id: {own_id}\nmaxAttempts: 1\n")
    arm(fragile)
    fragile.drop(name, text)
    failed = fragile.wait_for_result(name)
    assert failed["status"] == "failed"

    fragile.drop(name, text)
    wait_for_status(fragile, name, "completed")
    done = wait_for(lambda: list((fragile.root / "done").rglob(f"{name}.result.json")), "a result in done/")

    again = json.loads(done[0].read_text(encoding="utf-8"))
    assert (again["jobId"], again["status"], again["error"]) == (failed["jobId"], "completed", None)
    assert len(again["generations"]) == 1


def test_failed_file_with_an_id_dragged_back_leaves_no_old_report_behind(fragile: Service) -> None:
    arm(fragile)
    fragile.drop("dragged.yaml", job("dragged back", "id: dragged\nmaxAttempts: 1\n"))
    failed = fragile.wait_for_result("dragged.yaml")

    (fragile.root / "failed" / "dragged.yaml").rename(fragile.root / "inbox" / "dragged.yaml")
    wait_for_status(fragile, "dragged.yaml", "completed")
    wait_for(lambda: not list((fragile.root / "failed").glob("dragged*")), "the old reports gone")

    again = fragile.wait_for_result("dragged.yaml")
    assert (again["jobId"], again["status"]) == (failed["jobId"], "completed")
