"""What a user reads when the engine fails."""

import pytest

from hotfolder.engine import failures
from hotfolder.engine.messages import Failure
from hotfolder.engine.session import TimedOut


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
