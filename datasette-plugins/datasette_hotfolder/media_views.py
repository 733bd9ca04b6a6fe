"""Pictures: pages of them, one with all that is known, and what people think of it."""

from __future__ import annotations

from typing import Any

from datasette import Request, Response

from datasette_hotfolder.answers import (
    RequestError,
    View,
    actor_of,
    answer,
    api,
    find_number,
    find_word,
    read_json,
    read_number,
    require,
    require_method,
)
from datasette_hotfolder.objects import media_detail, media_object, page_object, read_cursor
from datasette_hotfolder.services import Services
from hotfolder.accounts.scopes import Actor
from hotfolder.library.browse import PAGE_MAX, RATING_MAX, Cursor, MediaFilter

PAGE_ITEMS = 100


def build_media_views(services: Services) -> list[tuple[str, View]]:
    """The routes below /-/api/media."""

    @api
    async def list_media(request: Request) -> Response:
        require_method(request, "GET")
        after, before = _read_cursors(request)
        limit = read_number(request, "limit", PAGE_ITEMS, 1, PAGE_MAX)
        wanted = read_filter(request)
        return answer(await services.read(read_page, services, wanted, limit, after, before))

    @api
    async def one_media(request: Request) -> Response:
        require_method(request, "GET", "POST")
        media_id = request.url_vars["media_id"]
        if request.method != "POST":
            return answer(await services.read(_describe, services, media_id, actor_of(request)))
        actor = require(request, "rate")
        changes = await read_json(request)
        if not changes:
            raise RequestError("There is nothing to change.", hint='Send for example {"rating": 4}.')
        media = await services.write(services.ratings.change, media_id, changes, actor.name)
        return answer(media_object(media))

    return [(r"^/-/api/media$", list_media), (r"^/-/api/media/(?P<media_id>[^/]+)$", one_media)]


def read_filter(request: Request) -> MediaFilter:
    """The filter in a query string, and for visitors what they may see; raises RequestError."""
    return MediaFilter(
        rating=find_number(request, "rating", 0, RATING_MAX),
        min_rating=find_number(request, "minRating", 0, RATING_MAX),
        status=find_word(request, "status", "selected", "rejected", "none"),  # type: ignore[arg-type]
        origin=find_word(request, "origin", "generation", "import"),
        is_reviewed=actor_of(request) is None,
    )


def read_page(
    services: Services,
    wanted: MediaFilter,
    limit: int = PAGE_ITEMS,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> dict[str, Any]:
    """A page as an object; the event number is read first, so that nothing is missed after it."""
    seq = services.database.last_event_seq()
    return page_object(services.browser.read_page(wanted, limit=limit, after=after, before=before), seq)


def _read_cursors(request: Request) -> tuple[Cursor | None, Cursor | None]:
    try:
        after, before = (read_cursor(request.args.get(name)) for name in ("after", "before"))
    except ValueError as error:
        raise RequestError(f"`after` and `before` take {error}.") from error
    if after is not None and before is not None:
        raise RequestError("Give `after` or `before`, not both.")
    return after, before


def _describe(services: Services, media_id: str, actor: Actor | None) -> dict[str, Any]:
    media = services.get_picture(media_id, actor)
    generation = services.generations.get(media.generation_id) if media.generation_id else None
    return media_detail(
        media,
        services.media.list_keywords(media_id),
        generation,
        services.jobs.find(generation.job_id) if generation else None,
        services.generations.list_inputs(generation.generation_id) if generation else [],
    )
