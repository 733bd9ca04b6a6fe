"""Runs of hotfolder that pass the points of `crash_points`, one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tests.forks import Process, forks

WATCHED: Final = "tests.scenarios.crash_points:run_watched"
LIMIT_S: Final = 40.0


class Launcher:
    """Owns the run in hand."""

    def __init__(self, folder: Path) -> None:
        self._notes = folder / "notes"
        self._process: Process | None = None

    def run(self, root: Path, point: str | None = None, number: int = 1) -> tuple[int, list[str]]:
        """`hotfolder run --once` to its end, or until it is killed: its exit code, and the points passed."""
        self._notes.unlink(missing_ok=True)
        notes = str(self._notes)
        mode = ["record", notes] if point is None else ["kill", notes, point, str(number)]
        output = root / "logs" / "test-output.txt"
        self._process = forks.start([*mode, "run", str(root), "--once"], output=output, function=WATCHED)
        return self._process.wait(LIMIT_S), self._notes.read_text(encoding="utf-8").splitlines()

    def close(self) -> None:
        """End the run in hand, if a test was cut off."""
        if self._process is not None:
            self._process.kill()
