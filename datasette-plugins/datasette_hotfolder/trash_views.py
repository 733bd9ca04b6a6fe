"""The trash over HTTP: pictures go into it and come back; an admin empties it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from datasette_hotfolder.bulk_views import ChangeSome, Written, check_names, write_in_chunks
from datasette_hotfolder.services import Services
from datasette_hotfolder.targets import NAMES, read_targets
from hotfolder.accounts.scopes import Actor
from hotfolder.clock import NewId, new_id
from hotfolder.library.trash import Outcome, Trash


def build_trash_views(services: Services, trash: Trash, make_id: NewId = new_id) -> list[tuple[str, View]]:
    """The routes below /-/api/trash."""

    @api
    async def delete(request: Request) -> Response:
        require_method(request, "POST")
        actor, change_id = require(request, "review"), make_id()
        targets = await _read_targets(services, request, actor)

        def delete_some(some: Sequence[str]) -> list[str]:
            return trash.trash(change_id, some, actor.name)

        deleted = await change(targets, delete_some, _teller(trash, change_id, "deleted", actor))
        return deleted.answer({"trashed": deleted.count, "changeId": change_id})

    @api
    async def restore(request: Request) -> Response:
        require_method(request, "POST")
        actor, change_id = require(request, "review"), make_id()
        targets = await _read_targets(services, request, actor)

        def restore_some(some: Sequence[str]) -> list[str]:
            return trash.restore(change_id, some, actor.name)

        restored = await change(targets, restore_some, _teller(trash, change_id, "restored", actor))
        return restored.answer({"restored": restored.count, "changeId": change_id})

    @api
    async def purge(request: Request) -> Response:
        require_method(request, "POST")
        actor, body = require(request, "admin"), await read_json(request)
        tell = _teller(trash, make_id(), "purged", actor)
        if "all" not in body:
            check_names(body, NAMES)
            targets = await read_targets(services, body, actor)
        elif body["all"] is True and len(body) == 1:
            targets = await services.read(trash.list_all)
        else:
            raise RequestError("`all` takes true, and nothing beside it.")
        purged = await change(targets, trash.purge, tell)
        return purged.answer({"purged": purged.count})

    async def change(
        targets: Sequence[str], some: ChangeSome, tell: Callable[[Sequence[str]], None]
    ) -> Written:
        written = await write_in_chunks(services, targets, some, tell)
        services.host.nudge()
        return written

    return [
        (r"^/-/api/trash$", delete),
        (r"^/-/api/trash/restore$", restore),
        (r"^/-/api/trash/purge$", purge),
    ]


async def delete_one(services: Services, trash: Trash, request: Request) -> Response:
    """The answer to DELETE /-/api/media/<id>: the picture goes into the trash."""
    actor = require(request, "review")
    await expect_nothing(request)
    change_id = await services.write(trash.trash_one, request.url_vars["media_id"], actor.name)
    services.host.nudge()
    return answer({"trashed": 1, "changeId": change_id})


async def _read_targets(services: Services, request: Request, actor: Actor) -> list[str]:
    body: Mapping[str, Any] = await read_json(request)
    check_names(body, NAMES)
    return await read_targets(services, body, actor)


def _teller(trash: Trash, change_id: str, outcome: Outcome, actor: Actor) -> Callable[[Sequence[str]], None]:
    return lambda media_ids: trash.announce(change_id, media_ids, outcome, actor.name)
