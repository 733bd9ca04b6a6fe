"""A service on an engine that can be kept from starting and be killed, and what becomes of it then."""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.scenarios.recording import ROUGH_ENGINE, RecordingService
from tests.scenarios.service import wait_for
from tests.scenarios.web_service import WebService, command_of

SETS = """\
    flux2-klein-9b: {diffusion_model: nine.gguf, vae: ae.safetensors, llm: qwen.gguf}
"""
PROGRAM = """\
#!/bin/sh
test -e "%s" && { echo "no driver" >&2; exit 3; }
exec "%s" -S "%s" "%s"  # its own name last: so it is found among all processes
"""
JOB = "endpointKey: local.flux2-klein-%s.image\nparams: {prompt: %r, size: 64*64, seed: 7}\n"
HOLDS = "fault:hang so that others wait"
SMALL, LARGE = "klein.gguf", "nine.gguf"


class SupervisedService(RecordingService, WebService):
    """Two model sets; while the file `flag` exists the engine ends before it has begun."""

    def __init__(self, root: Path, *, picture_s: float = 0.0, env: dict[str, str] | None = None) -> None:
        super().__init__(root, settings=SETS, env={"ROUGH_ENGINE_PICTURE_S": str(picture_s), **(env or {})})
        (root / "models" / LARGE).write_bytes(b"not a real model, and larger")
        self.flag = root.parent / f"{root.name}-has-no-driver"
        self.engine = root.parent / f"{root.name}-cn-engine"
        self.engine.write_text(
            PROGRAM % (self.flag, sys.executable, ROUGH_ENGINE, self.engine), encoding="utf-8"
        )

    def ask(self, name: str, prompt: str, extra: str = "", *, model: str = "4b") -> None:
        """Drop a job of one small picture."""
        self.drop(name, JOB % (model, prompt) + extra)

    def hold(self) -> str:
        """Keep the engine at work, with one picture prepared behind it; gives the job to cancel."""
        self.ask("holds.yaml", HOLDS)
        job_id = self.wait_for_status("holds.yaml", "running")
        wait_for(lambda: HOLDS in self.prompts(), "an engine at work")
        self.ask("ahead.yaml", "ahead", "maxAttempts: 20\n")
        self.wait_for_status("ahead.yaml", "running")
        return job_id

    def wait_for_status(self, name: str, status: str) -> str:
        """The id of a job once it has this status."""
        sql = "SELECT id FROM jobs WHERE file_name = ? AND status = ?"
        found: str = wait_for(lambda: self.query(sql, name, status), f"{name} as {status}")[0]["id"]
        return found

    def instants(self, job_id: str) -> dict[str, datetime]:
        """When a job got each of its states."""
        sql = "SELECT at, data_json FROM events WHERE topic = 'job.changed' AND subject_id = ?"
        rows = self.query(sql, job_id)
        return {json.loads(each["data_json"])["status"]: datetime.fromisoformat(each["at"]) for each in rows}

    def engine_status(self) -> dict[str, Any]:
        """What was told last of cn-engine."""
        sql = (
            "SELECT data_json FROM events WHERE topic = 'engine.status' AND subject_id = ? ORDER BY seq DESC"
        )
        found: dict[str, Any] = json.loads(self.query(sql + " LIMIT 1", "cn-engine")[0]["data_json"])
        return found

    def wait_for_state(self, state: str) -> None:
        """Until cn-engine is told to be so."""
        wait_for(lambda: self.engine_status()["state"] == state, f"an engine that is {state}")

    def loads(self) -> list[str]:
        """The models that were loaded, one after the other."""
        return [Path(each["diffusion_model"]).name for each in self.commands("load")]

    def prompts(self) -> list[str]:
        """The prompts of the pictures that the engine was asked for, in order."""
        return [each["prompt"] for each in self.commands("generate")]

    def find_engines(self) -> list[int]:
        """Processes of cn-engine, those that are only just being started too; also of a killed service."""
        pids = (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit())
        return [pid for pid in pids if str(self.engine) in command_of(pid)]

    def kill_engine(self) -> int:
        """SIGKILL for whatever engine there is now; gives how many there were."""
        found = self.find_engines()
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return len(found)
