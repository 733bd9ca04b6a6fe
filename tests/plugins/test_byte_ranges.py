"""Ranges of bytes: always inside the file, or none."""

from __future__ import annotations

import pytest
from datasette_hotfolder.byte_ranges import Range, Unsatisfiable, find_range
from hypothesis import example, given
from hypothesis import strategies as st

SIZES = st.integers(0, 2**60)
NUMBERS = st.integers(0, 10**18 - 1)
HEADERS = st.one_of(
    st.builds("bytes={}-{}".format, NUMBERS, NUMBERS),
    st.builds("bytes={}-".format, NUMBERS),
    st.builds("bytes=-{}".format, NUMBERS),
    st.text(st.sampled_from("bytes=0123456789-, \t٣"), max_size=24),
)


@given(HEADERS, SIZES)
@example("bytes=-0", 0)
@example("bytes=0-", 0)
def test_a_range_is_never_empty_and_never_outside_the_file(header: str, size_bytes: int) -> None:
    try:
        found = find_range(header, size_bytes)
    except Unsatisfiable:
        return
    assert found is None or 0 <= found.start < found.end <= size_bytes


@given(st.integers(0, 2000), st.integers(0, 2000), st.integers(1, 1000))
def test_a_range_holds_the_bytes_that_were_asked_for(first: int, length: int, size_bytes: int) -> None:
    content = bytes(number % 251 for number in range(size_bytes))
    if first >= size_bytes:
        with pytest.raises(Unsatisfiable):
            find_range(f"bytes={first}-{first + length}", size_bytes)
        return
    found = find_range(f"bytes={first}-{first + length}", size_bytes)
    assert found is not None
    assert content[found.start : found.end] == content[first : first + length + 1]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", Range(0, 1)), ("bytes=9-9", Range(9, 10)), ("bytes=0-", Range(0, 10)),
        ("bytes=4-", Range(4, 10)),
        ("bytes=-1", Range(9, 10)), ("bytes=-10", Range(0, 10)), ("bytes=-99", Range(0, 10)),
        ("BYTES= 1 - 2 ", Range(1, 3)),
        ("bytes=5-999", Range(5, 10)),
    ],
)  # fmt: skip
def test_one_range_is_understood(header: str, expected: Range) -> None:
    assert find_range(header, 10) == expected


@pytest.mark.parametrize(
    "header",
    [None, "", "bytes", "bytes=", "bytes=-", "bytes=0-1,3-4", "bytes=5-3", "bytes=a-b", "items=0-1",
     "bytes=0x0-1",
     "bytes=+0-1", "bytes=0--1", "bytes=٣-٤", "bytes=1" + "0" * 30 + "-"],
)  # fmt: skip
def test_without_one_plain_range_the_whole_file_is_sent(header: str | None) -> None:
    assert find_range(header, 10) is None


@pytest.mark.parametrize(
    ("header", "size_bytes"), [("bytes=10-", 10), ("bytes=10-12", 10), ("bytes=-0", 10), ("bytes=0-0", 0)]
)
def test_a_range_behind_the_end_cannot_be_satisfied(header: str, size_bytes: int) -> None:
    with pytest.raises(Unsatisfiable):
        find_range(header, size_bytes)
