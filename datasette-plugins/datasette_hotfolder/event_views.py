"""News for pages and programs: events as a long poll, the state of the service, and its health."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.access import may_hear, pictures_of, tell_visitor
from datasette_hotfolder.answers import (
    View,
    actor_of,
    answer,
    api,
    find_number,
    read_number,
    require,
    require_method,
)
from datasette_hotfolder.objects import actor_object, event_object, wish_object
from datasette_hotfolder.services import Services
from hotfolder.accounts.scopes import Actor
from hotfolder.events import ENGINE_STATUS, Event
from hotfolder.library.control import WANTED_MODEL
from hotfolder.library.imports import ImportStore
from hotfolder.library.unseen import find_unseen

WAIT_MAX_S: Final = 25
EVENTS_MAX: Final = 500
_NEVER: Final = 2**53


def build_event_views(services: Services) -> list[tuple[str, View]]:
    """The routes of events, status, set-up and health."""

    @api
    async def events(request: Request) -> Response:
        require_method(request, "GET")
        after = find_number(request, "after", 0, _NEVER)
        wait_s = read_number(request, "wait", 0, 0, WAIT_MAX_S)
        if after is None:
            return answer({"events": [], "seq": await services.read(services.database.last_event_seq)})
        news = await services.read(read_news, services, after, actor_of(request))
        if wait_s and news["seq"] == after:
            await services.news.wait(after, wait_s)
            news = await services.read(read_news, services, after, actor_of(request))
        return answer(news)

    @api
    async def status(request: Request) -> Response:
        require_method(request, "GET")
        return answer(await services.read(read_status, services, actor_of(request)))

    @api
    async def setup(request: Request) -> Response:
        require_method(request, "GET")
        require(request, "look")
        return answer(await services.examine(services.host.describe_setup))

    @api
    async def healthz(request: Request) -> Response:
        require_method(request, "GET")
        health = await services.read(services.host.describe_health)
        return answer(health, 200 if health["status"] == "ok" else 503)

    return [
        (r"^/-/api/events$", events),
        (r"^/-/api/status$", status),
        (r"^/-/api/setup$", setup),
        (r"^/-/healthz$", healthz),
    ]


def read_news(services: Services, after: int, actor: Actor | None) -> dict[str, Any]:
    """What happened after an event, as far as this actor may know, and up to which event it is told.

    With `reset` not all of it can be told: the database is another one than that which the client knew, or
    keeps no longer all that came since.
    """
    found = services.database.list_events(after, EVENTS_MAX)
    latest = services.database.last_event_seq()
    if latest < after or (found and _is_forgotten(services, after + 1)):
        return {"events": [], "seq": latest, "reset": True}
    told = [each for each in found if may_hear(actor, each)]
    if actor is None:
        told = _tell_visitor(services, told)
    return {"events": [event_object(each) for each in told], "seq": found[-1].seq if found else after}


def _tell_visitor(services: Services, events: Sequence[Event]) -> list[Event]:
    """Without what is told of pictures that await their review now, and of those that it discarded."""
    named = {each for event in events for each in pictures_of(event)}
    unseen = find_unseen(services.database, named)
    return [told for each in events if (told := tell_visitor(each, unseen)) is not None]


def _is_forgotten(services: Services, seq: int) -> bool:
    oldest = services.database.list_events(0, 1)
    return bool(oldest) and seq < oldest[0].seq


def read_status(services: Services, actor: Actor | None) -> dict[str, Any]:
    """Sidecar, engine and queue in one object."""
    seq = services.database.last_event_seq()
    engine = services.database.last_event(ENGINE_STATUS)
    waiting, running = services.jobs.count_active()
    return {
        "version": services.version,
        "sidecar": dict(services.host.describe_sidecar()),
        "engine": {**engine.data, "at": engine.at} if engine else None,
        "wanted": wish_object(services.wishes.find(WANTED_MODEL)),
        "queue": {"waiting": waiting, "running": running},
        "review": {"awaiting": services.review.count_awaiting()} if actor else None,
        "imports": {"waiting": ImportStore(services.database).count_waiting()},
        "seq": seq,
        "actor": actor_object(actor),
    }
