"""References that come late, to a running service: jobs wait, run at once, and outlive it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import pictures
from tests.scenarios.service import Service, wait_for

HEAD = "endpointKey: local.procedural.image\nparams: {prompt: A bay, size: 64*64, seed: 5, steps: 1}\n"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running library."""
    made = Service(tmp_path_factory.mktemp("waiting") / "library", settings="intake: {settle_ms: 200}\n")
    try:
        made.start()
        made.wait_until_watching()
        yield made
    finally:
        made.kill()


def job(*references: str) -> str:
    return f"{HEAD}refs: [{', '.join(references)}]\n"


def job_row(service: Service, name: str) -> dict[str, Any] | None:
    return next(iter(service.query("SELECT * FROM jobs WHERE file_name = ?", name)), None)


def wait_for_status(service: Service, name: str, *statuses: str) -> str:
    """The id of the job of this file, once it has one of these."""

    def look() -> str | None:
        row = job_row(service, name)
        return row["id"] if row is not None and row["status"] in statuses else None

    return wait_for(look, f"{name} as {statuses}")


def draw_elsewhere(service: Service, name: str) -> Path:
    """A picture that has its content from its name."""
    folder = service.root.parent / "elsewhere"
    folder.mkdir(exist_ok=True)
    return pictures.write_grey_png(folder / name, value=sum(name.encode()) % 256)


def arrive(service: Service, name: str) -> float:
    """Rename a whole picture into the inbox; gives the instant."""
    source = draw_elsewhere(service, name)
    at = time.monotonic()
    source.rename(service.root / "inbox" / name)
    return at


def used_content(service: Service, job_id: str) -> list[str]:
    return [
        row["sha256"]
        for row in service.query(
            "SELECT sha256 FROM generation_inputs JOIN generations ON generations.id = generation_id "
            "WHERE job_id = ?",
            job_id,
        )
    ]


def test_waiting_job_is_seen_everywhere_and_runs_within_a_second_of_the_arrival(service: Service) -> None:
    service.drop("early.yaml", job("late.png"))
    job_id = wait_for_status(service, "early.yaml", "waiting_refs")

    status = wait_for((service.root / "status" / f"{job_id}.json").exists, "a status file")
    assert status
    said = json.loads((service.root / "status" / f"{job_id}.json").read_text(encoding="utf-8"))
    assert said["status"] == "waiting_refs"
    listed = service.command("jobs", "list")
    assert "waiting_refs" in listed.stdout
    at = arrive(service, "late.png")
    wait_for_status(service, "early.yaml", "queued", "running", "completed")

    assert time.monotonic() - at < 1.0
    assert service.wait_for_result("early.yaml")["status"] == "completed"


def test_picture_that_is_copied_slowly_is_used_whole(service: Service) -> None:
    whole = draw_elsewhere(service, "slow.png").read_bytes()
    service.drop("patient.yaml", job("slow.png"))
    job_id = wait_for_status(service, "patient.yaml", "waiting_refs")
    part = len(whole) // 6 + 1
    with (service.root / "inbox" / "slow.png").open("wb", buffering=0) as writer:
        for start in range(0, len(whole), part):  # each piece settles, but somebody has the file open
            writer.write(whole[start : start + part])
            deadline = time.monotonic() + 0.3
            while time.monotonic() < deadline:
                row = job_row(service, "patient.yaml")
                assert row is not None
                assert row["status"] == "waiting_refs"
                time.sleep(0.02)  # the pause of a poll with a limit

    assert service.wait_for_result("patient.yaml")["status"] == "completed"
    assert used_content(service, job_id) == [hashlib.sha256(whole).hexdigest()]


