"""Waiting for events: woken by the event, by the time-out, by the stop, and by nothing else."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

import pytest
from datasette_hotfolder.news import News

LOOK_S = 0.005
LIMIT_S = 5.0


class Source:
    """The number of the latest event, set by hand; counts how often it is asked."""

    def __init__(self) -> None:
        self.latest = 0
        self.asked = 0
        self.fails = False

    async def read(self) -> int:
        self.asked += 1
        if self.fails:
            raise OSError("the disk is gone")
        return self.latest


def run(test: Callable[[Source, News], Awaitable[None]]) -> Source:
    """Run one test on an event loop, within the limit."""
    source = Source()
    asyncio.run(asyncio.wait_for(test(source, News(source.read, look_s=LOOK_S)), LIMIT_S))
    return source


async def until_asked(source: Source, times: int = 1) -> None:
    goal = source.asked + times
    while source.asked < goal:
        await asyncio.sleep(LOOK_S)  # the pause of a poll with a limit


def test_an_event_wakes_everybody_who_waits_for_one() -> None:
    async def test(source: Source, news: News) -> None:
        source.latest = 7
        waiting = [asyncio.create_task(news.wait(7, LIMIT_S)) for _ in range(20)]
        await until_asked(source, 3)
        assert not any(each.done() for each in waiting)
        source.latest = 8
        await asyncio.gather(*waiting)

    run(test)


def test_one_look_at_the_database_serves_all() -> None:
    async def test(source: Source, news: News) -> None:
        await asyncio.gather(*(news.wait(0, 0.1) for _ in range(100)))

    assert run(test).asked < 100


def test_an_event_that_has_come_already_is_not_waited_for() -> None:
    async def test(source: Source, news: News) -> None:
        source.latest = 3
        began_at_s = time.monotonic()
        await news.wait(2, LIMIT_S)
        assert time.monotonic() - began_at_s < 0.5

    run(test)


def test_the_time_out_ends_the_waiting() -> None:
    async def test(source: Source, news: News) -> None:
        began_at_s = time.monotonic()
        await news.wait(0, 0.05)
        assert 0.04 < time.monotonic() - began_at_s < 1

    run(test)


def test_events_that_come_too_often_do_not_lengthen_the_time_out() -> None:
    async def test(source: Source, news: News) -> None:
        waiting = asyncio.create_task(news.wait(10**9, 0.1))
        while not waiting.done():
            source.latest += 1
            await asyncio.sleep(LOOK_S)

    run(test)


def test_a_stop_lets_everybody_go_now_and_from_now_on() -> None:
    async def test(source: Source, news: News) -> None:
        waiting = [asyncio.create_task(news.wait(0, LIMIT_S)) for _ in range(10)]
        await until_asked(source)
        news.stop()
        await asyncio.gather(*waiting)
        await news.wait(0, LIMIT_S)

    began_at_s = time.monotonic()
    run(test)
    assert time.monotonic() - began_at_s < 1


def test_a_read_that_fails_does_not_end_the_news(caplog: pytest.LogCaptureFixture) -> None:
    async def test(source: Source, news: News) -> None:
        source.fails = True
        waiting = asyncio.create_task(news.wait(0, LIMIT_S))
        await until_asked(source, 2)
        source.fails, source.latest = False, 1
        await waiting

    with caplog.at_level(logging.CRITICAL, "datasette_hotfolder.news"):
        run(test)


def test_nobody_asks_while_nobody_waits_and_the_next_one_is_served() -> None:
    async def test(source: Source, news: News) -> None:
        await news.wait(0, LOOK_S)
        await asyncio.sleep(5 * LOOK_S)
        asked = source.asked
        await asyncio.sleep(5 * LOOK_S)
        assert source.asked == asked
        source.latest = 1
        await news.wait(0, LIMIT_S)

    run(test)


def test_one_who_goes_away_does_not_keep_the_others() -> None:
    async def test(source: Source, news: News) -> None:
        gone, stays = (asyncio.create_task(news.wait(0, LIMIT_S)) for _ in range(2))
        await until_asked(source)
        gone.cancel()
        source.latest = 1
        await stays
        with pytest.raises(asyncio.CancelledError):
            await gone

    run(test)
