"""What the library has come to, for the statistics page and programs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.answers import RequestError, View, actor_of, answer, api, require_method
from datasette_hotfolder.services import Services
from hotfolder.library.figures import Acceptance, DiskMonth, PeriodFigures, Statistics, Times
from hotfolder.library.periods import Period
from hotfolder.library.statistics import StatisticsReader

RANGE_DAYS: Final = 30
EARLIEST: Final = date(1970, 1, 1)
KEPT_S: Final = 60.0
KEPT_MAX: Final = 32
Figures = Mapping[str, Any]


def build_stats_views(
    services: Services, clock: Callable[[], float] = time.monotonic
) -> list[tuple[str, View]]:
    """The route /-/api/stats."""
    reader = StatisticsReader(services.database, lambda wanted: services.browser.count(wanted).total)
    kept = _Kept(clock)

    @api
    async def stats(request: Request) -> Response:
        require_method(request, "GET")
        today = date.fromisoformat(services.database.now()[:10])
        last = _read_day(request, "to") or today
        first = _read_day(request, "from") or last - timedelta(days=RANGE_DAYS - 1)
        if first > last:
            raise RequestError("`from` is after `to`.")
        is_reviewed = actor_of(request) is None

        async def examine() -> Figures:
            return _describe(await services.examine(reader.read, first, last, is_reviewed=is_reviewed))

        return answer(await kept.get((first, min(last, today), is_reviewed), examine))

    return [(r"^/-/api/stats$", stats)]


class _Kept:
    """Answers of the last minute; who asks while one is made waits for that one."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._found: dict[object, tuple[float, asyncio.Task[Figures]]] = {}

    async def get(self, key: object, make: Callable[[], Awaitable[Figures]]) -> Figures:
        """On the event loop only. A failure is not kept."""
        now = self._clock()
        found = self._found.get(key)
        if found is None or (found[1].done() and (now - found[0] > KEPT_S or found[1].exception())):
            self._found.pop(key, None)
            found = self._found[key] = (now, asyncio.ensure_future(_as_coroutine(make)))
            while len(self._found) > KEPT_MAX:
                del self._found[next(iter(self._found))]
        return await asyncio.shield(found[1])


async def _as_coroutine(make: Callable[[], Awaitable[Figures]]) -> Figures:
    return await make()


def _read_day(request: Request, name: str) -> date | None:
    text = request.args.get(name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
        if day.isoformat() == text:  # it reads other forms, too
            return max(day, EARLIEST)
    except ValueError:
        pass
    raise RequestError(f"`{name}` takes a day as YYYY-MM-DD, not {text[:40]!r}.")


def _describe(found: Statistics) -> Figures:
    totals = found.totals
    return {
        "from": found.first.isoformat(),
        "to": found.last.isoformat(),
        "step": found.step,
        "totals": {
            "pictures": totals.pictures,
            "thisWeek": totals.this_week,
            "picked": totals.picked,
            "bytes": totals.size_bytes,
            "trashBytes": totals.trash_bytes,
        },
        "periods": [_period_object(each) for each in found.periods],
        "times": [_times_object(each) for each in found.times],
        "endpoints": _acceptance_objects(found.endpoints),
        "presets": None if found.presets is None else _acceptance_objects(found.presets),
        "disk": [_disk_object(each) for each in found.disk],
    }


def _period_object(each: PeriodFigures) -> dict[str, Any]:
    return {
        **_days_of(each.period),
        "generated": each.generated,
        "imported": each.imported,
        "made": each.made,
        "waitMedianMs": each.wait_median_ms,
        "waitP90Ms": each.wait_p90_ms,
        "busyMs": each.busy_ms,
        "busyShare": round(each.busy_share, 4),
    }


def _times_object(each: Times) -> dict[str, Any]:
    return {
        "endpointKey": each.endpoint_key,
        "size": each.size,
        "n": each.n,
        "medianMs": each.median_ms,
        "p90Ms": each.p90_ms,
    }


def _acceptance_objects(found: Iterable[Acceptance]) -> list[dict[str, Any]]:
    return [{"name": each.name, "decided": each.decided, "accepted": each.accepted} for each in found]


def _disk_object(each: DiskMonth) -> dict[str, Any]:
    return {**_days_of(each.period), "bytes": each.size_bytes, "trashBytes": each.trash_bytes}


def _days_of(period: Period) -> dict[str, str]:
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}
