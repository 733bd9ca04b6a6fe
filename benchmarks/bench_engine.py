"""How long the engine waits between two pictures while jobs wait, and how much of the time it works.

The embedded engine at 200 ms a picture or more, behind a relay that notes when its result leaves and when the
next `generate` comes. Usage: bench_engine.py [--jobs 200] [--size 1024*1024]
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.scenarios.service import Service, wait_for

PICTURE_MS = 200
GOAL_MEDIAN_MS, GOAL_P99_MS, GOAL_BUSY = 10.0, 50.0, 0.95
SETTINGS = """\
engine: {path: %s}
models: {sets: {flux2-klein-4b: {diffusion_model: klein.gguf, vae: ae.gguf, llm: qwen.gguf}}}
"""
JOB = "endpointKey: local.flux2-klein-4b.image\nparams: {prompt: Job %d, size: %s, steps: 4}\n"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--size", default="1024*1024")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        gaps_ms, busy = measure(Path(made), options.jobs, options.size)
    median, p99 = statistics.median(gaps_ms), statistics.quantiles(gaps_ms, n=100)[98]
    met = median <= GOAL_MEDIAN_MS and p99 <= GOAL_P99_MS and busy >= GOAL_BUSY
    figures = {"jobs": options.jobs, "size": options.size, "gapMedianMs": round(median, 2)}
    figures |= {"gapP99Ms": round(p99, 2), "gapMaxMs": round(max(gaps_ms), 2), "busy": round(busy, 4)}
    print(json.dumps(figures | {"met": met}))
    return 0 if met else 1


def measure(folder: Path, jobs: int, size: str) -> tuple[list[float], float]:
    """The gaps in milliseconds, and the share of the time that the engine worked, first to last."""
    log, relay = folder / "times.jsonl", folder / "cn-engine"
    program = f'"{sys.executable}" "{Path(__file__).parent / "engine_relay.py"}" "{log}"'
    relay.write_text(f'#!/bin/sh\nexec {program} "{sys.executable}" -m hotfolder.engine.procedural\n')
    relay.chmod(0o755)
    step_ms = str(PICTURE_MS / 4)
    service = Service(
        folder / "library", settings=SETTINGS % relay, env={"HOTFOLDER_PROCEDURAL_STEP_MS": step_ms}
    )
    for name in ("klein.gguf", "ae.gguf", "qwen.gguf"):
        (service.root / "models" / name).write_bytes(b"not a real model")
    for number in range(jobs):
        service.drop(f"{number:04d}.yaml", JOB % (number, size))
    service.start()
    wait_for(lambda: count_results(log) >= jobs, "all pictures", 60 + jobs)
    service.stop()
    return read_gaps(log)


def count_results(log: Path) -> int:
    return log.read_text().count('"result"') if log.exists() else 0


def read_gaps(log: Path) -> tuple[list[float], float]:
    notes = [json.loads(line) for line in log.read_text().splitlines()]
    notes = [each for each in notes if each["what"] in ("generate", "result")]
    pairs = list(itertools.pairwise(notes))
    gaps = [after["at"] - before["at"] for before, after in pairs if before["what"] == "result"]
    return [1000 * each for each in gaps], 1 - sum(gaps) / (notes[-1]["at"] - notes[0]["at"])


if __name__ == "__main__":
    sys.exit(main())
