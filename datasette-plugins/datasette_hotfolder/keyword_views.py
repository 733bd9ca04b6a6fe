"""Keywords over HTTP: what begins so, for those who type, and what an admin makes of the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.answers import (
    View,
    actor_of,
    answer,
    api,
    expect_nothing,
    read_json,
    read_number,
    require,
    require_method,
)
from datasette_hotfolder.bulk_views import check_names, read_text
from datasette_hotfolder.services import Services
from hotfolder.library.changes import CHUNK
from hotfolder.library.keywords import FOUND_MAX, Keyword, KeywordStore

FOUND_ITEMS: Final = 20
PREFIX_MAX: Final = 200
RENEWED_CHUNKS: Final = 10
"""So many chunks of texts are made anew before the answer; upkeep does the rest."""


def build_keyword_views(services: Services, keywords: KeywordStore) -> list[tuple[str, View]]:
    """The routes below /-/api/keywords."""

    @api
    async def search(request: Request) -> Response:
        require_method(request, "GET")
        limit = read_number(request, "limit", FOUND_ITEMS, 1, FOUND_MAX)
        prefix = (request.args.get("prefix") or "").strip()[:PREFIX_MAX]
        found = await services.read(keywords.search, prefix, limit, is_reviewed=actor_of(request) is None)
        return answer({"items": [_to_object(each) for each in found]})

    @api
    async def one_keyword(request: Request) -> Response:
        require_method(request, "POST", "DELETE")
        actor, keyword_id = require(request, "admin"), request.url_vars["keyword_id"]
        if request.method == "DELETE":
            await expect_nothing(request)
            await until_none(lambda: keywords.drop_some(keyword_id, CHUNK))
            await services.write(keywords.delete, keyword_id, actor.name)
            return answer({"deleted": keyword_id})
        new = _read_only(await read_json(request), "keyword")
        renamed = await services.write(keywords.rename, keyword_id, new, actor.name)
        await until_none(lambda: keywords.renew_texts(CHUNK), RENEWED_CHUNKS)
        return answer(_to_object(renamed))

    @api
    async def merge(request: Request) -> Response:
        require_method(request, "POST")
        actor, keyword_id = require(request, "admin"), request.url_vars["keyword_id"]
        into = _read_only(await read_json(request), "into")
        await services.read(keywords.get, keyword_id)
        await until_none(lambda: keywords.move_some(keyword_id, into, CHUNK))
        return answer(_to_object(await services.write(keywords.end_merge, keyword_id, into, actor.name)))

    async def until_none(change_some: Callable[[], int], chunks_max: int | None = None) -> None:
        """Change piece by piece, so that others get in between, until there is nothing left."""
        done = 0
        while await services.write(change_some) and (chunks_max is None or (done := done + 1) < chunks_max):
            pass

    return [
        (r"^/-/api/keywords$", search),
        (r"^/-/api/keywords/(?P<keyword_id>[^/]+)$", one_keyword),
        (r"^/-/api/keywords/(?P<keyword_id>[^/]+)/merge$", merge),
    ]


def _read_only(body: dict[str, Any], name: str) -> str:
    check_names(body, (name,))
    return read_text(body, name)


def _to_object(keyword: Keyword) -> dict[str, Any]:
    return {"keywordId": keyword.keyword_id, "keyword": keyword.keyword, "n": keyword.n}
