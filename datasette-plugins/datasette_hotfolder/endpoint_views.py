"""What jobs may name: endpoints with their params, and presets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datasette import Request, Response

from datasette_hotfolder.answers import View, actor_of, answer, api, find_word, require, require_method
from datasette_hotfolder.services import Services
from hotfolder.accounts.scopes import Actor
from hotfolder.domain.nearest import did_you_mean
from hotfolder.errors import NotFound


def build_endpoint_views(services: Services) -> list[tuple[str, View]]:
    """The routes of endpoints and presets."""

    @api
    async def endpoints(request: Request) -> Response:
        require_method(request, "GET")
        provider, output = request.args.get("provider"), find_word(request, "outputType", "image", "video")
        found = await services.read(services.host.list_endpoints)
        items = [
            _as_seen_by(actor_of(request), each)
            for each in found
            if (not provider or each["providerId"] == provider)
            and (not output or each["outputType"] == output)
        ]
        return answer({"items": items})

    @api
    async def endpoint(request: Request) -> Response:
        require_method(request, "GET")
        key = request.url_vars["endpoint_key"]
        found = {each["endpointKey"]: each for each in await services.read(services.host.list_endpoints)}
        if key not in found:
            raise NotFound(f"There is no endpoint {key[:80]}.", hint=did_you_mean(key, found))
        return answer(_as_seen_by(actor_of(request), found[key]))

    @api
    async def presets(request: Request) -> Response:
        require_method(request, "GET")
        require(request, "look")
        return answer({"items": await services.read(services.host.list_presets)})

    return [
        (r"^/-/api/endpoints$", endpoints),
        (r"^/-/api/endpoints/(?P<endpoint_key>[^/]+)$", endpoint),
        (r"^/-/api/presets$", presets),
    ]


def _as_seen_by(actor: Actor | None, endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """What is missing may name folders of this machine: visitors are not told."""
    return {**endpoint, "problem": endpoint["problem"] if actor is not None else None}