def test_picture_that_comes_in_pieces_without_pause_is_used_whole(service: Service) -> None:
    """Its writer opens it anew for each piece, as some do."""
    whole = draw_elsewhere(service, "pieces.png").read_bytes()
    service.drop("pieces.yaml", job("pieces.png"))
    job_id = wait_for_status(service, "pieces.yaml", "waiting_refs")
    for start in range(0, len(whole), len(whole) // 20 + 1):
        with (service.root / "inbox" / "pieces.png").open("ab") as writer:
            writer.write(whole[start : start + len(whole) // 20 + 1])
        wait_for(_after(0.05), "a short pause")

    assert service.wait_for_result("pieces.yaml")["status"] == "completed"
    assert used_content(service, job_id) == [hashlib.sha256(whole).hexdigest()]


def _after(pause_s: float) -> Callable[[], bool]:
    at = time.monotonic() + pause_s
    return lambda: time.monotonic() >= at


def test_job_and_picture_dropped_together_in_either_order_run(service: Service) -> None:
    service.drop("first.yaml", job("second.png"))
    arrive(service, "second.png")
    arrive(service, "third.png")
    service.drop("fourth.yaml", job("third.png"))

    for name in ("first.yaml", "fourth.yaml"):
        assert service.wait_for_result(name)["status"] == "completed"


def test_used_picture_is_a_picture_of_the_library_with_the_place_that_it_had(service: Service) -> None:
    (service.root / "inbox" / "moods").mkdir()
    arrive(service, "dusk.png")
    service.drop("moods/used.yaml", job("../dusk.png"))
    assert service.wait_for_result("used.yaml")["status"] == "completed"

    (row,) = wait_for(
        lambda: service.query("SELECT * FROM media WHERE original_path = 'inbox/dusk.png'"), "an import"
    )
    assert row["origin"] == "import"
    assert not (service.root / "inbox" / "dusk.png").exists()
    service.drop("later.yaml", job("dusk.png"))
    later = service.wait_for_result("later.yaml")
    assert later["status"] == "completed"
    rows = service.query(
        "SELECT media_id FROM generation_inputs WHERE generation_id = ?",
        later["generations"][0]["generationId"],
    )
    assert [each["media_id"] for each in rows] == [row["id"]]


def test_waiting_job_is_cancelled_from_the_command_line_for_good(service: Service) -> None:
    service.drop("unwanted.yaml", job("never.png"))
    job_id = wait_for_status(service, "unwanted.yaml", "waiting_refs")

    told = service.command("jobs", "cancel", job_id)

    assert told.returncode == 0, told.stderr
    assert service.wait_for_result("unwanted.yaml")["status"] == "cancelled"
    assert (service.root / "failed" / "unwanted.yaml").is_file()
    arrive(service, "never.png")
    service.drop("after.yaml", HEAD)
    service.wait_for_result("after.yaml")
    assert wait_for_status(service, "unwanted.yaml", "cancelled") == job_id
    assert "could not be taken in" not in service.output()


def test_job_killed_while_it_waits_runs_after_the_next_start(make_service: Callable[..., Service]) -> None:
    service = make_service(settings="intake: {settle_ms: 50}\n")
    service.start()
    service.wait_until_watching()
    service.drop("shots/early.yaml", job("late.png"))
    job_id = wait_for_status(service, "early.yaml", "waiting_refs")
    service.kill()
    source = draw_elsewhere(service, "late.png")
    source.rename(service.root / "inbox" / "shots" / "late.png")
    service.start()

    result = service.wait_for_result("early.yaml")

    assert (result["jobId"], result["status"], result["jobFile"]) == (job_id, "completed", "shots/early.yaml")
    assert len(service.query("SELECT id FROM jobs")) == 1
    assert not any((service.root / "processing").iterdir())


def test_time_that_is_over_while_the_service_is_down_fails_the_job_at_the_start(
    make_service: Callable[..., Service],
) -> None:
    service = make_service(settings="intake: {settle_ms: 50, refs_timeout_s: 1}\n")
    service.start()
    service.wait_until_watching()
    pictures.write_png(service.root / "inbox" / "lighthouse.png")
    service.drop("early.yaml", job("lighthose.png"))
    wait_for_status(service, "early.yaml", "waiting_refs")
    service.kill()
    wait_for(_after(1.0), "the end of its time")

    service.run_once()

    result = service.wait_for_result("early.yaml")
    assert result["status"] == "failed"
    assert [each["code"] for each in result["error"]["problems"]] == ["job.ref_missing"]
    assert "lighthouse.png" in result["error"]["problems"][0]["hint"]
