"""Each fault of an engine in a running service: what becomes of the job, the engine, and the next job."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.scenarios.recording import RecordingService
from tests.scenarios.service import Service

STALL_S = 2
JOB = "endpointKey: local.flux2-klein-%s.image\nparams: {prompt: %r, size: 96*64}\nmaxAttempts: %d\n"
SETTINGS = f"""\
engine: {{path: %s, stall_s: {STALL_S}}}
models:
  sets:
    flux2-klein-4b: {{diffusion_model: four.gguf}}
    flux2-klein-9b: {{diffusion_model: nine.gguf}}
"""


class FaultyService(Service):
    """A library whose cn-engine is the embedded engine, which commits the fault that a file holds, once."""

    def __init__(self, folder: Path) -> None:
        self.fault = folder / "fault"
        engine = folder / "cn-engine"
        engine.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m hotfolder.engine.procedural\n')
        engine.chmod(0o755)
        super().__init__(
            folder / "library",
            settings=SETTINGS % engine,
            env={"HOTFOLDER_PROCEDURAL_FAULT_ONCE": str(self.fault)},
        )
        for name in ("four.gguf", "nine.gguf"):
            (self.root / "models" / name).touch()
        self._dropped = 0

    def arm(self, fault: str) -> None:
        """The next command that it concerns meets this fault."""
        draft = self.fault.with_suffix(".tmp")
        draft.write_text(fault, encoding="utf-8")
        draft.rename(self.fault)

    def run_job(self, prompt: str, *, model: str = "4b", attempts: int = 1) -> dict[str, Any]:
        """The result of a job of its own."""
        self._dropped += 1
        name = f"job-{self._dropped}.yaml"
        self.drop(name, JOB % (model, prompt, attempts))
        return self.wait_for_result(name)

    def newest_event(self) -> int:
        found: int = self.query("SELECT coalesce(max(seq), 0) AS seq FROM events")[0]["seq"]
        return found

    def engine_states(self, since: int) -> list[str]:
        """The states of cn-engine that were told after this event."""
        rows = self.query(
            "SELECT data_json FROM events WHERE topic = 'engine.status' AND seq > ? ORDER BY seq", since
        )
        told = [json.loads(each["data_json"]) for each in rows]
        return [each["state"] for each in told if each["kind"] == "cn-engine"]


@dataclass(frozen=True)
class Fate:
    """What a fault leads to: the job's error code (None: it completes), and whether the engine lives on."""

    fault: str
    code: str | None = None
    says: str = ""
    lives: bool = True
    model: str = "4b"
    width: int = 96


def dies(fault: str, says: str, *, code: str = "engine.crashed", model: str = "4b") -> Fate:
    return Fate(fault, code, says, lives=False, model=model)


SILENT = f"said nothing for {STALL_S} s during"
FATES = {
    "bars on stdout": Fate("bars"),
    "an error glued to a bar": Fate("glued-error", "engine.generation_failed", "the engine refused"),
    "an abort on a type error": dies("type-error", "signal SIGABRT"),
    "a hang": dies("hang", f"{SILENT} generate", code="engine.timeout"),
    "slow steps": Fate("slow"),
    "a crash in the middle": dies("crash", "exit code 3"),
    "a crash in load": dies("crash@load", "exit code 3) during load", model="9b"),
    "a late result": dies("late-result", f"{SILENT} generate", code="engine.timeout"),
    "a wrong id": dies("wrong-id", "'not-generate-", code="engine.timeout"),
    "a missing output": Fate("missing-output", "engine.bad_output", "there is none"),
    "a truncated output": Fate("half-output", "engine.bad_output", "ends early"),
    "garbage bytes on stdout": Fate("garbage-stdout"),
    "a line of 10 MB": Fate("long-line"),
    "a flood on stderr": Fate("stderr-flood"),
    "an output of another size": Fate("other-size", width=48),
    "bars in load": Fate("bars@load", model="9b"),
    "an error glued to a bar in load": Fate("glued-error@load", "engine.load_failed", "load", model="9b"),
    "a hang in load": dies("hang@load", f"{SILENT} load", code="engine.timeout", model="9b"),
    "an abort in the middle": dies("abort", "signal SIGABRT"),
    "an output that is no picture": Fate("garbage-output", "engine.bad_output", "not a picture"),
    "an error without a code": Fate("error:", "engine.failed", "the engine refused"),
    "a model that is gone": Fate("error:NO_MODEL", "engine.no_model", "the engine refused"),
}


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultyService]:
    """A running library, which goes through one fault after another."""
    service = FaultyService(tmp_path_factory.mktemp("faults"))
    try:
        service.start()
        service.wait_until_watching()
        yield service
    finally:
        service.kill()


