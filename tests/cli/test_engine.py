"""hotfolder engine: what it does, and whether it answers."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import pytest

from tests.cli.conftest import Command
from tests.scenarios.service import Service, wait_for

BROKEN_ENGINE = """
engine: {path: /bin/false}
models: {sets: {flux2-klein-4b: {diffusion_model: four.gguf}}}
"""


def test_status_without_a_sidecar_says_so(on: Command) -> None:
    outcome = on("engine", "status")

    assert outcome.code == 0
    assert outcome.out == "procedural: stopped\nNo sidecar runs on this library.\n"
    assert on("engine", "status", "--json").json == {
        "sidecarRunning": False,
        "state": "stopped",
        "kind": "procedural",
        "modelInfo": None,
        "problem": None,
        "retryAt": None,
        "since": None,
        "wanted": None,
        "peakMemoryMb": None,
    }


def test_status_with_a_sidecar_tells_what_its_engine_does(
    command: Command, make_service: Callable[..., Service]
) -> None:
    service = make_service(env={"HOTFOLDER_PROCEDURAL_STEP_MS": "10000"})
    service.start()
    service.wait_until_watching()
    service.drop("slow.yaml")

    def status() -> dict[str, object]:
        found: dict[str, object] = command("--library", service.root, "engine", "status", "--json").json
        return found

    busy = wait_for(lambda: found if (found := status())["state"] == "busy" else None, "a busy engine")
    assert busy["sidecarRunning"] is True
    assert busy["kind"] == "procedural"
    assert str(busy["since"]).endswith("Z")
    command("--library", service.root, "engine", "ping")
    assert status() == busy, "another process's ping says nothing about this engine"


def test_status_tells_what_is_wrong_what_is_wanted_and_what_memory_the_last_picture_took(
    command: Command, make_service: Callable[..., Service]
) -> None:
    service = make_service(settings=BROKEN_ENGINE)
    (service.root / "models" / "four.gguf").touch()
    service.start()
    service.wait_until_watching()
    service.drop("good.yaml")
    service.wait_for_result("good.yaml")
    on = partial(command, "--library", service.root, "engine")

    on("load", "flux2-klein-4b")

    told = wait_for(
        lambda: text if "tries again at" in (text := on("status").out) else None, "an engine that rests"
    )
    found = wait_for(
        lambda: found if (found := on("status", "--json").json)["retryAt"] else None, "the same as JSON"
    )
    assert (found["state"], found["kind"], found["wanted"]["modelSet"]) == (
        "error",
        "cn-engine",
        "flux2-klein-4b",
    )
    assert found["peakMemoryMb"] > 0
    retry_at = re.escape(found["problem"]) + r", tries again at \d\d:\d\d:\d\d"
    state, problem, wanted, memory = told.splitlines()
    assert state == "cn-engine: error"
    assert "did not start" in problem
    assert re.fullmatch(retry_at, problem)
    assert wanted == f"Wanted by {found['wanted']['actor']}: flux2-klein-4b"
    assert memory == f"The last picture took {found['peakMemoryMb']} MB of memory at its peak."


def test_ping_starts_the_engine_and_tells_how_long_it_took(on: Command) -> None:
    outcome = on("engine", "ping")
    found = on("engine", "ping", "--json").json

    assert outcome.code == 0
    assert outcome.out.startswith("procedural answered in ")
    assert found["kind"] == "procedural"
    assert found["pingMs"] > 0


def test_ping_of_an_engine_that_is_not_there_is_a_known_failure(
    on: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTFOLDER_ENGINE", "/nowhere/cn-engine")

    outcome = on("engine", "ping")

    assert (outcome.code, outcome.out) == (1, "")
    assert "/nowhere/cn-engine" in outcome.err
    assert "[engine." in outcome.err
