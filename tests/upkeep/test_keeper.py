"""The upkeep thread: tasks in their time, none stopped by another that fails, and an end within a limit."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from hotfolder.events import Doorbell
from hotfolder.upkeep.keeper import Keeper, Task

WAIT_S = 10.0


class Times:
    """Counts how often a task ran, and lets a test wait for it."""

    def __init__(self, error: Exception | None = None) -> None:
        self._ran = threading.Semaphore(0)
        self._error = error

    def __call__(self, stop: threading.Event) -> None:
        self._ran.release()
        if self._error is not None:
            raise self._error

    def wait_for(self, times: int) -> bool:
        return all(self._ran.acquire(timeout=WAIT_S) for _ in range(times))

    def has_run(self) -> bool:
        return self._ran.acquire(blocking=False)


Start = Callable[..., Keeper]


@pytest.fixture
def doorbell() -> Doorbell:
    return Doorbell()


@pytest.fixture
def start(doorbell: Doorbell) -> Iterator[Start]:
    started: list[Keeper] = []

    def begin(*tasks: Task) -> Keeper:
        started.append(Keeper(tasks, doorbell))
        started[-1].start()
        return started[-1]

    yield begin
    for each in started:
        each.stop(WAIT_S)


def test_tasks_run_again_and_again_each_in_its_own_time(start: Start) -> None:
    often, seldom = Times(), Times()

    start(Task("often", often, 0.01), Task("seldom", seldom, 3600.0))

    assert often.wait_for(5)
    assert not seldom.has_run()


def test_task_that_fails_is_told_and_tried_again_and_keeps_no_other_from_running(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    failing, other = Times(OSError("no room")), Times()

    start(Task("failing", failing, 0.01), Task("other", other, 0.01))

    assert failing.wait_for(3)
    assert other.wait_for(3)
    assert "upkeep: failing failed" in caplog.text


def test_task_that_waits_for_news_runs_soon_after_a_commit(start: Start, doorbell: Doorbell) -> None:
    told, deaf = Times(), Times()
    start(Task("told", told, 3600.0, on_news=True), Task("deaf", deaf, 3600.0))

    doorbell.ring()

    assert told.wait_for(1)
    assert not deaf.has_run()


def test_stop_ends_the_task_in_hand_and_the_thread(start: Start) -> None:
    begun, ended = threading.Event(), threading.Event()

    def run(stop: threading.Event) -> None:
        begun.set()
        assert stop.wait(WAIT_S)
        ended.set()

    keeper = start(Task("long", run, 0.01))
    assert begun.wait(WAIT_S)

    keeper.stop(WAIT_S)

    assert ended.is_set()
    assert not any(each.name == "upkeep" for each in threading.enumerate())


def test_stop_waits_no_longer_than_its_limit(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    begun, end = threading.Event(), threading.Event()

    def run(stop: threading.Event) -> None:
        begun.set()
        end.wait(WAIT_S)

    keeper = start(Task("deaf", run, 0.01))
    assert begun.wait(WAIT_S)

    keeper.stop(0.01)

    assert "upkeep has not ended" in caplog.text
    end.set()


def test_keeper_that_was_never_started_stops_at_once(doorbell: Doorbell) -> None:
    Keeper([], doorbell).stop(WAIT_S)
