"""What the pages remember for each who is logged in."""

from __future__ import annotations

from typing import Any

from datasette import Request, Response

from datasette_hotfolder.answers import RequestError, View, answer, api, read_json, require, require_method
from datasette_hotfolder.services import Services
from hotfolder.library.preferences import PreferenceStore


def build_preference_views(services: Services) -> list[tuple[str, View]]:
    """The route of preferences."""
    store = PreferenceStore(services.database)

    @api
    async def preferences(request: Request) -> Response:
        require_method(request, "GET", "POST")
        actor = require(request, "look")
        if request.method != "POST":
            return answer({"preferences": await services.read(store.get, actor.name)})
        changes = _read_changes(await read_json(request))
        return answer({"preferences": await services.write(store.merge, actor.name, changes)})

    return [(r"^/-/api/preferences$", preferences)]


def _read_changes(body: dict[str, Any]) -> dict[str, Any]:
    changes = body.get("preferences")
    if not isinstance(changes, dict) or len(body) != 1:
        raise RequestError('The body has to be {"preferences": {...}}; a key that is null is forgotten.')
    return changes
