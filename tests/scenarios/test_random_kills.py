"""Killed at any time, again and again, while jobs keep coming: all that was dropped ends once, whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.scenarios.drops import SETTINGS
from tests.scenarios.random_kills import kill_at_random
from tests.scenarios.service import Service

SEED = 20_261


@pytest.mark.timeout(180)
def test_stream_of_jobs_ends_once_and_whole_after_kills_at_any_time(
    make_service: Callable[..., Service],
) -> None:
    """`make soak` does the same with 200 kills and 500 jobs."""
    outcome = kill_at_random(make_service(settings=SETTINGS), seed=SEED, kills=20, jobs=80)

    assert outcome.findings == [], f"seed {SEED}"
