"""Changes of many pictures over HTTP, in pieces so that others get in between, and taking them back."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
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
    retry_header,
    status_of,
)
from datasette_hotfolder.plain import build_error
from datasette_hotfolder.services import Services
from datasette_hotfolder.targets import NAMES, read_targets
from hotfolder.clock import NewId, new_id
from hotfolder.errors import HotfolderError
from hotfolder.library.changes import CHUNK, ChangeStore, check_changes

log = logging.getLogger(__name__)

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

        skipped: list[str] = []

        def change_some(some: Sequence[str]) -> list[str]:
            changed, left_out = changes.change(change_id, some, wanted, actor.name)
            skipped.extend(left_out)
            return changed

        def tell(changed: Sequence[str]) -> None:
            changes.announce(change_id, changed, wanted, actor.name)

        written = await write_in_chunks(services, targets, change_some, tell)
        return written.answer({"changed": written.count, "changeId": change_id, "skipped": len(skipped)})

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

        written = await write_in_chunks(services, targets, undo_some, tell)
        services.host.nudge()
        return written.answer({"restored": written.count, "changeId": undo_id})

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


@dataclass(frozen=True, slots=True)
class Written:
    """How many pictures were changed, and what broke it off after some of them, if anything did."""

    count: int
    failure: Exception | None = None

    def answer(self, done: Mapping[str, Any]) -> Response:
        """What was done; after a failure the error says it, and how it can be taken back."""
        if self.failure is None:
            return answer(done)
        error, status, headers = self.failure, 500, {}
        if isinstance(error, HotfolderError):
            status, headers = status_of(error), retry_header(error)
        else:
            error = HotfolderError("The server failed.")
        body = build_error(error.code, f"{error.message} This came half-way.", _hint_of(error, done))
        return answer({"error": body["error"] | done}, status, headers)


def _hint_of(error: HotfolderError, done: Mapping[str, Any]) -> str | None:
    if "changeId" not in done:
        return error.hint
    undo = f"POST /-/api/changes/{done['changeId']}/undo takes back what was done before."
    return f"{error.hint} {undo}" if error.hint else undo


async def write_in_chunks(
    services: Services,
    media_ids: Sequence[str],
    change_some: ChangeSome,
    tell: Callable[[Sequence[str]], None],
) -> Written:
    """Change pictures piece by piece, and tell at the end which: also when something fails on the way.

    What fails before anything was changed is raised.
    """
    changed: list[str] = []
    try:
        try:
            for start in range(0, len(media_ids), CHUNK):
                changed += await services.write(change_some, media_ids[start : start + CHUNK])
        finally:
            if changed:
                await services.write(tell, changed)
    except Exception as error:
        if not changed:
            raise
        log.warning("a change of many pictures broke off after %d of them", len(changed), exc_info=error)
        return Written(len(changed), error)
    return Written(len(changed))


def read_text(body: Mapping[str, Any], name: str) -> str:
    """The text under a name; raises RequestError for none, and for the half characters that JSON can hold."""
    value = body.get(name)
    if isinstance(value, str) and not any("\ud800" <= each <= "\udfff" for each in value):
        return value
    raise RequestError(f"`{name}` takes a text.")


def check_names(body: Mapping[str, Any], known: Collection[str]) -> None:
    """Raise RequestError for what a body may not hold."""
    unknown = sorted(set(body) - set(known))
    if unknown:
        message = f"The request has `{unknown[0][:80]}`, which means nothing here."
        raise RequestError(message, hint=f"It takes {', '.join(sorted(known))}.")
