"""Reports and status lines: whatever a file is called, they say what they mean and steer no terminal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hotfolder.delivery.documents import build_progress, build_report, build_result, build_status_line
from hotfolder.domain.wording import STEERING
from hotfolder.library.generations import Generation
from hotfolder.library.jobs import Job

AT = "2026-11-21T03:00:00.000Z"
EVIL = "a\x1b[2J\nb: completed\u202e.yaml"
PROBLEM = {
    "code": "job.invalid",
    "line": 2,
    "column": 1,
    "path": None,
    "message": "Wrong.",
    "hint": "Mend it.",
}
REFUSED = {"code": "job.invalid", "message": "Wrong.", "hint": "Mend it.", "problems": [PROBLEM]}
BROKEN = {"code": "engine.crashed", "message": "The engine died.", "hint": None, "problems": []}


@pytest.fixture
def job() -> Job:
    return Job("j1", "failed", "in/c3.yaml", "c3.yaml", b"x", AT, error=REFUSED)


@pytest.fixture
def generation() -> Generation:
    return Generation("g1", "j1", 0, "local", "e", "text-to-image", {}, 64, 64, 5, "completed", AT)


def test_report_about_a_hostile_name_has_one_title_line_and_no_control_characters(job: Job) -> None:
    hostile = replace(job, file_name=EVIL, job_file=f"in/{EVIL}")

    lines = build_report(hostile, [], EVIL).split("\n")

    assert lines[0] == "# a\ufffd[2J\ufffdb: completed\ufffd.yaml: failed"
    assert not any(line.startswith("b: completed") for line in lines)
    assert not any(STEERING.search(line) for line in lines)


def test_status_of_a_hostile_name_is_one_line_without_control_characters(job: Job) -> None:
    hostile = replace(job, file_name=EVIL, status="queued")

    line = build_status_line(hostile, build_progress([], {}, 3))

    assert line == "a\ufffd[2J\ufffdb: completed\ufffd.yaml, queued, 3 ahead"


def test_report_of_a_refused_file_names_it_as_it_lies_there_and_how_it_was_dropped(job: Job) -> None:
    report = build_report(job, [], "c3~2.yaml")

    assert report.startswith("# c3~2.yaml: failed\n\n1 problem found; nothing was run.\n")
    assert "- **line 2, column 1:** Wrong. (`job.invalid`)" in report
    assert "Mend `c3~2.yaml` and move it back into `inbox/`." in report
    assert "jobs retry" not in report
    assert f"dropped as `inbox/in/c3.yaml` at {AT}." in report


def test_report_of_a_broken_run_offers_the_retry_by_the_job_id(job: Job, generation: Generation) -> None:
    partly = replace(job, status="partially_completed", error=None)
    second = replace(generation, generation_id="g2", position=1, status="failed", error=BROKEN)

    report = build_report(partly, [generation, second], "c3~2.yaml")

    assert "1. seed 5: completed\n2. seed 5: failed: The engine died. (`engine.crashed`)" in report
    assert "Move `c3~2.yaml` back into `inbox/`, or run `hotfolder jobs retry j1`." in report
    assert "`hotfolder jobs retry` does not run again what completed." in report


def test_report_says_how_each_attempt_failed(job: Job, generation: Generation) -> None:
    failures = [
        {"attempt": n, "code": "engine.crashed", "message": f"Died {n}.\nIts log: ..."} for n in (1, 2)
    ]
    error = {**BROKEN, "attempts": failures}
    failed = replace(generation, status="failed", error=error)
    partly = replace(job, status="partially_completed", error=None)

    for report in (
        build_report(replace(job, status="failed", error=error), [failed], "c3.yaml"),
        build_report(partly, [failed, replace(generation, position=1)], "c3.yaml"),
    ):
        lines = [line.strip() for line in report.splitlines()]
        assert "Attempt 1: Died 1. (`engine.crashed`)" in lines
        assert "Attempt 2: Died 2. (`engine.crashed`)" in lines


def test_result_repeats_the_warnings_of_its_generations(job: Job, generation: Generation) -> None:
    warned = replace(generation, warnings=("Drawn by the procedural engine, not by an AI model: none.",))

    result = build_result(replace(job, status="completed", error=None), [(warned, [])])

    assert result["generations"][0]["warnings"] == list(warned.warnings)
    assert result["error"] is None


@pytest.mark.parametrize(
    ("step", "steps", "percentage"),
    [(-5, 4, 0), (5, -4, 0), (9, 4, 100), (1, 4, 25), (1, 0, 0), (None, 4, 0)],
)
def test_percentage_is_one_whatever_the_engine_counts(
    generation: Generation, step: int | None, steps: int, percentage: int
) -> None:
    latest = {"g1": {"stage": "sampling", "currentStep": step, "totalSteps": steps}}

    progress = build_progress([replace(generation, status="processing")], latest, None)

    assert progress["percentage"] == percentage
