"""hotfolder config show and check."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Command


def test_show_lists_values_with_their_origins_and_meanings(
    on: Command, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "hotfolder.yaml").write_text("intake: {settle_ms: 100}\n", encoding="utf-8")
    monkeypatch.setenv("HOTFOLDER_LOGGING__LEVEL", "debug")

    lines = {line.split()[0]: line for line in on("config", "show").out.splitlines()}

    assert lines["intake.settle_ms"].split()[1:3] == ["100", "hotfolder.yaml"]
    assert lines["logging.level"].split()[1:3] == ['"debug"', "$HOTFOLDER_LOGGING__LEVEL"]
    assert lines["queue.max_attempts"].split()[1:3] == ["3", "default"]
    assert lines["queue.max_attempts"].endswith("unless the job says.")


def test_show_as_json_is_an_array_with_one_object_a_key(on: Command) -> None:
    found = on("config", "show", "--json").json

    assert {"key", "value", "origin", "description"} == set().union(*found)
    assert {"key": "queue.lanes.io", "value": 8, "origin": "default"}.items() <= {
        each["key"]: each for each in found
    }["queue.lanes.io"].items()


def test_check_of_sound_settings_ends_with_0(on: Command, root: Path) -> None:
    outcome = on("config", "check")

    assert outcome.code == 0
    assert outcome.out == f"The settings of {root} are sound.\n"


def test_check_of_wrong_settings_ends_with_1_and_says_where(on: Command, root: Path) -> None:
    (root / "hotfolder.yaml").write_text("engine:\n  fallbak: none\n", encoding="utf-8")

    outcome = on("config", "check")

    assert (outcome.code, outcome.out) == (1, "")
    assert f"{root / 'hotfolder.yaml'}, line 2, column 3" in outcome.err
    assert "Did you mean `fallback`?" in outcome.err


def test_wrong_environment_is_a_failure_of_every_command(
    on: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTFOLDER_ENGINE_PATH", "/x")

    for arguments in (("config", "show"), ("jobs", "list")):
        outcome = on(*arguments)
        assert outcome.code == 1
        assert "HOTFOLDER_ENGINE__PATH" in outcome.err
