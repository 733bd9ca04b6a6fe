"""Instants and ids as text."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.domain.instants import (
    derived_id,
    elapsed_ms,
    format_instant,
    instant_of_id,
    is_uuid,
    parse_instant,
    uuid7,
)

MS = st.integers(0, 2**48 - 1)
BITS = st.integers(0, 2**74 - 1)
PARENT = uuid7(1_795_230_698_123, 5)


def test_instant_is_written_in_utc_with_milliseconds_and_z() -> None:
    at = datetime(2026, 11, 21, 5, 11, 38, 123_999, tzinfo=timezone(timedelta(hours=2)))

    assert format_instant(at) == "2026-11-21T03:11:38.123Z"
    assert format_instant(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00.000Z"


@given(st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC)))
def test_written_instant_is_read_back_to_the_millisecond(at: datetime) -> None:
    assert parse_instant(format_instant(at)) == at.replace(microsecond=at.microsecond // 1000 * 1000)


def test_instant_of_another_zone_is_read_as_utc() -> None:
    assert parse_instant("2026-11-21T05:11:38+02:00") == datetime(2026, 11, 21, 3, 11, 38, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-11-21T03:11:38", "2026-11-21", "tomorrow", ""])
def test_text_that_names_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_instant(text)


def test_elapsed_time_is_in_milliseconds_and_none_while_an_end_is_missing() -> None:
    start, end = "2026-11-21T03:11:38.123Z", "2026-11-21T03:11:42.323Z"

    assert elapsed_ms(start, end) == 4200
    assert elapsed_ms(start, None) is None
    assert elapsed_ms(None, end) is None


@given(unix_ms=MS, random_bits=BITS)
def test_uuid7_is_of_version_7_and_of_the_rfc_variant(unix_ms: int, random_bits: int) -> None:
    made = uuid.UUID(uuid7(unix_ms, random_bits))

    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == unix_ms


@given(unix_ms=st.integers(0, 2**48 - 2), first=BITS, second=BITS)
def test_uuid7_of_a_later_millisecond_sorts_later(unix_ms: int, first: int, second: int) -> None:
    assert uuid7(unix_ms, first) < uuid7(unix_ms + 1, second)


@given(unix_ms=MS, first=BITS, second=BITS)
def test_uuid7_of_one_millisecond_differs_by_its_random_bits(unix_ms: int, first: int, second: int) -> None:
    assert (uuid7(unix_ms, first) == uuid7(unix_ms, second)) == (first == second)


@given(unix_ms=st.integers(0, 4_102_444_800_000), random_bits=BITS)
def test_id_tells_the_millisecond_of_its_making(unix_ms: int, random_bits: int) -> None:
    made = instant_of_id(uuid7(unix_ms, random_bits))

    assert made == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=unix_ms)
    assert parse_instant(format_instant(made)) == made


@pytest.mark.parametrize("text", ["", "order-7", "0b6cfe8e-8f3c-4c53-9d5a-3a1d2b5f9a10"])
def test_other_ids_do_not_tell_when_they_were_made(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        instant_of_id(text)


def test_derived_id_is_the_same_at_each_repetition() -> None:
    assert derived_id(PARENT, "1") == derived_id(PARENT, "1")
    assert derived_id(PARENT.upper(), "1") == derived_id(PARENT, "1")


def test_derived_id_is_stable_between_versions() -> None:
    """Files that were split by an earlier version are found again by these ids."""
    assert derived_id("01a00000-0000-7000-8000-000000000000", "1") == "01a00000-0000-77c5-9f48-18332ad517c1"


def test_derived_ids_differ_by_parent_and_label() -> None:
    other = uuid7(1_795_230_698_123, 6)

    ids = {derived_id(parent, str(label)) for parent in (PARENT, other) for label in range(500)}

    assert len(ids) == 1000
    assert not ids & {PARENT, other}


def test_derived_id_is_a_uuid7_of_the_time_of_its_parent() -> None:
    child = uuid.UUID(derived_id(PARENT, "1"))

    assert child.version == 7
    assert child.int >> 80 == 1_795_230_698_123


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", True),
        ("3F2504E0-4F89-41D3-9A0C-0305E82C3301", True),
        ("3f2504e04f8941d39a0c0305e82c3301", False),
        ("{3f2504e0-4f89-41d3-9a0c-0305e82c3301}", False),
        ("urn:uuid:3f2504e0-4f89-41d3-9a0c-0305e82c3301", False),
        ("order-4711", False),
        ("", False),
    ],
)
def test_uuid_is_told_by_its_usual_form(text: str, is_one: bool) -> None:
    assert is_uuid(text) is is_one
