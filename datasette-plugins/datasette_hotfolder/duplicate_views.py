"""Duplicates over HTTP: groups of pictures of which one is enough, and what is none."""

from __future__ import annotations

from typing import Any, Final

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
from datasette_hotfolder.bulk_views import check_names
from datasette_hotfolder.objects import media_object
from datasette_hotfolder.services import Services
from hotfolder.library.duplicates import GROUP_MAX, DuplicateStore, Group

PAGE_GROUPS: Final = 20
PAGE_MAX: Final = 100
_NUMBER_MAX: Final = 2**53


def build_duplicate_views(services: Services, duplicates: DuplicateStore) -> list[tuple[str, View]]:
    """The routes below /-/api/duplicates."""

    @api
    async def groups(request: Request) -> Response:
        require_method(request, "GET")
        page = await services.read(
            duplicates.list_groups,
            "near" if find_word(request, "kind", "same", "near") == "near" else "same",
            before=find_number(request, "after", 0, _NUMBER_MAX),
            limit=read_number(request, "limit", PAGE_GROUPS, 1, PAGE_MAX),
            is_reviewed=actor_of(request) is None,
        )
        found = [_to_object(each) for each in page.groups]
        return answer({"groups": found, "next": page.next, "pending": page.pending})

    @api
    async def dismiss(request: Request) -> Response:
        require_method(request, "POST")
        require(request, "review")
        ids = _read_ids(await read_json(request))
        return answer({"dismissed": await services.write(duplicates.dismiss, ids)})

    return [(r"^/-/api/duplicates$", groups), (r"^/-/api/duplicates/dismiss$", dismiss)]


def _to_object(group: Group) -> dict[str, Any]:
    items = [media_object(each) for each in group.items]
    return {"kind": group.kind, "items": items, "keep": group.keep}


def _read_ids(body: dict[str, Any]) -> list[str]:
    check_names(body, ("mediaIds",))
    ids = body.get("mediaIds")
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise RequestError("`mediaIds` takes a list of the ids of pictures.")
    if not 2 <= len(ids) <= GROUP_MAX:
        raise RequestError(f"Name 2 to {GROUP_MAX} pictures that are no duplicates of each other.")
    return ids
