"""Work items: their states, and where a failed attempt leads."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.domain.transitions import check_transition
from hotfolder.domain.work import WORK_TRANSITIONS, WorkItem, WorkStatus, end_of_failure, retry_delay_s

STATES: tuple[str, ...] = get_args(WorkStatus)
ITEM = WorkItem(
    work_id="w",
    task_type="generation.local.image",
    lane="gpu",
    status="processing",
    priority=0,
    payload={},
    correlation_id="g",
    attempt_count=1,
    max_attempts=3,
    crash_count=0,
    cancel_requested=False,
)


def test_table_knows_exactly_the_states_of_a_work_item() -> None:
    assert set(WORK_TRANSITIONS) == set(STATES)
    assert set().union(*WORK_TRANSITIONS.values()) == set(STATES)


@given(st.lists(st.sampled_from(STATES)))
def test_no_path_leaves_completed(path: list[str]) -> None:
    state = "completed"
    for after in path:
        try:
            check_transition(WORK_TRANSITIONS, state, after)
        except ValueError:
            continue
        state = after

    assert state == "completed"


def test_only_work_that_is_processed_can_complete_or_die() -> None:
    for end in ("completed", "dead"):
        assert [state for state in STATES if end in WORK_TRANSITIONS[state]] == ["processing"]


@pytest.mark.parametrize("ended", ["failed", "cancelled"])
def test_work_that_ended_without_success_can_only_be_queued_again(ended: str) -> None:
    assert WORK_TRANSITIONS[ended] == {"pending"}


def test_dead_work_is_queued_again_or_has_failed_for_good_once_another_takes_its_place() -> None:
    assert WORK_TRANSITIONS["dead"] == {"pending", "failed"}


@pytest.mark.parametrize(
    ("attempt", "retryable", "leads_to"),
    [
        (1, True, "pending"),
        (2, True, "pending"),
        (3, True, "dead"),
        (4, True, "dead"),
        (1, False, "failed"),
        (3, False, "failed"),
    ],
)
def test_failed_attempt_is_repeated_until_the_last_one(attempt: int, retryable: bool, leads_to: str) -> None:
    item = replace(ITEM, attempt_count=attempt)

    assert end_of_failure(item, retryable=retryable) == leads_to


def test_wherever_a_failure_leads_the_table_has_the_change() -> None:
    for attempt in range(5):
        for retryable in (False, True):
            end = end_of_failure(replace(ITEM, attempt_count=attempt), retryable=retryable)
            check_transition(WORK_TRANSITIONS, ITEM.status, end)


def test_the_longest_wait_doubles_from_two_seconds_to_ten_minutes() -> None:
    longest = [retry_delay_s(attempt, 1.0) for attempt in (1, 2, 3, 9, 10, 1000)]

    assert longest == [2.0, 4.0, 8.0, 512.0, 600.0, 600.0]


@given(st.integers(1, 10_000), st.floats(0, 1))
def test_a_wait_is_a_random_part_of_the_longest_one(attempt: int, jitter: float) -> None:
    assert retry_delay_s(attempt, jitter) == jitter * retry_delay_s(attempt, 1.0)
