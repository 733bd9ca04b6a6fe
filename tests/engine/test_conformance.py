"""What the examination of a program finds, with real programs: good, rough, faulty, and no engines at all."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hotfolder.engine.conformance import CheckLimits, Finding, examine
from hotfolder.engine.conversation import EngineCommand
from hotfolder.engine.messages import LoadParams

PROCEDURAL = (sys.executable, "-m", "hotfolder.engine.procedural")
ROUGH = (sys.executable, "-S", str(Path(__file__).with_name("rough_engine.py")))
PATIENT = CheckLimits(start_s=20, reply_s=20, generate_s=20)
IMPATIENT = CheckLimits(start_s=20, reply_s=1, load_s=1, generate_s=1, cancel_s=0.2, end_s=1)

Examine = Callable[..., dict[str, Finding]]


@pytest.fixture
def find(tmp_path: Path) -> Examine:
    """All that an examination finds, by the names of the checks."""

    def run(
        *argv: str, limits: CheckLimits = PATIENT, model: LoadParams | None = None, **env: str
    ) -> dict[str, Finding]:
        command = EngineCommand("cn-engine", argv, env)
        return {each.name: each for each in examine(command, model or LoadParams(), tmp_path, limits)}

    return run


def differences(found: dict[str, Finding]) -> set[str]:
    return {name for name, each in found.items() if each.verdict == "differs"}


def hindrances(found: dict[str, Finding]) -> set[str]:
    return {name for name, each in found.items() if each.hinders}


def test_embedded_engine_passes_every_check(find: Examine) -> None:
    found = find(*PROCEDURAL)

    assert {each.verdict for each in found.values()} == {"passed"}, found
    assert found["size"].detail == "60 x 50 comes as 64 x 64"
    assert found["seed"].detail == "same seed, same bytes"
    assert found["progress"].detail == "conditioning > sampling > saving"
    assert found["stdout"].detail == "nothing but messages"
    assert "SIGABRT" in found["wrong type: id is null"].detail
    assert found["cancel by SIGTERM"].detail.endswith("without an output")
    assert all(each.took_ms > 0 for each in found.values())


def test_rough_engine_can_be_worked_with(find: Examine, tmp_path: Path) -> None:
    model = tmp_path / "klein.gguf"
    model.touch()

    found = find(*ROUGH, model=LoadParams(str(model)))

    assert hindrances(found) == set()
    assert found["load"].detail.startswith("klein.gguf in ")
    assert found["references"].detail == "two references change nothing"
    assert "12/12" in found["stdout"].detail
    assert found["upscale"].verdict == "not possible"


def test_engine_whose_model_cannot_be_loaded_is_told_from_one_that_was_given_none(
    find: Examine, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.gguf"
    broken.touch()

    given, none = find(*ROUGH, model=LoadParams(str(broken))), find(*ROUGH, ROUGH_ENGINE_FAULT="glue")

    assert hindrances(given) == {"load"}
    assert "Failed to create sd_ctx" in given["load"].detail
    assert given["picture"].verdict == "not possible"
    assert hindrances(none) == set()
    assert "--set" in none["load"].detail


@pytest.mark.parametrize(
    ("program", "detail"),
    [
        (("/bin/cat",), 'it wrote: {"cmd": "ping"'),
        (("/bin/sleep", "1000"), "no answer within 0.5 s"),
        (("/bin/true",), "the program ended (exit code 0)"),
        (("/no/such/engine",), "No such file"),
        (("yes",), "it wrote: y"),
        (("sh", "-c", "echo libcuda.so.1 is missing >&2; exit 4"), "exit code 4): libcuda.so.1 is missing"),
        ((*ROUGH, "--version"), "the program ended (exit code 0)"),
    ],
)
def test_program_that_is_no_engine_is_found_out_at_once(
    find: Examine, program: tuple[str, ...], detail: str
) -> None:
    started_at = time.monotonic()

    found = find(*program, limits=CheckLimits(start_s=0.5))

    assert time.monotonic() - started_at < 5
    assert hindrances(found) == {"start"}
    assert detail in found["start"].detail
    assert {each.verdict for name, each in found.items() if name != "start"} == {"not possible"}


@pytest.mark.parametrize(
    ("fault", "check", "detail"),
    [
        ("hang", "picture", "no answer within"),
        ("crash", "picture", "the program ended (exit code 3)"),
        ("wrong-id", "picture", "but one with the id 'not-generate-"),
        ("missing-output", "picture", "no whole picture"),
        ("half-output", "picture", "no whole picture"),
        ("crash@load", "load", "exit code 3"),
    ],
)
def test_fault_that_hinders_is_found(find: Examine, fault: str, check: str, detail: str) -> None:
    found = find(*PROCEDURAL, limits=IMPATIENT, HOTFOLDER_PROCEDURAL_FAULT=fault)

    assert hindrances(found) == {check}
    assert detail in found[check].detail
    assert found["quit"].verdict == "passed"


@pytest.mark.parametrize(
    ("fault", "check", "detail"),
    [
        ("other-size", "size", "32 x 64 where 60 x 50"),
        ("hang@status", "status", "no answer within"),
        ("hang@upscale", "upscale", "no answer within"),
    ],
)
def test_fault_that_only_differs_is_told_and_hinders_nothing(
    find: Examine, fault: str, check: str, detail: str
) -> None:
    found = find(*PROCEDURAL, limits=IMPATIENT, HOTFOLDER_PROCEDURAL_FAULT=fault)

    assert hindrances(found) == set()
    assert check in differences(found)
    assert detail in found[check].detail


@pytest.mark.parametrize("fault", ["garbage-stdout", "bars"])
def test_what_is_no_message_is_passed_over_and_told(find: Examine, fault: str) -> None:
    found = find(*PROCEDURAL, HOTFOLDER_PROCEDURAL_FAULT=fault)

    assert differences(found) == set()
    assert "are passed over" in found["stdout"].detail


def test_engine_that_reads_nothing_after_its_first_command_comes_to_an_end(find: Examine) -> None:
    limits = CheckLimits(start_s=20, reply_s=0.1, load_s=0.1, generate_s=0.1, cancel_s=0.2, end_s=0.2)

    found = find(*ROUGH, limits=limits, ROUGH_ENGINE_FAULT="deaf")

    assert found["start"].verdict == "passed"
    assert {"load", "end at the end of input", "quit"} <= differences(found)


def test_engine_that_outlives_its_input_and_its_end_is_found_out(find: Examine) -> None:
    stubborn = ("sh", "-c", f"trap '' TERM; '{sys.executable}' -m hotfolder.engine.procedural; sleep 1000")

    found = find(*stubborn, limits=IMPATIENT)

    assert differences(found) >= {"cancel by SIGTERM", "end at the end of input", "quit"}
    assert hindrances(found) == {"end at the end of input"}
