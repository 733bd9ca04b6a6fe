"""Pictures: pages of them, one with all that is known, and what people think of it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final
from urllib.parse import parse_qs

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
from datasette_hotfolder.objects import media_object, page_object
from datasette_hotfolder.picture_detail import describe_picture
from datasette_hotfolder.services import Services
from datasette_hotfolder.trash_views import delete_one
from hotfolder.errors import LibraryError
from hotfolder.library.browse import PAGE_MAX, MediaBrowser, MediaPage, MediaView
from hotfolder.library.filters import MediaFilter, parse_filter

PAGE_ITEMS: Final = 100
_NUMBER_MAX: Final = 2**32


def build_media_views(services: Services) -> list[tuple[str, View]]:
    """The routes below /-/api/media."""

    @api
    async def list_media(request: Request) -> Response:
        require_method(request, "GET")
        place = read_place(request)
        return answer(await services.read(read_page, services, read_filter(request), place))

    @api
    async def count(request: Request) -> Response:
        require_method(request, "GET")
        return answer(await services.read(_count, services, read_filter(request)))

    @api
    async def timeline(request: Request) -> Response:
        require_method(request, "GET")
        token = request.args.get("view")
        return answer(await services.read(_list_days, services, read_filter(request), token))

    @api
    async def facets(request: Request) -> Response:
        require_method(request, "GET")
        found = await services.read(services.browser.count_values, read_filter(request))
        return answer(
            {name: [{"value": value, "n": n} for value, n in counts] for name, counts in found.items()}
        )

    @api
    async def one_media(request: Request) -> Response:
        require_method(request, "GET", "POST", "DELETE")
        if request.method == "DELETE":
            return await delete_one(services, services.trash, request)
        media_id = request.url_vars["media_id"]
        if request.method != "POST":
            in_trash = find_word(request, "deleted", "only") is not None
            actor = require(request, "look") if in_trash else actor_of(request)
            return answer(await services.read(describe_picture, services, media_id, actor, in_trash=in_trash))
        rater = require(request, "rate")
        changes = await read_json(request)
        if not changes:
            raise RequestError("There is nothing to change.", hint='Send for example {"rating": 4}.')
        media = await services.write(services.ratings.change, media_id, changes, rater.name)
        return answer(media_object(media))

    return [
        (r"^/-/api/media$", list_media),
        (r"^/-/api/count$", count),
        (r"^/-/api/timeline$", timeline),
        (r"^/-/api/facets$", facets),
        (r"^/-/api/media/(?P<media_id>[^/]+)$", one_media),
    ]


@dataclass(frozen=True, slots=True)
class Place:
    """Which part of the pictures: behind or in front of a cursor, or from a place of a view on."""

    limit: int = PAGE_ITEMS
    after: str | None = None
    before: str | None = None
    offset: int | None = None
    view: str | None = None
    around: str | None = None
    """The id of a picture that is to be on the page."""


def read_filter(request: Request) -> MediaFilter:
    """The filter in a query string, and for visitors what they may see; raises RequestError."""
    wanted = parse_filter(parse_qs(request.query_string), is_reviewed=actor_of(request) is None)
    if wanted.is_deleted:
        require(request, "look")
    return wanted


def read_filter_kindly(request: Request) -> MediaFilter:
    """The same for the address of a page: what it does not know, or what is not possible, is left out."""
    query = parse_qs(request.query_string)
    sound = {name: values for name, values in query.items() if _is_sound(name, values)}
    is_visitor = actor_of(request) is None
    if is_visitor:
        sound.pop("deleted", None)
    return parse_filter(sound, is_reviewed=is_visitor)


def _is_sound(name: str, values: list[str]) -> bool:
    try:
        parse_filter({name: values})
    except LibraryError:
        return False
    return True


def read_place(request: Request) -> Place:
    """The part in a query string; raises RequestError."""
    after, before = request.args.get("after"), request.args.get("before")
    if after and before:
        raise RequestError("Give `after` or `before`, not both.")
    return Place(
        read_number(request, "limit", PAGE_ITEMS, 1, PAGE_MAX),
        after or None,
        before or None,
        find_number(request, "offset", 0, _NUMBER_MAX),
        request.args.get("view") or None,
        request.args.get("around") or None,
    )


def read_page(services: Services, wanted: MediaFilter, place: Place) -> dict[str, Any]:
    """A page as an object; the event number is read first, so that nothing is missed after it."""
    seq = services.database.last_event_seq()
    return page_object(_find_page(services.browser, wanted, place), seq)


def _count(services: Services, wanted: MediaFilter) -> dict[str, Any]:
    seq = services.database.last_event_seq()
    found = services.browser.count(wanted)
    return {
        "total": found.total,
        "totalIsBounded": found.is_bounded,
        "libraryTotal": found.library_total,
        "seq": seq,
    }


def _find_page(browser: MediaBrowser, wanted: MediaFilter, place: Place) -> MediaPage:
    if place.offset is None and place.view is None and place.around is None:
        return browser.read_page(wanted, limit=place.limit, after=place.after, before=place.before)
    view = _find_view(browser, wanted, place.view)
    offset = place.offset or 0
    if place.around is not None:
        found = browser.place_of(view, place.around)
        offset = 0 if found is None else found - found % place.limit
    return browser.read_places(view, offset, place.limit)


def _find_view(browser: MediaBrowser, wanted: MediaFilter, token: str | None) -> MediaView:
    return browser.find_view(token, is_reviewed=wanted.is_reviewed) if token else browser.open_view(wanted)


def _list_days(services: Services, wanted: MediaFilter, token: str | None) -> dict[str, Any]:
    """Days of pictures that stand in the order of their dates, each with the place of its first."""
    view = _find_view(services.browser, wanted, token)
    days = services.browser.list_days(view) if view.wanted.order.sort == "date" else []
    days = days[::-1] if view.wanted.order.is_ascending else days
    places = accumulate((n for _, n in days), initial=0)
    return {
        "days": [
            {"day": day, "n": n, "offset": offset} for (day, n), offset in zip(days, places, strict=False)
        ],
        "view": view.token,
    }
