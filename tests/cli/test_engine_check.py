"""hotfolder engine check: what a program does that is asked in the engine's protocol."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.cli.conftest import Command

PROCEDURAL = (sys.executable, "-m", "hotfolder.engine.procedural")
ROUGH_ENGINE = Path(__file__).parent.parent / "engine" / "rough_engine.py"
SETTINGS = "models: {sets: {small: {diffusion_model: small.gguf}, gone: {diffusion_model: gone.gguf}}}\n"


def test_check_of_a_good_engine_is_a_table_and_needs_no_library(command: Command) -> None:
    outcome = command("engine", "check", "--", *PROCEDURAL)

    lines = outcome.out.splitlines()
    assert outcome.code == 0
    assert lines[0].split() == ["Check", "Verdict", "Found"]
    assert lines[1].startswith("start")
    assert "pong after" in lines[1]
    assert lines[-2].endswith(" passed, 0 differs, 0 not possible.")
    assert lines[-1] == "Nothing differs that hotfolder needs."


def test_check_for_programs_is_json(command: Command) -> None:
    outcome = command("engine", "check", "--json", "--", *PROCEDURAL)

    assert outcome.code == 0
    assert (outcome.json["command"], outcome.json["usable"]) == (list(PROCEDURAL), True)
    first = outcome.json["checks"][0]
    assert (first["name"], first["verdict"], first["needed"]) == ("start", "passed", True)
    assert first["tookMs"] > 0


def test_program_that_is_not_there_is_a_failure_that_names_it(command: Command) -> None:
    outcome = command("engine", "check", "/no/such/engine")

    assert outcome.code == 1
    assert "differs (needed)" in outcome.out
    assert "/no/such/engine: No such file" in outcome.out
    assert outcome.out.endswith("hotfolder cannot work with this program.\n")
    assert command("engine", "check", "/no/such/engine", "--json").json["usable"] is False


def test_check_loads_the_named_model_set(command: Command, root: Path) -> None:
    (root / "hotfolder.yaml").write_text(SETTINGS, encoding="utf-8")
    (root / "models" / "small.gguf").touch()
    check = ("--library", root, "engine", "check", "--json")

    outcome = command(*check, "--set", "small", sys.executable, ROUGH_ENGINE)

    load = next(each for each in outcome.json["checks"] if each["name"] == "load")
    assert (outcome.code, load["verdict"]) == (0, "passed")
    assert load["detail"].startswith("small.gguf in ")


def test_model_set_that_is_not_in_the_settings_is_named_with_those_that_are(
    command: Command, root: Path
) -> None:
    (root / "hotfolder.yaml").write_text(SETTINGS, encoding="utf-8")

    outcome = command("--library", root, "engine", "check", "--set", "smal", "true")

    assert (outcome.code, outcome.out) == (1, "")
    assert "no model set `smal`" in outcome.err
    assert "gone, small" in outcome.err


def test_check_of_nothing_is_a_usage_error(command: Command) -> None:
    assert command("engine", "check").code == 2
