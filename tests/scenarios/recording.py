"""A service whose cn-engine is the rough test engine, which notes every line and when it came."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.scenarios.service import Service, wait_for

ROUGH_ENGINE = Path(__file__).parent.parent / "engine" / "rough_engine.py"
MODEL_FILES = ("klein.gguf", "ae.safetensors", "qwen.gguf")
SETTINGS = """\
engine: {path: %(engine)s}
models:
  sets:
    flux2-klein-4b: {diffusion_model: klein.gguf, vae: ae.safetensors, llm: qwen.gguf}
"""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A job file that was put into the inbox, when, and the prompt that tells its generate line."""

    path: Path
    at: float
    prompt: str


class RecordingService(Service):
    """A library whose FLUX.2 Klein endpoint is served by the rough engine."""

    def __init__(self, root: Path, *, settings: str = "", env: Mapping[str, str] | None = None) -> None:
        self.log = root.parent / f"{root.name}-engine.jsonl"
        engine = root.parent / f"{root.name}-cn-engine"
        engine.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{ROUGH_ENGINE}" "$@"\n', encoding="utf-8")
        engine.chmod(0o755)
        super().__init__(
            root,
            settings=SETTINGS % {"engine": engine} + settings,
            env={"ROUGH_ENGINE_LOG": str(self.log), **(env or {})},
        )
        for name in MODEL_FILES:
            (root / "models" / name).write_bytes(b"not a real model")

    def commands(self, cmd: str) -> list[dict[str, Any]]:
        """The commands of one kind that the engine received, each with `at` and its params."""
        if not self.log.exists():
            return []
        found = []
        for line in self.log.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            command = json.loads(entry["line"])
            if command["cmd"] == cmd:
                found.append({"at": entry["at"], **command.get("params", {})})
        return found

    def drop_job(self, name: str, extra: str = "") -> Dropped:
        """Drop a small job with a prompt of its own."""
        prompt = f"job {uuid.uuid4()}"
        text = f"endpointKey: local.flux2-klein-4b.image\nparams: {{prompt: {prompt}, size: 64*64}}\n{extra}"
        at = time.monotonic()
        return Dropped(self.drop(name, text), at, prompt)

    def latency_ms(self, name: str) -> float:
        """From the drop of a job to its generate line; waits for its result: the sidecar is idle again."""
        dropped = self.drop_job(name)
        self.wait_for_result(name)

        def sent() -> float | None:
            return next(
                (each["at"] for each in self.commands("generate") if each["prompt"] == dropped.prompt), None
            )

        return (wait_for(sent, "the generate line") - dropped.at) * 1000
