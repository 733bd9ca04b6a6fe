"""What a user reads when the engine fails."""

import ast
import re
from pathlib import Path

import pytest

import hotfolder
from hotfolder.engine import failures
from hotfolder.engine.messages import Failure
from hotfolder.engine.session import TimedOut
from hotfolder.settings import EngineSettings

SETTING = re.compile(r"\bengine\.(\w+_s)\b")


@pytest.mark.parametrize(
    ("code", "ours"),
    [
        ("GENERATION_FAILED", "engine.generation_failed"),
        (None, "engine.failed"),
        ("  ", "engine.failed"),
        ("Out of memory!", "engine.out_of_memory"),
        ("X" * 500, "engine." + "x" * 40),
    ],
)
def test_code_of_the_engine_becomes_a_dotted_one(code, ours):
    assert failures.build_refused(Failure("a", code, "no")).code == ours


@pytest.mark.parametrize(
    ("code", "again"),
    [("NO_MODEL", True), ("PARSE_ERROR", True), ("GENERATION_FAILED", False), (None, False)],
)
def test_refusal_of_what_was_right_is_tried_again(code, again):
    assert failures.build_refused(Failure("a", code, "no")).retryable is again


def test_silence_after_a_foreign_answer_is_told_as_such():
    error = failures.build_timed_out(TimedOut("generate", True, 2.0, "x" * 500), ())

    assert error.message.startswith(
        "the engine said nothing for 2 s during generate; before, it answered 'xxx"
    )
    assert len(error.message) < 200


@pytest.mark.parametrize("cmd", ["ping", "load", "generate", "upscale", "unload", "quit"])
@pytest.mark.parametrize("silent", [True, False])
def test_hint_of_a_timeout_names_a_setting_that_exists_or_none(cmd, silent):
    hint = failures.build_timed_out(TimedOut(cmd, silent, 2.0), ()).hint

    named = set(SETTING.findall(hint))
    assert named <= EngineSettings.model_fields.keys()
    assert bool(named) is (cmd in ("load", "generate", "upscale"))
    assert "None" not in hint


def test_every_limit_of_the_engine_that_any_text_names_is_a_setting():
    named = set()
    for file in Path(hotfolder.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                named.update(SETTING.findall(node.value))

    assert {"load_timeout_s", "generate_timeout_s", "stall_s"} <= named
    assert named <= EngineSettings.model_fields.keys()


@pytest.mark.parametrize(
    ("line", "is_kept"),
    [
        ('Prompt cached: "a lighthouse by', False),
        ("with two boa", False),
        ('ts"', False),
        ("parse 'with two boats' to [['with two boats', 1], ]", False),
        ("", False),
        ("[ERROR] no kernel image", True),
        ("with", False),
        ("without a driver", True),
    ],
)
def test_line_of_the_log_that_shows_any_line_of_the_prompt_is_dropped(line, is_kept):
    prompt = "a lighthouse by night\nwith two boats\n\nend"

    assert failures.drop_quotes([line], prompt) == ((line,) if is_kept else ())


def test_log_of_a_command_without_a_prompt_is_kept():
    assert failures.drop_quotes(["[ERROR] bad magic"], "") == ("[ERROR] bad magic",)
