"""When a job will have ended: the queue before it, what runs, and what is left of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hotfolder.delivery.documents import build_progress, build_status_line
from hotfolder.delivery.forecast import Forecast
from hotfolder.domain.estimate import Estimate
from hotfolder.library.generations import Generation
from hotfolder.library.jobs import Job

NOW = "2026-01-02T03:04:10.000Z"
TEN = Estimate(8.0, 10.0, 15.0)


class _Timings:
    def __init__(self, known: Estimate | None = TEN) -> None:
        self.known = known

    def estimate(self, generation: Generation) -> Estimate | None:
        return self.known


def picture(number: int, status: str = "pending", started_at: str | None = None) -> Generation:
    made = Generation(
        generation_id=f"g{number}",
        job_id="job",
        position=number,
        provider="local",
        endpoint_key="local.flux2-klein-4b.image",
        mode="text-to-image",
        params={},
        width=64,
        height=64,
        seed=1,
        status="pending",
        created_at=NOW,
    )
    return replace(made, status=status, started_at=started_at)  # type: ignore[arg-type]  # one of them


def test_job_that_waits_is_told_its_wait_and_its_own_time() -> None:
    forecast = Forecast(_Timings(), lambda: NOW)
    running = picture(9, "processing", "2026-01-02T03:04:06.000Z")
    forecast.look([picture(1), picture(2), picture(3)], [running])

    left = forecast.left([picture(3)], {}, "queued", 2)

    assert left == Estimate(4.0 + 3 * 8, 6.0 + 3 * 10, 11.0 + 3 * 15)


def test_job_far_behind_waits_as_long_as_those_before_it_would_take() -> None:
    forecast = Forecast(_Timings(), lambda: NOW)
    forecast.look([picture(number) for number in range(11)], [])

    left = forecast.left([picture(99)], {}, "queued", 100)

    assert left is not None
    assert left.likely_s == pytest.approx(100 * 10 + 10)


def test_running_picture_is_told_by_its_steps_and_at_least_by_what_was_learnt() -> None:
    forecast = Forecast(_Timings(), lambda: NOW)
    running = picture(1, "processing", "2026-01-02T03:04:06.000Z")
    steps = {"g1": {"stepTimeS": 3.0, "currentStep": 1, "totalSteps": 4}}

    assert forecast.left([running], {}, "running", None) == Estimate(4.0, 6.0, 11.0)
    assert forecast.left([running, picture(2)], steps, "running", None) == Estimate(17.0, 19.0, 26.0)


def test_nothing_is_told_where_nothing_was_learnt_or_the_job_waits_for_something_else() -> None:
    unknown = Forecast(_Timings(None), lambda: NOW)
    unknown.look([picture(1)], [])
    assert unknown.left([picture(1)], {}, "queued", 0) is None
    assert unknown.left([picture(1)], {}, "queued", 5) is None
    assert Forecast(_Timings(), lambda: NOW).left([], {}, "waiting_refs", None) is None


def test_nothing_is_told_from_a_failure_of_the_engine_until_it_runs_again() -> None:
    forecast = Forecast(_Timings(), lambda: NOW)
    forecast.look([picture(1)], [])

    told = []
    for state in ("busy", "error", "starting", "error", "starting", "idle"):
        forecast.note_engine(state)
        told.append(forecast.left([picture(1)], {}, "queued", 0) is not None)

    assert told == [True, False, False, False, False, True]


@pytest.mark.parametrize(
    ("left", "words"),
    [
        (Estimate(9.0, 10.0, 11.0), "about 10 s left"), (Estimate(8.5, 10.0, 11.5), "about 10 s left"),
        (Estimate(5.0, 10.0, 20.0), "5 to 20 s left"), (Estimate(2.5, 2.5, 2.5), "about 3 s left"),
        (Estimate(50.0, 100.0, 200.0), "50 s to 3 min left"),
        (Estimate(110.0, 119.0, 125.0), "about 119 s left"),
        (Estimate(200.0, 400.0, 900.0), "3 to 15 min left"), (Estimate(7e3, 7.3e3, 7.5e3), "about 2 h left"),
    ],
)  # fmt: skip
def test_line_for_people_says_how_sure_it_is_in_units_that_are_quickly_read(
    left: Estimate, words: str
) -> None:
    job = Job("job", "queued", "a.yaml", "a.yaml", b"", NOW)
    progress = build_progress([picture(1)], {}, 0, left)

    assert progress["etaSeconds"] == left.likely_s
    assert progress["etaRangeSeconds"] == [left.low_s, left.high_s]
    assert build_status_line(job, progress) == f"a.yaml, queued, 0 ahead, {words}"
