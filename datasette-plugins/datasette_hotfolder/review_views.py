"""The review queue: which pictures wait for a decision, and the decisions."""

from __future__ import annotations

from typing import Any

from datasette import Request, Response

from datasette_hotfolder.answers import (
    RequestError,
    View,
    answer,
    api,
    read_json,
    read_number,
    require,
    require_method,
)
from datasette_hotfolder.objects import media_object
from datasette_hotfolder.services import Review, Services
from hotfolder.library.browse import PAGE_MAX
from hotfolder.library.media import Media

PAGE_ITEMS = 100


def build_review_views(services: Services, review: Review) -> list[tuple[str, View]]:
    """The routes below /-/api/review."""

    @api
    async def awaiting(request: Request) -> Response:
        require_method(request, "GET")
        require(request, "look")
        limit = read_number(request, "limit", PAGE_ITEMS, 1, PAGE_MAX)
        return answer(await services.read(_list, services, review, limit))

    @api
    async def decide(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "review")
        accept, collection = _read_decision(await read_json(request))
        media_id = request.url_vars["media_id"]
        media = await services.write(review.decide, media_id, accept, collection, actor.name)
        services.host.nudge()
        return answer(_to_object(media))

    return [(r"^/-/api/review$", awaiting), (r"^/-/api/review/(?P<media_id>[^/]+)$", decide)]


def _list(services: Services, review: Review, limit: int) -> dict[str, Any]:
    """The event number is read first, so that nothing is missed after it."""
    seq = services.database.last_event_seq()
    items = [_to_object(each) for each in review.list_awaiting(limit)]
    return {"items": items, "total": review.count_awaiting(), "seq": seq}


def _to_object(media: Media) -> dict[str, Any]:
    return media_object(media) | {"generationId": media.generation_id}


def _read_decision(body: dict[str, Any]) -> tuple[bool, str | None]:
    decision, collection = body.get("decision"), body.get("collection")
    if decision not in ("accept", "discard") or set(body) - {"decision", "collection"}:
        raise RequestError(
            "This is no decision.", hint='Send {"decision": "accept"} or {"decision": "discard"}.'
        )
    if collection is not None and not isinstance(collection, str):
        raise RequestError("`collection` takes the name of a collection.")
    return decision == "accept", collection