def made_sizes(service: Service, result: dict[str, Any]) -> list[tuple[int, int]]:
    """The sizes of the pictures that a job brought into the library, read from their files."""
    sizes = []
    for each in result["generations"][0]["outputs"]:
        with Image.open(service.root / each["path"]) as image:
            image.load()
            sizes.append(image.size)
    rows = service.query(
        "SELECT width, height FROM media WHERE generation_id = ?", result["generations"][0]["generationId"]
    )
    assert [(row["width"], row["height"]) for row in rows] == sizes
    return sizes


@pytest.mark.parametrize("fate", [pytest.param(fate, id=name) for name, fate in FATES.items()])
def test_fault_ends_its_own_job_as_it_should_and_the_next_job_succeeds(
    studio: FaultyService, fate: Fate
) -> None:
    assert studio.run_job("to begin with")["status"] == "completed"
    engine, before = studio.engine_pids(), studio.newest_event()
    studio.arm(fate.fault)

    result = studio.run_job("the fault", model=fate.model)
    states, engine_then = studio.engine_states(before), studio.engine_pids()
    following = studio.run_job("the next")

    assert not studio.fault.exists()
    assert_fate(studio, result, fate)
    assert ("error" not in states) is fate.lives, states
    assert (engine_then == engine) if fate.lives else not set(engine_then) & set(engine)
    assert following["status"] == "completed"
    assert following["generations"][0]["attempts"] == 1
    assert made_sizes(studio, following) == [(96, 64)]
    assert studio.engine_states(before)[-1] == "ready"


def assert_fate(studio: FaultyService, result: dict[str, Any], fate: Fate) -> None:
    generation = result["generations"][0]
    assert generation["attempts"] == 1
    if fate.code is None:
        assert (result["status"], generation["error"]) == ("completed", None)
        assert made_sizes(studio, result) == [(fate.width, 64)]
        return
    assert (result["status"], result["error"]["code"]) == ("failed", fate.code)
    assert fate.says in result["error"]["message"]
    assert made_sizes(studio, result) == []


@pytest.mark.parametrize("fault", ["crash", "crash@load", "half-output", "error:NO_MODEL"])
def test_job_that_met_a_passing_fault_completes_at_its_second_attempt(
    studio: FaultyService, fault: str
) -> None:
    studio.arm(fault)

    result = studio.run_job("again", model="9b", attempts=2)

    assert (result["status"], result["error"]) == ("completed", None)
    assert result["generations"][0]["attempts"] == 2
    assert studio.run_job("back to the other model")["status"] == "completed"


def test_refusal_is_not_tried_again(studio: FaultyService) -> None:
    studio.arm("glued-error")

    result = studio.run_job("refused", attempts=3)

    assert (result["status"], result["generations"][0]["attempts"]) == ("failed", 1)


def test_engine_that_lost_its_model_gets_it_again(studio: FaultyService) -> None:
    studio.run_job("to begin with")
    before = studio.newest_event()
    studio.arm("error:NO_MODEL")
    studio.run_job("without a model")

    assert studio.run_job("with it")["status"] == "completed"

    states = studio.engine_states(before)
    assert states.count("loading") <= 1  # it may be over before it is told
    assert "ready" in states[states.index("idle") :]


def test_status_command_tells_of_the_engine_as_the_events_do(studio: FaultyService) -> None:
    studio.run_job("to begin with")

    told = json.loads(studio.command("engine", "status", "--json").stdout)

    assert (told["sidecarRunning"], told["kind"], told["state"]) == (True, "cn-engine", "ready")
    assert told["modelInfo"] == "procedural (no AI model)"


def test_result_that_a_dying_engine_still_sends_is_not_taken_for_the_next_one(tmp_path: Path) -> None:
    service = RecordingService(tmp_path / "library", env={"HOTFOLDER_ENGINE__STALL_S": str(STALL_S)})
    service.drop("late.yaml", JOB % ("4b", "fault:late one", 1) + "priority: 10\n")
    service.drop("next.yaml", JOB % ("4b", "the next", 1))
    try:
        assert service.run_once() == 1
    finally:
        service.kill()

    late, following = service.wait_for_result("late.yaml"), service.wait_for_result("next.yaml")
    assert late["error"]["code"] == "engine.timeout"
    assert made_sizes(service, late) == []
    assert following["status"] == "completed"
    sent = service.commands("generate")
    assert [each["prompt"] for each in sent] == ["fault:late one", "the next"]
    assert following["generations"][0]["seed"] == sent[-1]["seed"]
    assert len(service.query("SELECT id FROM media")) == 1
