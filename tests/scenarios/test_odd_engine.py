"""An engine that is odd rather than ill, in a running service: what the user reads of it, and how soon."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.service import Service

ODD_ENGINE = Path(__file__).parent.parent / "engine" / "odd_engine.py"
FLOOD_S = 3
OTHER_EVENTS = 30  # of a job from its acceptance to its delivery; a flood is thousands
JOB = "endpointKey: local.flux2-klein-%s.image\nparams: {prompt: %r, size: 96*64}\nmaxAttempts: 3\n"
SETTINGS = """\
engine: {path: %s, stall_s: 20}
models:
  sets:
    flux2-klein-4b: {diffusion_model: four.gguf}
    flux2-klein-9b: {diffusion_model: refuse.gguf}
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running library whose cn-engine is the odd one."""
    folder = tmp_path_factory.mktemp("odd")
    engine = folder / "cn-engine"
    engine.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{ODD_ENGINE}"\n')
    engine.chmod(0o755)
    service = Service(
        folder / "library", settings=SETTINGS % engine, env={"ODD_ENGINE_FLOOD_S": str(FLOOD_S)}
    )
    for name in ("four.gguf", "refuse.gguf"):
        (service.root / "models" / name).touch()
    try:
        service.start()
        service.wait_until_watching()
        yield service
    finally:
        service.kill()


def run_job(studio: Service, name: str, prompt: str, model: str = "4b") -> dict[str, Any]:
    studio.drop(name, JOB % (model, prompt))
    return studio.wait_for_result(name, limit_s=20)


def test_job_that_fails_after_a_lack_of_memory_is_told_its_own_cause_at_once(studio: Service) -> None:
    run_job(studio, "large.yaml", "oom please")

    refused = run_job(studio, "refused.yaml", "refuse this")
    broken = run_job(studio, "broken.yaml", "a picture", model="9b")

    assert (refused["error"]["code"], refused["generations"][0]["attempts"]) == (
        "engine.ref_image_load_failed",
        1,
    )
    assert (broken["error"]["code"], broken["generations"][0]["attempts"]) == ("engine.load_failed", 1)


def test_error_with_half_a_character_reaches_the_user_at_once(studio: Service) -> None:
    result = run_job(studio, "half.yaml", "half")

    assert (result["status"], result["error"]["code"]) == ("failed", "engine.generation_failed")
    assert "bad ? thing" in result["error"]["message"]


def test_engine_that_never_stops_telling_fills_neither_the_events_nor_the_time(studio: Service) -> None:
    (before,) = studio.query("SELECT max(seq) AS seq FROM events")

    result = run_job(studio, "flood.yaml", "flood")

    (after,) = studio.query("SELECT max(seq) AS seq FROM events")
    assert result["status"] == "completed"
    assert 2 * FLOOD_S <= after["seq"] - before["seq"] <= 2 * FLOOD_S + OTHER_EVENTS


def test_figures_that_cannot_be_true_reach_no_record(studio: Service) -> None:
    result = run_job(studio, "figures.yaml", "figures")

    assert (result["status"], result["generations"][0]["metrics"]["totalTimeMs"]) == ("completed", 0)
