"""What a picture costs to the thousandth, and how amounts are written and read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotfolder.domain.credits import (
    Entry,
    Prices,
    format_amount,
    guard_cell,
    parse_amount,
    read_payment,
    to_amount,
)


def entry(kind, amount):
    return Entry(seq=1, owner="anna", kind=kind, amount=amount, balance=0, created_at="", generation_id="g")


@pytest.mark.parametrize(
    ("prices", "amount"),
    [
        (Prices(), 1000),
        (Prices(picture=0), 0),
        (Prices(picture=0, megapixel=1), 1049),  # 1.048576 million pixels
        (Prices(picture=0, step=0.25), 2000),
        (Prices(picture=1, megapixel=0.5, step=0.1), 2324),
        (Prices(picture=1, step=0.5, endpoints={"local.x.image": 1.5}), 7500),
        (Prices(picture=1, endpoints={"local.other.image": 9}), 1000),
        (Prices(picture=1, endpoints={"local.x.image": 0}), 0),
    ],
)
def test_picture_costs_its_parts_times_the_factor_of_its_endpoint(prices, amount):
    assert prices.cost("local.x.image", 1024, 1024, 8) == amount


def test_priority_above_the_highest_costs_by_the_point_whatever_the_endpoint():
    prices = Prices(picture=2, endpoints={"e": 0.5}, boost=0.25)

    assert [prices.cost("e", 8, 8, 1, points) for points in (-3, 0, 4)] == [1000, 1000, 2000]
    assert Prices(picture=2).cost("e", 8, 8, 1, 4) == 2000


@pytest.mark.parametrize(("step", "amount"), [(0.0004, 0), (0.0005, 1), (0.0015, 2), (0.0025, 3)])
def test_price_is_rounded_once_to_the_nearest_thousandth_a_half_upwards(step, amount):
    assert Prices(picture=0, step=step).cost("e", 0, 0, 1) == amount
    assert Prices(picture=step, step=step).cost("e", 0, 0, 1) == round(step * 2000)


def test_tenth_of_a_credit_is_exact_however_often_it_is_added():
    assert Prices(picture=0, step=0.1).cost("e", 0, 0, 3) == 300
    assert to_amount(0.1) * 3 == to_amount(0.3)


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "0"), (1, "0.001"), (1000, "1"), (12_500, "12.5"), (-1, "-0.001"), (-2050, "-2.05")],
)
def test_amount_is_written_in_credits_without_needless_zeros(amount, text):
    assert format_amount(amount) == text


@given(st.integers(-(10**12), 10**12))
def test_written_amount_is_read_as_the_same(amount):
    assert parse_amount(format_amount(amount)) == amount


@pytest.mark.parametrize(
    "text", ["", "x", "1.2345", "1,5", "1e3", "inf", "nan", "+1", " 1", "1.", ".5", "\u0661", "99999999999"]
)
def test_text_that_is_no_amount_is_refused(text):
    with pytest.raises(ValueError, match="no amount"):
        parse_amount(text)


def test_payment_is_reserved_then_spent_then_given_back_in_part():
    entries = [entry("reserve", -1000), entry("debit", 250), entry("refund", 300)]

    assert read_payment([]) is None
    reserved, spent, returned = (read_payment(entries[:count]) for count in (1, 2, 3))
    assert (reserved.stage, reserved.refundable(0.1)) == ("reserved", 1000)
    assert (spent.stage, spent.spent, spent.refundable(0.5)) == ("spent", 750, 375)
    assert (returned.stage, returned.refundable(0.5), returned.refundable(0.2)) == ("spent", 75, 0)
    assert returned.refundable(7) == 450


def test_picture_that_was_given_back_may_be_reserved_anew():
    entries = [entry("reserve", -1000), entry("refund", 1000), entry("reserve", -400)]

    assert read_payment(entries[:2]).stage == "given_back"
    assert (read_payment(entries).stage, read_payment(entries).reserved) == ("reserved", 400)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", " =1", "\t=1", "\uff1d1", "\uff20x"])
def test_text_that_a_spreadsheet_would_calculate_gets_an_apostrophe(text):
    assert guard_cell(text).startswith("'")


@pytest.mark.parametrize(
    ("text", "shown"), [(None, ""), ("anna", "anna"), ("a=1", "a=1"), ("\r=1", "\ufffd=1")]
)
def test_other_text_stays_as_it_is_on_one_line(text, shown):
    assert guard_cell(text) == shown
