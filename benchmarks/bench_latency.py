"""From a rename into the inbox to the engine's `generate` line, with the sidecar idle.

A recording test engine notes when each line reaches it (CLOCK_MONOTONIC, one clock for all processes). The
limit in the same run: inotify tells of a rename and 50 ms pass, the least that the second look takes.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.scenarios.recording import RecordingService
from tests.scenarios.service import wait_for

SAMPLES = 40
GOAL_MEDIAN_MS, GOAL_P95_MS = 150.0, 500.0


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        service = RecordingService(Path(folder) / "library")
        service.start()
        service.wait_until_watching()
        service.latency_ms("warm-up.yaml")
        single = [service.latency_ms(f"single-{number}.yaml") for number in range(SAMPLES)]
        second = [second_of_two(service, number) for number in range(SAMPLES)]
        service.stop()
        limit = [bare_inotify_ms(Path(folder)) for _ in range(SAMPLES)]
    within = report("one job", single, limit) & report(
        "a second one, 100 ms after the first claim", second, limit
    )
    return 0 if within else 1


def second_of_two(service: RecordingService, number: int) -> float:
    """Drop one job, and another 100 ms after the first was claimed; only the second is measured."""
    first = service.drop_job(f"first-{number}.yaml")
    wait_for(lambda: not first.path.exists(), "the claim of the first job")
    time.sleep(0.1)  # the pause is what is measured, not a wait for something
    return service.latency_ms(f"second-{number}.yaml")


def bare_inotify_ms(folder: Path) -> float:
    """The least a watcher can take: inotify's event and the 50 ms until the second look."""
    from watchdog.observers.inotify_c import InotifyConstants, inotify_add_watch, inotify_init

    watched = Path(tempfile.mkdtemp(dir=folder))
    descriptor = inotify_init()
    inotify_add_watch(descriptor, os.fsencode(watched), InotifyConstants.IN_MOVED_TO)
    source = folder / "source"
    source.write_text("x")
    started = time.monotonic()
    source.rename(watched / "target")
    os.read(descriptor, 4096)
    time.sleep(0.05)
    os.close(descriptor)
    return (time.monotonic() - started) * 1000


def report(name: str, samples: list[float], limit: list[float]) -> bool:
    median, p95 = statistics.median(samples), statistics.quantiles(samples, n=20)[18]
    bare = statistics.median(limit)
    figures = {
        "case": name,
        "samples": len(samples),
        "medianMs": round(median, 1),
        "p95Ms": round(p95, 1),
        "limitMedianMs": round(bare, 1),
        "ratioToLimit": round(median / bare, 2),
        "withinGoal": median <= GOAL_MEDIAN_MS and p95 <= GOAL_P95_MS,
    }
    print(json.dumps(figures))
    return bool(figures["withinGoal"])


if __name__ == "__main__":
    sys.exit(main())
