"""States of jobs and generations."""

from __future__ import annotations

from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.domain.generation import (
    ACTIVE,
    ENDED,
    GENERATION_TRANSITIONS,
    JOB_TRANSITIONS,
    RETRYABLE,
    GenerationStatus,
    JobStatus,
    ended_job_status,
)
from hotfolder.domain.transitions import check_transition

JOB_STATES: tuple[str, ...] = get_args(JobStatus)
GENERATION_STATES: tuple[str, ...] = get_args(GenerationStatus)
STILL_TO_COME = {"pending", "processing"}


def test_tables_know_exactly_the_states_of_their_machine() -> None:
    for table, states in ((JOB_TRANSITIONS, JOB_STATES), (GENERATION_TRANSITIONS, GENERATION_STATES)):
        assert set(table) == set(states)
        assert set().union(*table.values()) <= set(states)


def test_every_state_but_the_first_is_reached_from_the_first() -> None:
    for table, first in ((JOB_TRANSITIONS, "received"), (GENERATION_TRANSITIONS, "pending")):
        reached, open_ends = {first}, [first]
        while open_ends:
            following = table[open_ends.pop()] - reached
            reached |= following
            open_ends += following
        assert reached == set(table)


def test_job_is_either_active_or_ended() -> None:
    assert {"completed", "failed", "cancelled", "partially_completed"} == ENDED
    assert set(JOB_STATES) - ENDED == ACTIVE
    assert ENDED - {"completed"} == RETRYABLE


@given(st.lists(st.sampled_from(JOB_STATES)), st.sampled_from([JOB_TRANSITIONS, GENERATION_TRANSITIONS]))
def test_no_path_leaves_completed(path: list[str], table: dict[str, frozenset[str]]) -> None:
    state = "completed"
    for after in path:
        try:
            check_transition(table, state, after)
        except ValueError:
            continue
        state = after

    assert state == "completed"


@given(st.lists(st.sampled_from(JOB_STATES), min_size=1))
def test_job_that_ended_begins_anew_in_the_queue_or_waiting_only(path: list[str]) -> None:
    state = "received"
    for after in path:
        if after not in JOB_TRANSITIONS[state]:
            continue
        assert state not in ENDED or after in {"queued", "waiting_refs", "held", "backlogged"}
        state = after


@pytest.mark.parametrize("before", sorted(ACTIVE))
def test_every_active_job_can_still_be_cancelled(before: str) -> None:
    assert "cancelled" in JOB_TRANSITIONS[before]


@pytest.mark.parametrize("after", sorted(ENDED - {"completed"}))
def test_job_that_waits_for_references_may_fail_or_be_cancelled_but_not_end_with_pictures(after: str) -> None:
    assert (after in JOB_TRANSITIONS["waiting_refs"]) is (after != "partially_completed")


def test_generation_that_ended_never_changes_again() -> None:
    assert {state for state, following in GENERATION_TRANSITIONS.items() if not following} == {
        "completed",
        "failed",
        "cancelled",
    }
    assert GENERATION_TRANSITIONS["awaiting_review"] == {"completed"}


def test_change_that_the_table_lacks_is_an_error_with_both_states() -> None:
    check_transition(JOB_TRANSITIONS, "queued", "running")
    with pytest.raises(ValueError, match="'completed' to 'queued'"):
        check_transition(JOB_TRANSITIONS, "completed", "queued")


@pytest.mark.parametrize(
    ("statuses", "cancel_requested", "ends_as"),
    [
        (["pending"], False, None),
        (["processing"], True, None),
        (["completed", "pending"], True, None),
        (["failed", "processing"], False, None),
        (["completed"], False, "completed"),
        (["completed", "completed"], True, "completed"),
        (["awaiting_review"], False, "completed"),
        (["awaiting_review", "completed"], False, "completed"),
        (["completed", "failed"], False, "partially_completed"),
        (["completed", "cancelled"], True, "partially_completed"),
        (["awaiting_review", "failed"], False, "partially_completed"),
        (["completed", "failed", "cancelled"], True, "partially_completed"),
        (["failed"], False, "failed"),
        (["failed"], True, "failed"),
        (["failed", "failed"], False, "failed"),
        (["cancelled"], True, "cancelled"),
        (["cancelled", "failed"], True, "cancelled"),
        (["cancelled", "failed"], False, "failed"),
    ],
)
def test_job_ends_as_its_generations_did(
    statuses: list[str], cancel_requested: bool, ends_as: str | None
) -> None:
    assert ended_job_status(statuses, cancel_requested=cancel_requested) == ends_as


def test_every_end_of_a_job_can_follow_the_state_it_was_in() -> None:
    """Whatever its generations became, closing a running or cancelling job is a change that the table has."""
    for statuses in product(GENERATION_STATES, repeat=3):
        for cancel_requested in (False, True):
            end = ended_job_status(statuses, cancel_requested=cancel_requested)
            assert (end is None) == bool(STILL_TO_COME & set(statuses))
            if end is not None:
                check_transition(JOB_TRANSITIONS, "running", end)
                check_transition(JOB_TRANSITIONS, "cancelling", end)


def test_retried_job_that_kept_pictures_can_be_cancelled_while_it_is_queued() -> None:
    end = ended_job_status(["completed", "cancelled"], cancel_requested=True)

    assert end is not None
    check_transition(JOB_TRANSITIONS, "queued", end)
