"""`kill -9` anywhere and a restart: each job ends exactly once, no picture twice, none lost, nothing left."""

from __future__ import annotations

import hashlib
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hotfolder.files.images import inspect_output
from tests.pictures import write_png
from tests.scenarios.service import Service, wait_for

LAUNCHER = Path(__file__).with_name("crashing_sidecar.py")
RESTART_LIMIT_S = 15.0
"""Well below queue.lease_s (60): a restart that waited for a lease would not end in time."""

STEP_MS = "HOTFOLDER_PROCEDURAL_STEP_MS"
SLOW = {STEP_MS: "20000"}

FILES = {
    "broken.yaml": "endpointKey: local.nowhere.image\nparams: {prompt: A quiet bay}\n",
    "poster.yaml": """\
endpointKey: local.procedural.image
id: poster-7
params: {prompt: A quiet bay, size: 64*64, seed: 21, steps: 2}
refs: [./mood.png]
""",
    "pair.yaml": """\
endpointKey: local.procedural.image
params: {prompt: A quiet bay, size: 64*64, seed: 31, steps: 2}
---
endpointKey: local.procedural.image
id: 0b6cfe8e-8f3c-4c53-9d5a-3a1d2b5f9a10
params: {prompt: A quiet bay, size: 64*64, seed: 32, steps: 2}
""",
    "plain.yaml": """\
endpointKey: local.procedural.image
params: {prompt: A quiet bay, size: 64*64, seed: 11, steps: 2}
count: 2
""",
}
SEEDS = {"poster.yaml": [21], "pair.1.yaml": [31], "pair.2.yaml": [32], "plain.yaml": [11, 12]}
"""The jobs that complete, and the seeds of their pictures."""

_ONE_BY_ONE = {
    "before the claims are noted": ["claims-not-noted"],
    "before the claims are made": ["claims-noted"],
    "after a claim": ["claimed"],
    "after the references were copied": ["references-copied"],
    "after a job was refused": ["refused"],
    "after a job was inserted": ["inserted:4"],
    "after a part was inserted under its own id": ["own-id-learned"],
    "after the first part was written": ["part-written"],
    "before the split file is put away": ["parts-written"],
    "after the split file was put away": ["original-put-away"],
    "while the engine works": ["sampling:2"],
    "after the engine's output": ["picture-made"],
    "after the output was recorded": ["execute-recorded:2"],
    "after the picture was stored": ["picture-stored"],
    "before the picture is recorded": ["files-stored"],
    "while the picture is recorded": ["finalize-half-recorded"],
    "before the work folder is removed": ["finalize-recorded"],
    "after the final place was reserved": ["place-reserved:2"],
    "after the job file was moved": ["job-file-moved:2"],
    "after the result was written": ["result-written:2"],
    "in the middle of copying a reference": ["half-copied-reference"],
    "in the middle of writing a part": ["half-written-part:2"],
    "in the middle of writing a status": ["sampling", "half-written-status"],
    "in the middle of writing a sidecar": ["half-written-original:2"],
    "in the middle of writing a result": ["half-written-result"],
}
_AGAIN = {
    "after a claim, twice": ["claimed:3", "claimed:3"],
    "while the engine works, twice": ["sampling", "sampling"],
    "after a place was reserved, twice": ["place-reserved", "place-reserved"],
    "while the queue recovers": ["sampling", "queue-recovered"],
    "while the inbox recovers": ["parts-written", "own-id-learned"],
    "after the recovery": ["finalize-recorded:2", "inbox-recovered", "work-swept"],
}
CASES = {**_ONE_BY_ONE, **_AGAIN}
"""When the power goes, and the points of crashing_sidecar.py at which one run after the other is killed."""


@pytest.mark.parametrize("points", CASES.values(), ids=CASES.keys())
def test_jobs_killed_at_any_point_end_exactly_once_after_a_restart(
    make_service: Callable[..., Service], points: list[str]
) -> None:
    service = make_service(settings="intake: {settle_ms: 50}\n")
    drop_all(service)
    for point in points:
        run_until_killed(service, point)

    service.run_once(RESTART_LIMIT_S)

    assert_everything_ended_once(service)


def drop_all(service: Service) -> None:
    write_png(service.root / "inbox" / "mood.png")
    for name, text in FILES.items():
        service.drop(name, text)


def run_until_killed(service: Service, point: str) -> None:
    name, _, number = point.partition(":")
    service.start("--once", program=(sys.executable, str(LAUNCHER), name, number or "1"))
    assert service.process is not None
    assert service.process.wait(RESTART_LIMIT_S) == -signal.SIGKILL, service.output()


def assert_everything_ended_once(service: Service) -> None:
    root = service.root
    assert names_in(root / "inbox") == {"mood.png"}
    assert not any(names_in(root / folder) for folder in ("processing", "work", "status"))
    assert not list(root.rglob("*.tmp"))
    assert_job_files(root)
    assert_rows(service)
    results = [json.loads(path.read_bytes()) for path in sorted(root.rglob("*.result.json"))]
    assert_pictures(service, [each for each in results if each["status"] == "completed"])


def assert_job_files(root: Path) -> None:
    completed = {name + suffix for name in SEEDS for suffix in ("", ".result.json")}
    assert names_in(root / "done") == completed | {"pair.yaml"}
    assert names_in(root / "failed") == {"broken.yaml", "broken.yaml.error.md", "broken.yaml.result.json"}
    assert (root / "failed" / "broken.yaml").read_text() == FILES["broken.yaml"]


