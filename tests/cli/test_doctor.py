"""hotfolder doctor: what is wrong, and what to do about it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Command
from tests.scenarios.service import Service


def by_name(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in found}


def test_fresh_library_has_no_failure(on: Command) -> None:
    outcome = on("doctor")

    assert outcome.code == 0, outcome.out
    assert "FAIL" not in outcome.out
    assert "ok    Database: sound" in outcome.out
    assert "ok    Engine procedural: answers in" in outcome.out
    assert "warn  Sidecar: does not run\n      Start it: hotfolder run" in outcome.out


def test_json_is_an_array_of_checks_with_hints_where_something_is_to_do(on: Command) -> None:
    found = on("doctor", "--json").json

    assert all(set(each) == {"name", "state", "found", "hint"} for each in found)
    assert all(bool(each["hint"]) == (each["state"] != "ok") for each in found)
    assert {"Versions", "Folders", "Disk", "Settings", "Database", "Sidecar"} <= set(by_name(found))


def test_missing_model_file_is_a_failure_that_names_it(on: Command, root: Path) -> None:
    (root / "models" / "here.gguf").write_bytes(b"x")
    text = "models: {sets: {klein: {diffusion_model: here.gguf, vae: gone.gguf}}}\n"
    (root / "hotfolder.yaml").write_text(text, encoding="utf-8")

    outcome = on("doctor")

    assert outcome.code == 1
    assert f"FAIL  Model set klein: missing: {root / 'models' / 'gone.gguf'}\n" in outcome.out
    assert "models.roots" in outcome.out


def test_folder_that_cannot_be_written_to_is_a_failure_that_names_it(on: Command, root: Path) -> None:
    for name in ("status", "refs"):
        (root / name).rmdir()
        (root / name).write_text("in the way", encoding="utf-8")

    outcome = on("doctor")
    found = by_name(on("doctor", "--json").json)

    assert outcome.code == 1
    assert "FAIL  Folder status/: " in outcome.out
    assert found["Folder refs/"]["state"] == "failure"
    assert str(root / "refs") in found["Folder refs/"]["hint"]


def test_wrong_settings_are_a_failure_beside_the_other_checks(on: Command, root: Path) -> None:
    (root / "hotfolder.yaml").write_text("engin: {}\n", encoding="utf-8")

    outcome = on("doctor")

    assert outcome.code == 1
    assert "ok    Folders" in outcome.out
    assert "FAIL  Settings: " in outcome.out
    assert "Did you mean `engine`?" in outcome.out


def test_damaged_database_is_a_failure(on: Command, root: Path) -> None:
    for each in root.glob("library.db*"):
        each.unlink()
    (root / "library.db").write_bytes(b"not a database" * 100)

    outcome = on("doctor")

    assert outcome.code == 1
    assert "FAIL  Library: " in outcome.out
    assert str(root / "library.db") in outcome.out
    assert outcome.out.splitlines()[-1].startswith("      "), "what to do about it"


def test_engine_that_is_not_there_is_a_failure(on: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTFOLDER_ENGINE", "/nowhere/cn-engine")

    outcome = on("doctor")

    assert outcome.code == 1
    assert "FAIL  Engine cn-engine: " in outcome.out


def test_running_sidecar_is_named_and_keeps_running(command: Command, service: Service) -> None:
    service.start()
    service.wait_until_watching()

    outcome = command("--library", service.root, "doctor")

    assert outcome.code == 0, outcome.out
    assert service.process is not None
    assert f"ok    Sidecar: runs (process {service.process.pid} on " in outcome.out
    assert service.stop() == 0
