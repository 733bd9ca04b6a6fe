"""The pages: templates with their first data in them, so that nothing is asked for twice."""

from __future__ import annotations

import functools
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import jinja2
from datasette import Request, Response

from datasette_hotfolder.answers import View, actor_of, require, require_method, status_of
from datasette_hotfolder.event_views import read_status
from datasette_hotfolder.job_desk import JobDesk
from datasette_hotfolder.lane_views import read_queue
from datasette_hotfolder.media_views import Place, read_filter_kindly, read_page
from datasette_hotfolder.objects import actor_object, embedded_json
from datasette_hotfolder.plain import POLICY, STATIC, build_page
from datasette_hotfolder.services import Services
from hotfolder.errors import HotfolderError, NotFound
from hotfolder.library.preferences import PreferenceStore

log = logging.getLogger(__name__)

JOBS_SHOWN: Final = 50
FIRST_ITEMS: Final = 60  # a window full; script asks for more as it is scrolled


def build_page_views(services: Services, desk: JobDesk) -> list[tuple[str, View]]:
    """The routes of the pages."""
    templates = jinja2.Environment(loader=jinja2.PackageLoader("datasette_hotfolder"), autoescape=True)
    preferences = PreferenceStore(services.database)

    async def show(request: Request, page: str, title: str, data: Mapping[str, Any], **more: Any) -> Response:
        actor, can = actor_of(request), _abilities(request)
        remembered = await services.read(preferences.get, actor.name) if actor else {}
        shared = {"page": page, "base": "", "actor": actor_object(actor), "can": can}
        embedded = embedded_json({**shared, "preferences": remembered, **data})
        theme = "light" if remembered.get("theme") == "light" else "dark"
        template = templates.get_template(f"hotfolder_{page}.html")
        body = template.render(
            **shared, static=STATIC, title=title, theme=theme, page_data_json=embedded, **more
        )
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return Response(body.encode(), headers=headers, content_type="text/html; charset=utf-8")

    @_page
    async def library(request: Request) -> Response:
        require_method(request, "GET")
        wanted = read_filter_kindly(request)
        place = Place(limit=FIRST_ITEMS)
        try:
            page = await services.read(read_page, services, wanted, place)
        except NotFound:  # its collection has been removed
            page = await services.read(read_page, services, replace(wanted, collection=None), place)
        data = {"seq": page["seq"], "firstPage": page}
        reviewing = wanted.review == "awaiting"
        return await show(request, "library", "Library", data, items=page["items"], reviewing=reviewing)

    @_page
    async def queue(request: Request) -> Response:
        require_method(request, "GET")
        jobs = await services.read(desk.list_jobs, "all", JOBS_SHOWN, actor_of(request))
        status = await services.read(read_status, services, actor_of(request))
        data = {"jobs": jobs, "status": status, "queue": await services.read(read_queue, services)}
        return await show(request, "queue", "Queue", {"seq": jobs["seq"], **data})

    def plain(page: str, title: str) -> View:
        """A page whose script asks for all that it shows."""

        @_page
        async def view(request: Request) -> Response:
            require_method(request, "GET")
            seq = await services.read(services.database.last_event_seq)
            return await show(request, page, title, {"seq": seq})

        return view

    @_page
    async def lineage(request: Request) -> Response:
        require_method(request, "GET")
        media_id = request.url_vars["media_id"]
        await services.read(services.get_picture, media_id, actor_of(request))
        seq = await services.read(services.database.last_event_seq)
        return await show(request, "lineage", "Lineage", {"seq": seq, "mediaId": media_id})

    @_page
    async def setup(request: Request) -> Response:
        require_method(request, "GET")
        require(request, "look")
        found = await services.examine(services.host.describe_setup)
        seq = await services.read(services.database.last_event_seq)
        return await show(request, "setup", "Setup", {"seq": seq, "setup": found})

    @_page
    async def home(request: Request) -> Response:
        require_method(request, "GET")
        actor = actor_of(request)
        remembered = await services.read(preferences.get, actor.name) if actor else {}
        headers = {"Location": "/-/library" + _way_back(remembered.get("view")), "Cache-Control": "no-store"}
        return Response(b"", status=302, headers=headers)

    return [
        (r"^/-/library$", library),
        (r"^/-/generate$", plain("generate", "Generate")),
        (r"^/-/queue$", queue),
        (r"^/-/stats$", plain("stats", "Statistics")),
        (r"^/-/lineage/(?P<media_id>[^/]+)$", lineage),
        (r"^/-/setup$", setup),
        (r"^/$", home),
    ]


def _way_back(view: object) -> str:
    """The view that a page remembered, written anew: nothing but a query and a fragment comes of it."""
    try:
        parts = urlsplit(view if isinstance(view, str) else "")
        query, fragment = urlencode(parse_qsl(parts.query)), quote(parts.fragment, safe="%")
    except ValueError:  # it is no address at all
        return ""
    return f"?{query}" * bool(query) + f"#{fragment}" * bool(fragment)


def _page(view: View) -> View:
    """A view whose errors become pages for people: one of the four borders."""

    @functools.wraps(view)
    async def guarded(request: Request) -> Response | None:
        try:
            return await view(request)
        except HotfolderError as error:
            body, status = build_page(error.message, error.hint), status_of(error)
        except Exception:  # the page says that it failed, the log says why
            log.exception("a page failed unexpectedly")
            body, status = build_page("The page could not be made.", "The log of the web says why."), 500
        headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
        return Response(body, status=status, headers=headers, content_type="text/html; charset=utf-8")

    return guarded


def _abilities(request: Request) -> dict[str, bool]:
    actor = actor_of(request)
    return {
        "look": actor is not None,
        "rate": actor is not None and actor.may("rate"),
        "review": actor is not None and actor.may("review"),
        "submit": actor is not None and actor.may("submit"),
        "admin": actor is not None and actor.may("admin"),
        "sql": actor is not None,
    }
