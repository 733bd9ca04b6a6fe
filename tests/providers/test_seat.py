"""Who comes first has the seat first, however long the preparing takes; whoever waits can be called away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from hotfolder.errors import EngineBusy, EngineCancelled
from hotfolder.providers.seat import Seat

LIMIT_S = 10


@pytest.fixture
def caller() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_quicker_one_behind_prepares_only_once_the_first_has_the_seat(caller: ThreadPoolExecutor) -> None:
    seat, never = Seat(), threading.Event()
    told: list[str] = []
    in_line, is_prepared, is_made = threading.Event(), threading.Event(), threading.Event()

    def slow() -> None:
        with seat.in_line(never):
            in_line.set()
            assert is_prepared.wait(LIMIT_S)
            told.append("slow is prepared")
            with seat.taken(never):
                assert is_made.wait(LIMIT_S)
                told.append("slow is made")

    def quick() -> None:
        with seat.in_line(never):
            told.append("quick is prepared")
            is_made.set()
            with seat.taken(never):
                told.append("quick is made")

    first = caller.submit(slow)
    assert in_line.wait(LIMIT_S)
    second = caller.submit(quick)
    is_prepared.set()

    first.result(LIMIT_S)
    second.result(LIMIT_S)
    assert told == ["slow is prepared", "quick is prepared", "slow is made", "quick is made"]


def test_line_moves_on_when_the_first_fails_before_it_has_the_seat() -> None:
    seat, never = Seat(), threading.Event()
    with pytest.raises(RuntimeError), seat.in_line(never):
        raise RuntimeError

    with seat.in_line(never), seat.taken(never):
        pass


@pytest.mark.parametrize("error", [EngineCancelled, EngineBusy])
def test_wait_in_line_ends_when_it_is_interrupted_or_the_service_stops(
    caller: ThreadPoolExecutor, error: type[Exception]
) -> None:
    seat, interrupt = Seat(), threading.Event()

    def wait() -> None:
        with seat.in_line(interrupt):
            pass

    with seat.in_line(threading.Event()):
        waiting = caller.submit(wait)
        if error is EngineCancelled:
            interrupt.set()
        else:
            seat.close()
        with pytest.raises(error):
            waiting.result(1)


def test_one_that_waits_for_the_seat_gives_way_to_what_is_more_urgent(caller: ThreadPoolExecutor) -> None:
    seat, interrupt, is_urgent = Seat(), threading.Event(), threading.Event()
    is_waiting = threading.Event()

    def wait() -> None:
        with seat.in_line(interrupt, is_urgent.is_set):
            is_waiting.set()
            with seat.taken(interrupt):
                pass

    with seat.taken(threading.Event()):
        waiting = caller.submit(wait)
        assert is_waiting.wait(LIMIT_S)
        is_urgent.set()
        with pytest.raises(EngineCancelled):
            waiting.result(1)
    assert interrupt.is_set()  # so it is handed back, and not failed
