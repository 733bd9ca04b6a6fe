"""The review queue: which pictures wait for a decision, and the decisions."""

from __future__ import annotations

from typing import Any, Final

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
from datasette_hotfolder.bulk_views import read_text
from datasette_hotfolder.objects import media_object
from datasette_hotfolder.services import Review, Services
from datasette_hotfolder.targets import NAMES, read_targets
from hotfolder.errors import HotfolderError, LibraryError, NotFound
from hotfolder.library.browse import PAGE_MAX
from hotfolder.library.media import Media

PAGE_ITEMS: Final = 100
_NOT_AWAITING: Final = ("library.review_decided", "library.not_in_review")


def build_review_views(services: Services, review: Review) -> list[tuple[str, View]]:
    """The routes below /-/api/review."""

    @api
    async def awaiting(request: Request) -> Response:
        require(request, "look")
        limit = read_number(request, "limit", PAGE_ITEMS, 1, PAGE_MAX)
        return answer(await services.read(_list, services, review, limit))

    @api
    async def decide(request: Request) -> Response:
        require_method(request, "GET", "POST")
        if request.method != "POST":
            require(request, "look")
            return answer(await services.read(_describe, services, request.url_vars["media_id"]))
        actor = require(request, "review")
        accept, collection = _read_decision(await read_json(request))
        media_id = request.url_vars["media_id"]
        media = await services.write(review.decide, media_id, accept, collection, actor.name)
        services.host.nudge()
        return answer(_to_object(media))

    @api
    async def decide_many(request: Request) -> Response:
        """One picture after the other, so that others get in between; those that await no review are left."""
        require_method(request, "GET", "POST")
        if request.method != "POST":
            return await awaiting(request)
        actor, body = require(request, "review"), await read_json(request)
        target = {name: body.pop(name) for name in NAMES & set(body)}
        accept, collection = _read_decision(body)
        ids, decided = await read_targets(services, target, actor), 0
        for media_id in ids:
            decided += await services.write(_decide_one, review, media_id, accept, collection, actor.name)
        services.host.nudge()
        return answer({"decided": decided, "skipped": len(ids) - decided})

    return [(r"^/-/api/review$", decide_many), (r"^/-/api/review/(?P<media_id>[^/]+)$", decide)]


def _decide_one(review: Review, media_id: str, accept: bool, collection: str | None, actor: str) -> bool:
    """Whether the picture awaited a decision."""
    try:
        review.decide(media_id, accept, collection, actor)
    except HotfolderError as error:
        if error.code in _NOT_AWAITING or isinstance(error, NotFound):
            return False
        raise
    return True


def _list(services: Services, review: Review, limit: int) -> dict[str, Any]:
    """The event number is read first, so that nothing is missed after it."""
    seq = services.database.last_event_seq()
    items = [_to_item(services, each) for each in review.list_awaiting(limit)]
    return {"items": items, "total": review.count_awaiting(), "seq": seq}


def _describe(services: Services, media_id: str) -> dict[str, Any]:
    media = services.media.get(media_id)
    if media.generation_id is None:
        raise LibraryError(f"The picture {media_id} awaits no review.", code="library.not_in_review")
    return _to_item(services, media)


def _to_item(services: Services, media: Media) -> dict[str, Any]:
    """With whose job it is, and what was said of the job when it came: a flag says what it was set for."""
    job = services.jobs.find(services.generations.get(str(media.generation_id)).job_id)
    return _to_object(media) | {
        "owner": job.owner if job else None,
        "jobFile": job.job_file if job else None,
        "jobTitle": job.title if job else None,
        "warnings": list(job.warnings) if job else [],
    }


def _to_object(media: Media) -> dict[str, Any]:
    return media_object(media) | {"generationId": media.generation_id}


def _read_decision(body: dict[str, Any]) -> tuple[bool, str | None]:
    decision, collection = body.get("decision"), body.get("collection")
    if decision not in ("accept", "discard") or set(body) - {"decision", "collection"}:
        raise RequestError(
            "This is no decision.", hint='Send {"decision": "accept"} or {"decision": "discard"}.'
        )
    return decision == "accept", None if collection is None else read_text(body, "collection")