def assert_rows(service: Service) -> None:
    jobs = {each["file_name"]: each["status"] for each in service.query("SELECT * FROM jobs")}
    assert jobs == dict.fromkeys(SEEDS, "completed") | {"broken.yaml": "failed"}
    items = service.query("SELECT DISTINCT status, attempt_count FROM work_queue")
    assert items == [{"status": "completed", "attempt_count": 1}]
    made = service.query("SELECT g.id FROM generations g JOIN media m ON m.generation_id = g.id")
    generations = service.query("SELECT id FROM generations WHERE status = 'completed' AND attempts = 1")
    assert sorted(each["id"] for each in made) == sorted(each["id"] for each in generations)
    assert service.query("PRAGMA integrity_check") == [{"integrity_check": "ok"}]


def assert_pictures(service: Service, results: list[dict[str, Any]]) -> None:
    """Rows, originals, sidecars, thumbnails and results tell of the same pictures, with the seeds asked."""
    seeds = {each["jobFile"]: [one["seed"] for one in each["generations"]] for each in results}
    assert seeds == SEEDS
    outputs = [one["outputs"] for each in results for one in each["generations"]]
    assert [len(each) for each in outputs] == [1] * 5
    for (output,) in outputs:
        picture = service.root / output["path"]
        assert hashlib.sha256(picture.read_bytes()).hexdigest() == output["sha256"]
        assert inspect_output(picture)[1] == output["pixelSha256"]
    names = {Path(output["path"]).name for (output,) in outputs}
    media = service.query("SELECT id, file_name FROM media")
    assert {each["file_name"] for each in media} == names
    assert len(media) == len(names) == 5
    assert names_in(service.root / "originals") == {
        name + suffix for name in names for suffix in ("", ".json", ".xmp")
    }
    assert names_in(service.root / "thumbnails") == {f"{each['id']}.jpg" for each in media}


def names_in(folder: Path) -> set[str]:
    """The names of all files below a folder, and of the folders that hold nothing; none of them twice."""
    found = [each.name for each in folder.rglob("*") if each.is_file()]
    assert len(found) == len(set(found))
    return set(found)


def test_engine_is_gone_after_the_sidecar_was_killed(make_service: Callable[..., Service]) -> None:
    service = start_sampling(make_service(env=SLOW))
    engines = service.engine_pids()
    assert engines

    service.kill()

    wait_for(lambda: not any(is_running(pid) for pid in engines), "the end of the engine", 5.0)


def test_stop_lets_the_picture_in_hand_end_and_the_next_start_makes_the_rest(
    make_service: Callable[..., Service],
) -> None:
    service = start_sampling(make_service(env={STEP_MS: "300"}, settings="shutdown: {grace_s: 20}\n"))

    assert service.stop(20.0) == 0

    assert statuses(service) == ["completed", "pending"]
    assert_nothing_in_hand(service)
    assert ended_attempts(service) == [1, 1]


def test_stop_hands_back_what_does_not_end_in_the_grace_time_and_spends_no_attempt(
    make_service: Callable[..., Service],
) -> None:
    service = start_sampling(make_service(env=SLOW, settings="shutdown: {grace_s: 0.2}\n"))

    assert service.stop(10.0) == 0

    assert statuses(service) == ["pending", "pending"]
    assert_nothing_in_hand(service)
    assert ended_attempts(service) == [1, 1]


def test_second_stop_signal_ends_at_once_and_loses_nothing(make_service: Callable[..., Service]) -> None:
    service = start_sampling(make_service(env=SLOW, settings="shutdown: {grace_s: 50}\n"))
    assert service.process is not None
    service.process.send_signal(signal.SIGTERM)
    wait_for(lambda: "stopping" in service.output(), "the beginning of the stop")

    assert service.stop(10.0) == 0

    assert statuses(service) == ["pending", "pending"]
    assert_nothing_in_hand(service)
    assert ended_attempts(service) == [1, 1]


def test_second_sidecar_is_refused_and_leaves_the_first_alone(service: Service) -> None:
    service.start()
    service.wait_until_watching()

    second = service.command("run", str(service.root), "--once")

    assert second.returncode == 1
    assert "Another hotfolder runs on this library already" in second.stderr
    assert (service.root / "run" / "nudge").exists()
    service.drop("bay.yaml")
    assert service.wait_for_result("bay.yaml")["status"] == "completed"
    assert service.stop() == 0


def start_sampling(service: Service) -> Service:
    """Start it on a job of two pictures, and wait until the first is being drawn."""
    service.drop("plain.yaml", FILES["plain.yaml"])
    service.start()
    sql = "SELECT 1 FROM events WHERE topic = 'generation.progress' AND data_json LIKE '%sampling%'"
    wait_for(lambda: service.query(sql), "a picture that is being drawn")
    return service


def statuses(service: Service) -> list[str]:
    return [each["status"] for each in service.query("SELECT status FROM generations ORDER BY position")]


def assert_nothing_in_hand(service: Service) -> None:
    """A stopped sidecar holds nothing: the next one need not recover."""
    assert service.query("SELECT * FROM work_queue WHERE status = 'processing'") == []
    assert not any((service.root / "work").iterdir())


def ended_attempts(service: Service) -> list[int]:
    """What the result says of the attempts, and the queue too, once a faster engine has done the rest."""
    service.env.pop(STEP_MS)
    assert service.run_once(RESTART_LIMIT_S) == 0
    items = service.query("SELECT DISTINCT status, attempt_count, crash_count FROM work_queue")
    assert items == [{"status": "completed", "attempt_count": 1, "crash_count": 0}]
    return [each["attempts"] for each in service.wait_for_result("plain.yaml")["generations"]]


def is_running(pid: int) -> bool:
    """Whether the process is there and more than a zombie."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rsplit(")", 1)[1].split()[0] != "Z"
