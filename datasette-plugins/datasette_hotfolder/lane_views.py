"""The queue as a whole: its lanes and what stands in them, to look at and to steer."""

from __future__ import annotations

from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.answers import View, answer, api, expect_nothing, require, require_method
from datasette_hotfolder.services import Services
from hotfolder.errors import NotFound
from hotfolder.queue.dead import DeadItems
from hotfolder.queue.lanes import LaneBook, LaneState
from hotfolder.queue.overview import QueueOverview
from hotfolder.queue.store import WorkStore

_STATES: Final[dict[str, LaneState]] = {"pause": "paused", "resume": "running", "drain": "draining"}


def build_lane_views(services: Services) -> list[tuple[str, View]]:
    """The routes of the queue and its lanes. They are everybody's, so only an admin steers them."""

    @api
    async def queue(request: Request) -> Response:
        require_method(request, "GET")
        return answer(await services.read(read_queue, services))

    @api
    async def change(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "admin")
        await expect_nothing(request)
        lane, state = request.url_vars["lane"], _STATES[request.url_vars["verb"]]
        if lane not in services.lanes:
            raise NotFound(
                f"There is no lane {lane[:80]}.", hint=f"The lanes are {', '.join(services.lanes)}."
            )
        return answer(await services.write(_want, services, lane, state, actor.name))

    @api
    async def requeue(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "admin")
        await expect_nothing(request)
        return answer(await services.write(_requeue, services, request.url_vars["work_id"], actor.name))

    return [
        (r"^/-/api/queue$", queue),
        (r"^/-/api/queue/(?P<work_id>[^/]+)/requeue$", requeue),
        (r"^/-/api/lanes/(?P<lane>[^/]+)/(?P<verb>pause|resume|drain)$", change),
    ]


def read_queue(services: Services) -> dict[str, Any]:
    """As `hotfolder queue show --json` tells it, and up to which event."""
    seq = services.database.last_event_seq()
    return {**QueueOverview(services.database, services.lanes).describe(), "seq": seq}


def _requeue(services: Services, work_id: str, actor: str) -> dict[str, Any]:
    DeadItems(services.database).requeue(WorkStore(services.database), work_id, actor)
    services.host.nudge()
    return read_queue(services)


def _want(services: Services, lane: str, state: LaneState, actor: str) -> dict[str, Any]:
    book = LaneBook(services.database)
    book.put(lane, state, actor)
    book.settle(services.lanes)  # what has nothing left to finish need not wait for a sidecar
    services.host.nudge()
    return read_queue(services)
