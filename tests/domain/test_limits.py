"""What limits come to: tokens, priorities, a queue that is full, and how long somebody waits."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.domain.instants import format_instant
from hotfolder.domain.limits import (
    Bucket,
    LimitRules,
    OwnerRules,
    clamp_priority,
    is_closed,
    latest,
    mean_gap_s,
    refill,
)

START = datetime(2026, 11, 21, 3, tzinfo=UTC)
RATES = st.floats(0.1, 600)


def at(seconds: float) -> str:
    return format_instant(START + timedelta(seconds=seconds))


def test_new_bucket_holds_the_jobs_of_a_minute_and_at_least_one() -> None:
    assert refill(None, 10, at(0)) == Bucket(10, at(0))
    assert refill(None, 0.5, at(0)) == Bucket(1, at(0))


def test_bucket_fills_continuously_and_never_overflows() -> None:
    empty = Bucket(0, at(0))

    assert refill(empty, 60, at(2.5)) == Bucket(2.5, at(2.5))
    assert refill(empty, 60, at(3600)).tokens == 60
    assert refill(Bucket(60, at(0)), 6, at(0)).tokens == 6  # the settings were changed


def test_clock_that_was_put_back_gives_nothing_and_the_bucket_fills_from_there_on() -> None:
    later = refill(Bucket(0.5, at(3600)), 60, at(0))

    assert later == Bucket(0.5, at(0))
    assert refill(later, 60, at(1)).tokens == 1.5


@given(RATES, st.lists(st.integers(0, 90_000), max_size=60))
def test_no_more_is_let_in_than_a_full_bucket_and_what_flows_in_meanwhile(
    per_minute: float, pauses_ms: list[int]
) -> None:
    bucket, let_in, now_s = refill(None, per_minute, at(0)), 0, 0.0
    for pause_ms in pauses_ms:
        now_s += pause_ms / 1000
        bucket = refill(bucket, per_minute, at(now_s))
        if bucket.whole_tokens:
            bucket, let_in = bucket.take(), let_in + 1

    assert bucket.tokens >= 0
    assert let_in <= max(1, per_minute) + now_s * per_minute / 60 + 1e-6


@given(RATES, st.floats(0, 1), st.integers(1, 30))
def test_whoever_waits_for_a_token_as_long_as_foretold_gets_one(
    per_minute: float, tokens: float, place: int
) -> None:
    bucket, now_s = Bucket(tokens, at(0)), 0.0
    foretold_s = bucket.wait_s(per_minute, place)
    for _ in range(place):
        now_s += bucket.wait_s(per_minute, 1) + 0.002  # instants are cut to milliseconds
        bucket = refill(bucket, per_minute, at(now_s))
        assert bucket.whole_tokens
        bucket = bucket.take()

    assert now_s == pytest.approx(foretold_s, abs=0.01 * place)


def test_parts_of_a_token_add_up_to_one() -> None:
    bucket = Bucket(0, at(0))
    for tenth in range(1, 11):
        bucket = refill(bucket, 60, at(tenth / 10))

    assert bucket.whole_tokens == 1


def test_priority_above_the_highest_is_lowered_with_a_warning_that_names_both() -> None:
    rules = OwnerRules(priority_default=5, priority_max=10)

    assert clamp_priority(rules, "anna", 50) == (
        10,
        "The priority 50 is lowered to 10, the highest for jobs of anna.",
    )
    assert "without an owner" in (clamp_priority(rules, None, 50)[1] or "")


@pytest.mark.parametrize(
    ("rules", "given_priority", "gets"),
    [
        (OwnerRules(), None, 0),
        (OwnerRules(), 100, 100),
        (OwnerRules(priority_default=5, priority_max=10), None, 5),
        (OwnerRules(priority_default=5, priority_max=10), 0, 0),
        (OwnerRules(priority_default=5, priority_max=10), 10, 10),
        (OwnerRules(priority_max=-5), None, -5),
    ],
)
def test_priority_that_nobody_asked_to_be_higher_warns_of_nothing(
    rules: OwnerRules, given_priority: int | None, gets: int
) -> None:
    assert clamp_priority(rules, "anna", given_priority) == (gets, None)


@given(st.lists(st.integers(0, 40), min_size=1), st.integers(2, 30))
def test_full_queue_stays_closed_until_at_most_half_is_left(depths: list[int], depth: int) -> None:
    closed = False
    for queued in depths:
        was_closed, closed = closed, is_closed(closed, queued, depth)
        if queued >= depth:
            assert closed
        elif queued <= depth // 2:
            assert not closed
        else:
            assert closed == was_closed


def test_queue_without_a_depth_is_never_full() -> None:
    assert not is_closed(True, 10**6, None)


def test_owner_without_rules_of_its_own_has_those_of_default() -> None:
    anna, default = OwnerRules(active_jobs=2), OwnerRules(active_jobs=1, backlog=5)
    rules = LimitRules(owners={"anna": anna, "default": default})

    assert rules.rules_of("anna") is anna
    assert rules.rules_of("ben") is default
    assert rules.rules_of(None) is default
    assert LimitRules().rules_of("ben") == OwnerRules()


@pytest.mark.parametrize(
    ("folder", "owner"),
    [
        (".", None),
        ("studio", "all"),
        ("studio/shots/!high", "all"),
        ("studio/anna", "anna"),
        ("studio/anna/spring", "anna"),
        ("studio/annabel", "all"),
        ("Studio/anna", None),
        ("studio/j\N{LATIN SMALL LETTER O WITH DIAERESIS}rg", "jörg"),
        (unicodedata.normalize("NFD", "studio/jörg/spring"), "jörg"),
    ],
)
def test_deepest_folder_says_whose_a_job_is(folder: str, owner: str | None) -> None:
    rules = LimitRules(
        owners={
            "all": OwnerRules(folder="studio"),
            "anna": OwnerRules(folder="/studio/anna/"),
            "jörg": OwnerRules(folder="studio/jörg"),
            "ben": OwnerRules(),
        }
    )

    assert rules.find_owner(PurePosixPath(folder)) == owner


def test_folder_that_is_the_inbox_itself_gives_its_owner_all_that_is_nobody_elses() -> None:
    rules = LimitRules(owners={"house": OwnerRules(folder="."), "anna": OwnerRules(folder="anna")})

    assert rules.find_owner(PurePosixPath("shots")) == "house"
    assert rules.find_owner(PurePosixPath("anna")) == "anna"


def test_pace_is_the_mean_time_between_ends_and_unknown_before_the_second() -> None:
    assert mean_gap_s([]) is None
    assert mean_gap_s([at(0)]) is None
    assert mean_gap_s([at(50), at(20), at(0)]) == 25


def test_longest_of_the_waits_that_are_known_counts() -> None:
    assert latest(3, None, 7) == 7
    assert latest(None, None) is None
