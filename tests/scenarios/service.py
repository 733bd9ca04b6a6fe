"""A real sidecar over a real library, for scenario tests."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hotfolder.app import create_library
from tests.forks import Process, forks, run_command

T = TypeVar("T")

LIMIT_S = 30.0
JOB = "endpointKey: local.procedural.image\nparams: {prompt: A quiet bay, size: 64*64, seed: 5, steps: 2}\n"


def wait_for(look: Callable[[], T | None], what: str, limit_s: float = LIMIT_S) -> T:
    """The first truthy answer of `look`; fails the test with `what` after the limit."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.01)  # the pause of a poll with a limit
    raise AssertionError(f"{what} did not come about within {limit_s:g} s")


class Service:
    """One library and the sidecar process that serves it (or not, yet)."""

    def __init__(self, root: Path, *, settings: str = "", env: Mapping[str, str] | None = None) -> None:
        self.root = root
        create_library(root)
        if settings:
            (root / "hotfolder.yaml").write_text(settings, encoding="utf-8")
        self.env = {**os.environ, **(env or {})}
        self.process: Process | None = None

    @property
    def output_file(self) -> Path:
        """What all its processes have printed."""
        return self.root / "logs" / "test-output.txt"

    def start(self, *options: str) -> None:
        """Start `hotfolder run`."""
        self.process = forks.start(["run", str(self.root), *options], env=self.env, output=self.output_file)

    def start_program(self, program: Sequence[str], *options: str) -> None:
        """Start `hotfolder run` as another program, or by one."""
        with self.output_file.open("ab") as output:
            self.process = subprocess.Popen(
                [*program, "run", str(self.root), *options],
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )

    def wait_until_watching(self) -> None:
        """Until the sidecar listens (its nudge port is open) or the test fails."""
        wait_for((self.root / "run" / "nudge").exists, "a watching sidecar")

    def stop(self, limit_s: float = LIMIT_S) -> int:
        """SIGTERM, and the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(limit_s)

    def kill(self) -> None:
        """SIGKILL, as a power cut for the process; also the clean-up of a test."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(LIMIT_S)

    def run_once(self, limit_s: float = 60.0) -> int:
        """`hotfolder run --once` to its end; gives the exit code."""
        self.start("--once")
        assert self.process is not None
        return self.process.wait(limit_s)

    def command(self, *arguments: str, limit_s: float = LIMIT_S) -> subprocess.CompletedProcess[str]:
        """Another hotfolder command on the same library."""
        return run_command(["--library", str(self.root), *arguments], self.env, limit_s)

    def drop(self, name: str, text: str | bytes = JOB) -> Path:
        """Put a file into the inbox by rename, as a careful program does."""
        target = self.root / "inbox" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.tmp")
        temporary.write_bytes(text.encode() if isinstance(text, str) else text)
        temporary.rename(target)
        return target

    def wait_for_result(self, name: str, limit_s: float = LIMIT_S) -> dict[str, Any]:
        """The result object of the job file with this name, from done/ or failed/."""
        path = wait_for(lambda: self.find_result(name), f"a result of {name}", limit_s)
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def find_result(self, name: str) -> Path | None:
        """Where the result of a job file lies, if it does."""
        for folder in ("done", "failed"):
            for path in (self.root / folder).rglob(f"{name}.result.json"):
                return path
        return None

    def query(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of the library's database."""
        connection = sqlite3.connect(self.root / "library.db", timeout=15)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(sql, values)]
        finally:
            connection.close()

    def output(self) -> str:
        """What the sidecar has printed so far."""
        return self.output_file.read_text(encoding="utf-8", errors="replace")

    def engine_pids(self) -> list[int]:
        """Processes of the embedded engine that belong to this machine's sidecars of this library."""
        assert self.process is not None
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    status = (entry / "stat").read_text(encoding="utf-8")
                except OSError:
                    continue
                parent = int(status.rsplit(")", 1)[1].split()[1])
                if parent == self.process.pid:
                    found.append(int(entry.name))
        return found
