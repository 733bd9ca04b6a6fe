"""The other end of `crash_points.py serve`: runs of hotfolder that pass points, one after the other."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Self

LAUNCHER: Final = Path(__file__).with_name("crash_points.py")
LIMIT_S: Final = 40.0


class Launcher:
    """Owns the process that forks, and with it the run in hand."""

    def __init__(self, folder: Path) -> None:
        self._notes = folder / "notes"
        self._process = subprocess.Popen(
            [sys.executable, str(LAUNCHER), "serve"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def run(self, root: Path, point: str | None = None, number: int = 1) -> tuple[int, list[str]]:
        """`hotfolder run --once` to its end, or until it is killed: its exit code, and the points passed."""
        self._notes.unlink(missing_ok=True)
        mode = (
            ["record", str(self._notes)] if point is None else ["kill", str(self._notes), point, str(number)]
        )
        self._tell([str(root / "logs" / "test-output.txt"), *mode, "run", str(root), "--once"])
        return int(self._hear()), self._notes.read_text(encoding="utf-8").splitlines()

    def _tell(self, command: Sequence[str]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        self._process.stdin.flush()

    def _hear(self) -> bytes:
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], LIMIT_S)
        assert ready, f"the run did not end within {LIMIT_S:g} s"
        return self._process.stdout.readline()
