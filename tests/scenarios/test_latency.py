from __future__ import annotations

import statistics
import time
from pathlib import Path

from tests.scenarios.recording import RecordingService
from tests.scenarios.service import wait_for


def test_dropped_job_reaches_the_idle_engine_within_150_ms_at_the_median(tmp_path: Path) -> None:
    service = RecordingService(tmp_path / "library")
    try:
        service.start()
        service.wait_until_watching()
        service.latency_ms("warm-up.yaml")

        taken_ms = [service.latency_ms(f"job-{number}.yaml") for number in range(9)]

        assert statistics.median(taken_ms) <= 150
        assert max(taken_ms) <= 500  # of so few samples the worst stands for p95
    finally:
        service.kill()


def test_second_job_100_ms_after_the_first_claim_is_not_held_up_by_it(tmp_path: Path) -> None:
    service = RecordingService(tmp_path / "library")
    try:
        service.start()
        service.wait_until_watching()
        service.latency_ms("warm-up.yaml")

        taken_ms = []
        for number in range(7):
            first = service.drop_job(f"first-{number}.yaml")
            wait_for(lambda first=first: not first.path.exists(), "the claim of the first job")  # type: ignore[misc]
            time.sleep(0.1)  # the promise is about a file 100 ms later
            taken_ms.append(service.latency_ms(f"second-{number}.yaml"))

        assert statistics.median(taken_ms) <= 150
        assert max(taken_ms) <= 500  # of so few samples the worst stands for p95
    finally:
        service.kill()
