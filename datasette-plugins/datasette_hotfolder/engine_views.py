"""The engine as somebody wants it: a model set to load, or none."""

from __future__ import annotations

from typing import Any

from datasette import Request, Response

from datasette_hotfolder.answers import RequestError, View, answer, api, read_json, require, require_method
from datasette_hotfolder.objects import wish_object
from datasette_hotfolder.services import Services
from hotfolder.library.control import WANTED_MODEL


def build_engine_views(services: Services) -> list[tuple[str, View]]:
    """The routes below /-/api/engine. The engine is everybody's, so only an admin steers it by hand."""

    @api
    async def load(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "admin")
        wanted = _read_model_set(services, await read_json(request))
        return answer(await services.write(_wish, services, wanted, actor.name), 202)

    @api
    async def unload(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "admin")
        if await read_json(request):
            raise RequestError("This request takes no body.")
        return answer(await services.write(_wish, services, "", actor.name), 202)

    return [(r"^/-/api/engine/load$", load), (r"^/-/api/engine/unload$", unload)]


def _read_model_set(services: Services, body: dict[str, Any]) -> str:
    wanted = body.get("modelSet")
    if not isinstance(wanted, str) or len(body) != 1:
        raise RequestError('The body has to be {"modelSet": "NAME"}.')
    if not services.host.knows_model_set(wanted):
        known = ", ".join(services.host.list_model_sets()) or "none"
        raise RequestError(
            f"The settings name no model set {wanted[:80]!r}.", hint=f"`models.sets` has: {known}."
        )
    return wanted


def _wish(services: Services, wanted: str, actor: str) -> dict[str, Any] | None:
    """What is wanted now; the sidecar makes it so, at its next start if none runs."""
    services.wishes.put(WANTED_MODEL, wanted, actor)
    services.host.nudge()
    return wish_object(services.wishes.find(WANTED_MODEL))
