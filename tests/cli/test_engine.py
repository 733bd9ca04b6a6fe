"""hotfolder engine: what it does, and whether it answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.cli.conftest import Command
from tests.scenarios.service import Service, wait_for


def test_status_without_a_sidecar_says_so(on: Command) -> None:
    outcome = on("engine", "status")

    assert outcome.code == 0
    assert outcome.out == "procedural: stopped\nNo sidecar runs on this library.\n"
    assert on("engine", "status", "--json").json == {
        "sidecarRunning": False,
        "state": "stopped",
        "kind": "procedural",
        "modelInfo": None,
        "since": None,
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
