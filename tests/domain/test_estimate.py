"""Forecasts from few and from many pictures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.domain.estimate import Estimate, Sample, estimate, total

MEGAPIXEL = 1024 * 1024


def test_nothing_is_foretold_without_any_picture() -> None:
    assert estimate([], MEGAPIXEL, 4) is None


def test_pictures_of_the_same_size_and_steps_are_enough_for_a_narrow_range() -> None:
    samples = [Sample(MEGAPIXEL, 4, seconds) for seconds in (10.0, 11.0, 12.0, 10.5, 11.5)]
    found = estimate([*samples, Sample(64 * 64, 4, 900.0)], MEGAPIXEL, 4)

    assert found is not None
    assert found.likely_s == 11.0
    assert 10.0 <= found.low_s < 10.5
    assert 11.5 < found.high_s <= 12.0


def test_other_sizes_and_steps_are_scaled_and_the_range_says_so() -> None:
    found = estimate([Sample(MEGAPIXEL, 4, 10.0)], 2 * MEGAPIXEL, 8)

    assert found == Estimate(20.0, 40.0, 80.0)


def test_first_picture_of_a_size_tells_more_than_others_scaled() -> None:
    found = estimate([Sample(MEGAPIXEL, 4, 10.0), Sample(4 * MEGAPIXEL, 4, 400.0)], MEGAPIXEL, 4)

    assert found == Estimate(5.0, 10.0, 20.0)


def test_sum_is_unknown_when_a_part_is() -> None:
    known = Estimate(1.0, 2.0, 3.0)

    assert total([known, known]) == Estimate(2.0, 4.0, 6.0)
    assert total([known, None]) is None


@given(
    st.lists(st.builds(Sample, st.integers(0, 10**7), st.integers(0, 100), st.floats(0, 10**4)), min_size=1),
    st.integers(0, 10**7),
    st.integers(0, 100),
)
def test_range_holds_what_is_likely(samples: list[Sample], pixels: int, steps: int) -> None:
    found = estimate(samples, pixels, steps)

    assert found is not None
    assert 0 <= found.low_s <= found.likely_s + 1e-6
    assert found.likely_s <= found.high_s + 1e-6


@pytest.mark.parametrize(
    ("elapsed_s", "left"), [(1.0, Estimate(0.0, 1.0, 2.0)), (9.0, Estimate(0.0, 0.0, 0.0))]
)
def test_what_is_left_is_never_less_than_nothing(elapsed_s: float, left: Estimate) -> None:
    assert Estimate(1.0, 2.0, 3.0).less(elapsed_s) == left
