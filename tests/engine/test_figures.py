"""Figures and words of an engine that nobody should believe, or could write down."""

import pytest

from hotfolder.engine.messages import (
    Failure,
    Progress,
    StepProgress,
    parse_line,
    parse_load,
    parse_outcome,
    parse_step_progress,
    parse_upscale,
)
from hotfolder.errors import EngineProtocolError

RESULT = {"success": True, "output": "/pictures/a.png", "seed": 42}


@pytest.mark.parametrize("number", [-1, -0.5, -9e15, 86_401 * 1000, 9e18])
def test_figure_that_cannot_be_true_is_left_out(number):
    data = {"phase": "sampling", "step": number, "total_steps": number, "step_time_s": number}

    assert parse_step_progress(Progress("a", data)) == StepProgress("sampling")
    assert parse_load({"load_time_ms": number}).load_time_ms is None
    assert parse_outcome({**RESULT, "total_time_ms": number}).total_time_ms == 0
    assert parse_upscale({**RESULT, "width": number, "height": number}).width is None


def test_step_beyond_the_last_is_left_out():
    data = {"phase": "sampling", "step": 5, "total_steps": 4, "step_time_s": 86_400}

    assert parse_step_progress(Progress("a", data)) == StepProgress("sampling", None, None, 86_400)


def test_half_a_character_becomes_one_that_can_be_written():
    line = rb'{"id":"a","type":"error","data":{"message":"bad \ud83d thing","code":"\udc00"}}'

    assert parse_line(line) == Failure("a", "?", "bad ? thing")
    assert parse_load({"model_info": "klein\udc80"}).model_info == "klein?"
    with pytest.raises(EngineProtocolError, match=r"it has: y, \?"):
        parse_outcome({"\ud83d": 1, "y": 2})
