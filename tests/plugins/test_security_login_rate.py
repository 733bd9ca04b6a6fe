"""How often somebody may fail to log in, on a clock that is moved by hand."""

from __future__ import annotations

import sys

import pytest
from datasette_hotfolder.login_rate import KEYS_MAX, NAME_MAX, PEER_MAX, WINDOW_S, LoginRate

HERE = "10.0.0.1"


class Bench:
    """A rate on its clock."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.rate = LoginRate(lambda: self.now_s)

    def fail(self, name: str, peer: str | None = HERE) -> int:
        """Fail once, as soon as that may be tried; the seconds that it had to wait."""
        wait_s = self.rate.begin(name, peer)
        if wait_s:
            self.now_s += wait_s
            assert self.rate.begin(name, peer) == 0
        return wait_s


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_tries_under_one_name_wait_longer_and_longer_and_then_for_the_rest_of_ten_minutes(
    bench: Bench,
) -> None:
    waits = [bench.fail("anna", f"10.0.0.{number}") for number in range(NAME_MAX)]

    assert waits == [0, 0, 1, 2, 4]
    assert bench.rate.begin("anna", "10.0.0.99") == WINDOW_S - sum(waits)


def test_tries_from_one_address_are_twenty_in_ten_minutes_under_whatever_names(bench: Bench) -> None:
    waits = [bench.fail(f"name {number}") for number in range(PEER_MAX)]

    assert waits == [0] * (PEER_MAX - 3) + [1, 2, 4]
    assert bench.rate.begin("another", HERE) == WINDOW_S - sum(waits)
    assert bench.rate.begin("another", "10.0.0.2") == 0


def test_no_more_than_the_limit_fit_into_any_ten_minutes(bench: Bench) -> None:
    begun = []
    for _ in range(4 * NAME_MAX):
        bench.fail("anna")
        begun.append(bench.now_s)

    assert all(later - first >= WINDOW_S for first, later in zip(begun, begun[NAME_MAX:], strict=False))


def test_refused_tries_do_not_make_the_wait_longer(bench: Bench) -> None:
    for _ in range(NAME_MAX):
        bench.fail("anna")
    wait_s = bench.rate.begin("anna", HERE)

    for _ in range(50):
        assert bench.rate.begin("anna", HERE) == wait_s

    bench.now_s += wait_s
    assert bench.rate.begin("anna", HERE) == 0


def test_login_that_succeeds_clears_its_name_and_counts_for_nobody(bench: Bench) -> None:
    for _ in range(10 * PEER_MAX):
        bench.fail("anna")
        bench.rate.succeed("anna", HERE)

    assert bench.rate.begin("bert", HERE) == 0


def test_own_success_does_not_clear_the_failures_of_an_address(bench: Bench) -> None:
    """Else somebody with one account could guess at all others."""
    for number in range(PEER_MAX - 1):
        bench.fail(f"victim {number}")
        bench.fail("anna")
        bench.rate.succeed("anna", HERE)
    bench.fail("another victim")

    assert bench.rate.begin("victim", HERE) > WINDOW_S / 2


def test_tries_that_are_under_way_count_already(bench: Bench) -> None:
    assert [bench.rate.begin("anna", HERE) for _ in range(4)] == [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        (None, "unix", True),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_network_of_one_subscriber_is_one_address(
    bench: Bench, one: str | None, other: str, is_same: bool
) -> None:
    for number in range(PEER_MAX):
        bench.fail(f"name {number}", one)

    assert (bench.rate.begin("another", other) > 0) is is_same


def test_memory_is_bounded_and_the_latest_are_kept(bench: Bench) -> None:
    for number in range(3 * KEYS_MAX):
        bench.rate.begin("x" * 64 + str(number), f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    for _ in range(NAME_MAX):
        bench.fail("anna", "192.0.2.1")

    for failures in (bench.rate._names, bench.rate._peers):
        assert len(failures._times) <= KEYS_MAX
        assert sys.getsizeof(failures._times) < 1_000_000
    assert bench.rate.begin("anna", "192.0.2.2") > 0
