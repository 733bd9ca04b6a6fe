"""Jobs under control of a file manager: files deleted, dragged back, put into priority folders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.service import Service, wait_for

SLOW = "engine: {env: {HOTFOLDER_PROCEDURAL_STEP_MS: '150'}}\nintake: {settle_ms: 50}\n"


def job(prompt: str, more: str = "", *, steps: int = 1) -> str:
    params = f"{{prompt: '{prompt}', size: 64*64, seed: 7, steps: {steps}}}"
    return f"endpointKey: local.procedural.image\nparams: {params}\n{more}"


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running library whose engine takes its time for every step."""
    service = Service(tmp_path_factory.mktemp("file-manager") / "library", settings=SLOW)
    try:
        service.start()
        service.wait_until_watching()
        yield service
    finally:
        service.kill()


def job_row(service: Service, name: str) -> dict[str, Any] | None:
    return next(iter(service.query("SELECT * FROM jobs WHERE file_name = ?", name)), None)


def wait_for_status(service: Service, name: str, status: str) -> str:
    """The id of the job of this file, once it has this status."""

    def look() -> str | None:
        row = job_row(service, name)
        return row["id"] if row is not None and row["status"] == status else None

    return wait_for(look, f"{name} as {status}")


def claimed_file(service: Service, name: str) -> Path:
    return wait_for(
        lambda: next((service.root / "processing").glob(f"*--{name}"), None), f"a claim of {name}"
    )


def assert_cancelled_with_its_file(service: Service, name: str, text: str) -> None:
    assert service.wait_for_result(name)["status"] == "cancelled"
    assert (service.root / "failed" / name).read_text(encoding="utf-8") == text
    assert (service.root / "failed" / f"{name}.error.md").is_file()


def test_files_deleted_from_processing_cancel_their_jobs_whatever_they_do(slow: Service) -> None:
    texts = {
        "running.yaml": job("runs and runs", "count: 8\n", steps=10),
        "queued.yaml": job("stands behind it"),
        "waiting.yaml": job("waits", "refs: [none.png]\n"),
        "own.yaml": job("has an id", "id: order-7\n"),
        "kept.yaml": job("is left alone"),
    }
    slow.drop("running.yaml", texts["running.yaml"])
    wait_for_status(slow, "running.yaml", "running")
    for name in list(texts)[1:]:
        slow.drop(name, texts[name])
    wait_for_status(slow, "waiting.yaml", "waiting_refs")
    for name in ("queued.yaml", "own.yaml", "kept.yaml"):
        wait_for_status(slow, name, "queued")
    for name in list(texts)[:4]:
        claimed_file(slow, name).unlink()

    for name in list(texts)[:4]:
        assert_cancelled_with_its_file(slow, name, texts[name])
    assert slow.wait_for_result("kept.yaml")["status"] == "completed"
    wait_for(lambda: not any((slow.root / "processing").iterdir()), "an empty processing/")


def test_job_tried_again_right_after_it_was_deleted_runs_to_its_end(slow: Service) -> None:
    text = job("is wanted after all", "count: 4\n", steps=6)
    slow.drop("changed.yaml", text)
    job_id = wait_for_status(slow, "changed.yaml", "running")
    slow.command("jobs", "cancel", job_id)
    wait_for((slow.root / "failed" / "changed.yaml").exists, "the file in failed/")

    told = slow.command("jobs", "retry", job_id)

    assert told.returncode == 0, told.stderr
    done = wait_for(lambda: next((slow.root / "done").rglob("changed.yaml"), None), "the end of it")
    assert done.read_text(encoding="utf-8") == text


def test_priority_folders_decide_who_is_next(slow: Service) -> None:
    slow.drop("before.yaml", job("keeps the engine busy", "count: 2\n", steps=10))
    wait_for_status(slow, "before.yaml", "running")
    for folder in ("!low/", "", "!high/"):
        slow.drop(f"{folder}{folder.strip('!/') or 'plain'}.yaml", job(f"from {folder}"))
    results = {name: slow.wait_for_result(f"{name}.yaml") for name in ("low", "plain", "high")}

    assert {each["status"] for each in results.values()} == {"completed"}
    starts = {name: each["generations"][0]["startedAt"] for name, each in results.items()}
    assert sorted(starts, key=lambda name: starts[name]) == ["high", "plain", "low"]


def test_file_dragged_back_from_failed_makes_what_is_still_lacking_under_its_first_id(
    make_service: Callable[..., Service], tmp_path: Path
) -> None:
    armed = tmp_path / "armed"
    fault = f"{{HOTFOLDER_PROCEDURAL_FAULT: crash, HOTFOLDER_PROCEDURAL_FAULT_ONCE: {armed}}}"
    service = make_service(settings=f"engine: {{env: {fault}}}\nintake: {{settle_ms: 50}}\n")
    service.start()
    service.wait_until_watching()
    armed.touch()
    name = "set.yaml"
    service.drop(f"shots/{name}", job("a series", "maxAttempts: 1\ncount: 3\n"))
    first = service.wait_for_result(name)
    made = {each["generationId"] for each in first["generations"] if each["status"] == "completed"}
    assert (first["status"], len(made)) == ("partially_completed", 2)

    (service.root / "failed" / name).rename(service.root / "inbox" / name)

    done = wait_for(
        lambda: next((service.root / "done").rglob(f"{name}.result.json"), None), "the second run's result"
    )
    row = job_row(service, name)
    assert row is not None
    assert (row["id"], row["run"], row["status"]) == (first["jobId"], 2, "completed")
    assert row["job_file"] == f"shots/{name}"
    now = service.query("SELECT id FROM generations WHERE job_id = ?", first["jobId"])
    assert made < {each["id"] for each in now}
    assert len(service.query("SELECT id FROM media")) == 3
    assert done.is_file()
    wait_for(lambda: not any((service.root / "failed").iterdir()), "an empty failed/")


def test_file_deleted_from_processing_while_the_service_is_down_is_cancelled_at_the_next_start(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(settings=SLOW)
    service.start()
    service.wait_until_watching()
    text = job("is deleted meanwhile", "count: 8\n", steps=10)
    service.drop("gone.yaml", text)
    wait_for_status(service, "gone.yaml", "running")
    service.kill()
    claimed_file(service, "gone.yaml").unlink()
    service.start()

    assert_cancelled_with_its_file(service, "gone.yaml", text)
