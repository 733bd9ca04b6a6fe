"""The drawn timeline: a line a step, a bar a picture, and never wider than the terminal."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import pytest

from hotfolder.cli.timeline import (
    LINES_MAX,
    PICTURES_MAX,
    Screen,
    draw_timeline,
    find_screen,
    timeline_object,
)
from hotfolder.generation.execute import EXECUTE
from hotfolder.library.timeline import PictureTime, Span, Step, Timeline

WIDE = Screen(200, has_unicode=True)
TWICE = Timeline(
    "j",
    (
        Step("2026-11-21T03:00:00.000Z", "job.received", note="bay.yaml"),
        Step("2026-11-21T03:00:00.000Z", "job.changed", before="received", after="queued"),
        Step("2026-11-21T03:00:00.012Z", "workQueue.updated", "g", EXECUTE, None, "pending"),
        Step("2026-11-21T03:00:02.100Z", "workQueue.updated", "g", EXECUTE, "pending", "processing", 1),
        Step(
            *("2026-11-21T03:00:07.100Z", "workQueue.updated", "g", EXECUTE, "processing", "scheduled", 1),
            error="The engine crashed.",
            code="engine.crashed",
        ),
        Step("2026-11-21T23:59:00.000Z", "job.changed", before="running", after="held", actor="eve"),
        Step("2026-11-22T00:05:00.000Z", "delivery.completed", after="completed", note="done/bay.yaml"),
    ),
    (
        PictureTime("g", 0, "completed", (Span("waited", 1000), Span("lost", 1000), Span("sampling", 2000))),
        PictureTime("h", 1, "completed", (Span("loading", 500), Span("sampling", 400), Span("saving", 100))),
    ),
)


def test_every_step_has_its_time_the_time_since_the_one_before_and_what_happened() -> None:
    lines = draw_timeline(TWICE, WIDE, UTC)

    assert lines[:11] == [
        "Timeline",
        "2026-11-21",
        "  03:00:00.000            job        job.received: bay.yaml",
        "  03:00:00.000     +0 ms  job        received -> queued",
        "  03:00:00.012    +12 ms  picture 1  making pending",
        "  03:00:02.100    +2.1 s  picture 1  making pending -> processing, attempt 1",
        "  03:00:07.100    +5.0 s  picture 1  making processing -> scheduled, attempt 1:"
        " The engine crashed. [engine.crashed]",
        "  23:59:00.000   +21.0 h  job        running -> held (by eve)",
        "2026-11-22",
        "  00:05:00.000  +6.0 min  job        delivery.completed completed: done/bay.yaml",
        "",
    ]


def test_bars_show_where_the_time_went_all_to_one_scale() -> None:
    lines = draw_timeline(TWICE, WIDE, UTC)[11:]

    assert lines == [
        "Where the time went (· waited, ▒ loading, █ sampling, ▓ saving, ▚ lost)",
        f"  picture 1  {'·' * 10}{'▚' * 10}{'█' * 20}  4.0 s =  · 1.0 s  █ 2.0 s  ▚ 1.0 s",
        f"  picture 2  {'▒' * 5}{'█' * 4}▓{' ' * 30}  1.0 s =  ▒ 500 ms  █ 400 ms  ▓ 100 ms",
    ]


@pytest.mark.parametrize("width", [20, 40, 80, 100])
@pytest.mark.parametrize("has_unicode", [True, False])
def test_no_line_is_wider_than_the_terminal(width: int, has_unicode: bool) -> None:
    wordy = Step(TWICE.steps[0].at, "job.failed", error="漢字" * 100)
    timeline = Timeline("j", (*TWICE.steps, wordy), TWICE.pictures)

    lines = draw_timeline(timeline, Screen(width, has_unicode), UTC)

    cells = [sum(2 if each in "漢字" else 1 for each in line) for line in lines]
    assert max(cells) <= width


def test_terminal_without_unicode_gets_plain_ascii() -> None:
    wordy = Step(TWICE.steps[0].at, "job.failed", error="Zürich")
    lines = draw_timeline(Timeline("j", (*TWICE.steps, wordy), TWICE.pictures), Screen(200, False), UTC)

    assert all(each.isascii() for each in lines)
    assert f"  picture 1  {'.' * 10}{'x' * 10}{'#' * 20}  4.0 s =" in "\n".join(lines)


def test_text_of_others_forges_no_line() -> None:
    step = Step(TWICE.steps[0].at, "job.failed", error="no\n  03:00 job completed\x1b[2J")

    lines = draw_timeline(Timeline("j", (step,), ()), WIDE, UTC)

    assert len(lines) == 3
    assert "\x1b" not in lines[2]


def test_times_of_day_are_those_of_the_zone() -> None:
    lines = draw_timeline(TWICE, WIDE, timezone(timedelta(hours=-5)))

    assert lines[1:3] == ["2026-11-20", "  22:00:00.000            job        job.received: bay.yaml"]


def test_of_very_many_steps_and_pictures_some_are_drawn_and_the_others_counted() -> None:
    steps = tuple(Step(TWICE.steps[0].at, f"step.{number}") for number in range(1000))
    pictures = tuple(PictureTime(f"g{n}", n, "completed", (Span("waited", 1),)) for n in range(100))

    lines = draw_timeline(Timeline("j", steps, pictures), WIDE, UTC)

    assert "  (801 more lines; --json has all)" in lines
    assert "step.0" in lines[2]
    assert any("step.999" in each for each in lines)
    assert lines[-1] == "  (36 more pictures; --json has all)"
    assert len(lines) < LINES_MAX + PICTURES_MAX + 6


def test_history_that_is_gone_is_said() -> None:
    lines = draw_timeline(Timeline("j", (), TWICE.pictures), WIDE)

    assert lines == ["The history of this job is no longer kept."]


def test_programs_get_the_same_in_camel_case() -> None:
    told = timeline_object(TWICE)

    assert told["steps"][4] == {
        "at": "2026-11-21T03:00:07.100Z",
        "what": "workQueue.updated",
        "generationId": "g",
        "taskType": EXECUTE,
        "from": "processing",
        "to": "scheduled",
        "attempt": 1,
        "error": "The engine crashed.",
        "code": "engine.crashed",
        "note": None,
        "actor": None,
    }
    assert told["pictures"][1] == {
        "generationId": "h",
        "position": 1,
        "status": "completed",
        "waitedMs": 0,
        "loadingMs": 500,
        "samplingMs": 400,
        "savingMs": 100,
        "lostMs": 0,
    }


def test_pipe_has_no_right_margin(capsys: pytest.CaptureFixture[str]) -> None:
    assert find_screen().width > 1000
