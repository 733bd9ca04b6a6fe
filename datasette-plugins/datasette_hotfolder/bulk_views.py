"""Changes of many pictures over HTTP, in pieces so that others get in between, and taking them back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from datasette import Request, Response

from datasette_hotfolder.answers import (
    RequestError,
    View,
    answer,
    api,
    expect_nothing,
    read_json,
    require,
    require_method,
)
from datasette_hotfolder.services import Services
from datasette_hotfolder.targets import NAMES, read_targets
from hotfolder.clock import NewId, new_id
from hotfolder.library.changes import CHUNK, ChangeStore, check_changes

ChangeSome = Callable[[Sequence[str]], list[str]]
"""Changes at most CHUNK pictures and gives the ids of those that it changed."""


def build_bulk_views(
    services: Services, changes: ChangeStore, make_id: NewId = new_id
) -> list[tuple[str, View]]:
    """The routes of changes of many pictures; they stand before the one of a single picture."""

    @api
    async def change(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "rate")
        body = await read_json(request)
        wanted, change_id = check_changes(_read_changes(body)), make_id()
        targets = await read_targets(services, body, actor)

        def change_some(some: Sequence[str]) -> list[str]:
            return changes.change(change_id, some, wanted, actor.name)

        def tell(changed: Sequence[str]) -> None:
            changes.announce(change_id, changed, wanted, actor.name)

        changed = await write_in_chunks(services, targets, change_some, tell)
        return answer({"changed": len(changed), "changeId": change_id})

    @api
    async def undo(request: Request) -> Response:
        require_method(request, "POST")
        require(request, "rate")
        await expect_nothing(request)
        change_id, undo_id = request.url_vars["change_id"], make_id()
        targets = await services.read(changes.list_changed, change_id)
        of_trash = await services.read(changes.is_of_trash, change_id)
        actor = require(request, "review" if of_trash else "rate")

        def undo_some(some: Sequence[str]) -> list[str]:
            return changes.undo(change_id, undo_id, some, actor.name)

        def tell(restored: Sequence[str]) -> None:
            changes.announce_undo(change_id, undo_id, restored, actor.name)

        restored = await write_in_chunks(services, targets, undo_some, tell)
        services.host.nudge()
        return answer({"restored": len(restored), "changeId": undo_id})

    return [
        (r"^/-/api/media/bulk$", change),
        (r"^/-/api/changes/(?P<change_id>[^/]+)/undo$", undo),
    ]


def _read_changes(body: Mapping[str, Any]) -> Any:
    """What stands under `changes`, or beside the words that say which pictures."""
    if "changes" not in body:
        return {name: value for name, value in body.items() if name not in NAMES}
    check_names(body, NAMES | {"changes"})
    return body["changes"]


async def write_in_chunks(
    services: Services,
    media_ids: Sequence[str],
    change_some: ChangeSome,
    tell: Callable[[Sequence[str]], None],
) -> list[str]:
    """Change pictures piece by piece, and tell at the end which: also when something fails on the way."""
    changed: list[str] = []
    try:
        for start in range(0, len(media_ids), CHUNK):
            changed += await services.write(change_some, media_ids[start : start + CHUNK])
    finally:
        if changed:
            await services.write(tell, changed)
    return changed


def check_names(body: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise RequestError for what a body may not hold."""
    unknown = sorted(set(body) - set(known))
    if unknown:
        message = f"The request has `{unknown[0][:80]}`, which means nothing here."
        raise RequestError(message, hint=f"It takes {', '.join(sorted(known))}.")
