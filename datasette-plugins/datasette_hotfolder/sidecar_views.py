"""The sidecars of a picture as plain text, never as a page."""

from __future__ import annotations

from typing import Final, Literal

from datasette import Request, Response

from datasette_hotfolder.answers import View, actor_of, api, require_method
from datasette_hotfolder.picture_detail import find_sidecars, read_small
from datasette_hotfolder.services import Services
from hotfolder.accounts.scopes import Actor
from hotfolder.errors import NotFound

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
}


def build_sidecar_views(services: Services) -> list[tuple[str, View]]:
    """The routes /media/<id>/sidecar and /media/<id>/xmp."""

    @api
    async def sidecar(request: Request) -> Response:
        return await show(request, "sidecar")

    @api
    async def xmp(request: Request) -> Response:
        return await show(request, "xmp")

    async def show(request: Request, kind: Literal["sidecar", "xmp"]) -> Response:
        require_method(request, "GET")
        media_id = request.url_vars["media_id"]
        data = await services.read(_read, services, media_id, kind, actor_of(request))
        return Response(data, headers=dict(_HEADERS), content_type="text/plain; charset=utf-8")

    return [
        (r"^/media/(?P<media_id>[^/]+)/sidecar$", sidecar),
        (r"^/media/(?P<media_id>[^/]+)/xmp$", xmp),
    ]


def _read(services: Services, media_id: str, kind: Literal["sidecar", "xmp"], actor: Actor | None) -> bytes:
    json_path, xmp_path = find_sidecars(services.paths, services.get_picture(media_id, actor))
    data = read_small(json_path if kind == "sidecar" else xmp_path)
    if data is None:
        raise NotFound("No such sidecar lies beside this picture.")
    return data
