"""From a rename into a watched folder to the claim, one file every 100 ms, each claimed by renaming it out.

The limit in the same run: a thread that reads inotify itself, waits the 50 ms of the second look and renames
the file out. The second case, without a goal, has a thread beside it that computes in Python all the time.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from hotfolder.watchers.loop import SettledFile, WatchLoop

SAMPLES = 200
EVERY_S = 0.1
SECOND_LOOK_S = 0.05
GOAL_MEDIAN_MS, GOAL_P99_MS = 80.0, 250.0
JOB = "endpointKey: local.procedural.image\nparams: {prompt: a lighthouse at dusk}\n"


def main() -> int:
    with _watch_loop() as drop:
        alone = _measure(drop)
        with _busy_thread():
            busy = _measure(drop)
    with _bare_inotify() as drop:
        limit = _measure(drop)
        with _busy_thread():
            busy_limit = _measure(drop)
    _print(_compare("beside a busy thread", busy, busy_limit))
    figures = _compare("alone", alone, limit)
    figures["withinGoal"] = (
        figures["samples"] == SAMPLES
        and figures["medianMs"] <= GOAL_MEDIAN_MS
        and figures["p99Ms"] <= GOAL_P99_MS
    )
    _print(figures)
    return 0 if figures["withinGoal"] else 1


def _compare(case: str, samples: list[float], limit: list[float]) -> dict[str, Any]:
    median, p99, worst = _figures(samples)
    limit_median, limit_p99, _ = _figures(limit)
    return {
        "case": case,
        "samples": len(samples),
        "medianMs": median,
        "p99Ms": p99,
        "worstMs": worst,
        "inotifyMedianMs": limit_median,
        "inotifyP99Ms": limit_p99,
        "ratioToInotify": round(median / limit_median, 2),
    }


def _print(figures: dict[str, Any]) -> None:
    print(json.dumps(figures), flush=True)


def _figures(samples: list[float]) -> tuple[float, float, float]:
    p99 = statistics.quantiles(samples, n=100)[98]
    return round(statistics.median(samples), 1), round(p99, 1), round(max(samples), 1)


class _Claims:
    """When each name was renamed in and out, in milliseconds between."""

    def __init__(self, folder: Path) -> None:
        self.root, self._made, self._out = (folder / name for name in ("in", "made", "out"))
        for each in (self.root, self._made, self._out):
            each.mkdir()
        self._renamed_at: dict[str, float] = {}
        self._claimed_at: dict[str, float] = {}
        self._count = 0

    def drop(self) -> None:
        name = f"job-{self._count}.yaml"
        self._count += 1
        (self._made / name).write_text(JOB)
        self._renamed_at[name] = time.monotonic()
        (self._made / name).rename(self.root / name)

    def claim(self, name: str) -> None:
        (self.root / name).rename(self._out / name)
        self._claimed_at[name] = time.monotonic()

    def take(self) -> list[float]:
        names = list(self._claimed_at)
        return [1_000 * (self._claimed_at.pop(name) - self._renamed_at[name]) for name in names]


def _measure(claims: _Claims) -> list[float]:
    claims.take()
    for _ in range(SAMPLES):
        claims.drop()
        time.sleep(EVERY_S)  # the pause is what is measured, not a wait for something
    time.sleep(1.0)
    return claims.take()


@contextmanager
def _watch_loop() -> Iterator[_Claims]:
    with tempfile.TemporaryDirectory() as folder:
        claims = _Claims(Path(folder))

        def take(files: list[SettledFile]) -> None:
            for file in files:
                claims.claim(file.path.name)

        loop = WatchLoop(claims.root, accepts=lambda path: path.suffix == ".yaml", on_settled=take)
        loop.start()
        assert loop.wait_until_quiet(30.0)
        yield claims
        loop.stop(30.0)


@contextmanager
def _bare_inotify() -> Iterator[_Claims]:
    from watchdog.observers.inotify_c import InotifyConstants, inotify_add_watch, inotify_init

    with tempfile.TemporaryDirectory() as folder:
        claims = _Claims(Path(folder))
        descriptor = inotify_init()
        inotify_add_watch(descriptor, os.fsencode(claims.root), InotifyConstants.IN_MOVED_TO)

        def read() -> None:
            while True:
                name = os.fsdecode(os.read(descriptor, 4096)[16:].rstrip(b"\0"))
                if name == "end":
                    return
                time.sleep(SECOND_LOOK_S)
                claims.claim(name)

        thread = threading.Thread(target=read)
        thread.start()
        yield claims
        (Path(folder) / "end").touch()
        (Path(folder) / "end").rename(claims.root / "end")
        thread.join()
        os.close(descriptor)


@contextmanager
def _busy_thread() -> Iterator[None]:
    stop = threading.Event()

    def compute() -> None:
        while not stop.is_set():
            sum(range(1_000))

    thread = threading.Thread(target=compute, daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join()


if __name__ == "__main__":
    sys.exit(main())
