"""Floods of failures: cheap to count, and told by one report."""

from __future__ import annotations

import time

from hotfolder.delivery.flood import LIMIT, FailureTally


def failure(message: str) -> dict[str, object]:
    return {"code": "engine.failed", "message": message}


def test_thousands_of_different_failures_cost_next_to_nothing() -> None:
    tally = FailureTally()
    began_at = time.thread_time()
    for number in range(8_000):
        assert tally.count(failure(f"no. {number}"), f"{number}.yaml") is None
    assert time.thread_time() - began_at < 1.0


def test_equal_failures_beyond_the_limit_share_a_report_until_a_minute_without_any() -> None:
    now_s = 0.0
    tally = FailureTally(lambda: now_s)
    answers = [tally.count(failure("same"), f"{number}.yaml") for number in range(LIMIT + 2)]
    assert answers[LIMIT - 1] is None
    assert [each[0] for each in answers[LIMIT:] if each] == [1, 1]

    now_s = 61.0
    assert tally.count(failure("same"), "late.yaml") is None
