"""`kill -9` again and again, stops, and restarts: each job ends exactly once, none lost, nothing left."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forks import forks
from tests.scenarios.drops import SETTINGS, Drops
from tests.scenarios.service import JOB, Service, wait_for
from tests.scenarios.settling import settle

LAUNCHER = "tests.scenarios.crashing_sidecar:run_armed"
RESTART_LIMIT_S = 15.0
"""Well below queue.lease_s (60): a restart that waited for a lease would not end in time."""

STEP_MS = "HOTFOLDER_PROCEDURAL_STEP_MS"
SLOW = {STEP_MS: "20000"}

TWO = JOB + "count: 2\n"

CASES = {
    "after a claim, twice": ["claimed:3", "claimed:3"],
    "while the engine works, twice": ["sampling", "sampling"],
    "after a place was reserved, twice": ["place-reserved", "place-reserved"],
    "while the queue recovers": ["sampling", "queue-recovered"],
    "while the inbox recovers": ["parts-written", "own-id-learned"],
    "after the recovery": ["finalize-recorded:2", "inbox-recovered", "work-swept"],
}
"""Points of crashing_sidecar.py at which one run after the other is killed; all others: the crash matrix."""


@pytest.mark.parametrize("points", CASES.values(), ids=CASES.keys())
def test_jobs_killed_again_before_they_recovered_end_exactly_once(
    make_service: Callable[..., Service], points: list[str]
) -> None:
    service = make_service(settings=SETTINGS)
    drops = Drops(service)
    for story in ("broken", "reference", "many", "two"):
        drops.stories[story]()
    for point in points:
        run_until_killed(service, point)

    assert settle(service, drops, lambda: service.run_once(RESTART_LIMIT_S)) == []

    items = service.query("SELECT DISTINCT status, attempt_count FROM work_queue")
    assert items == [{"status": "completed", "attempt_count": 1}]


def run_until_killed(service: Service, point: str) -> None:
    name, _, number = point.partition(":")
    command = [name, number or "1", "run", str(service.root), "--once"]
    service.process = forks.start(command, env=service.env, output=service.output_file, function=LAUNCHER)
    assert service.process.wait(RESTART_LIMIT_S) == -signal.SIGKILL, service.output()


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
    service.drop("plain.yaml", TWO)
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
