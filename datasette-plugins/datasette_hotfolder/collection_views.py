"""Collections over HTTP: manual ones with pictures in an order, and live ones, which are saved filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from datasette import Request, Response

from datasette_hotfolder.answers import (
    RequestError,
    View,
    actor_of,
    answer,
    api,
    expect_nothing,
    read_json,
    require,
    require_method,
)
from datasette_hotfolder.bulk_views import check_names, read_text, write_in_chunks
from datasette_hotfolder.services import Services
from datasette_hotfolder.targets import NAMES, read_targets
from hotfolder.library.collections import QUERY_MAX, Collection, CollectionStore, Membership

CheckQuery = Callable[[str], str]
"""The query string of a filter as it is kept; raises LibraryError for one that is none."""
CountLive = Callable[[Sequence[str], bool], Sequence[int | None]]
"""How many pictures fit each of some query strings, for visitors or not; None for one that fits no more."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What the views of collections work with."""

    services: Services
    collections: CollectionStore
    check_query: CheckQuery
    count_live: CountLive

    def list_all(self, is_visitor: bool) -> list[dict[str, Any]]:
        """Every collection as an object."""
        return self._describe(self.collections.list_collections(), is_visitor)

    def describe(self, collection_id: str) -> dict[str, Any]:
        """One as members see it."""
        return self._describe([self.collections.get(collection_id)], False)[0]

    def _describe(self, found: Sequence[Collection], is_visitor: bool) -> list[dict[str, Any]]:
        live = [each for each in found if each.query is not None]
        numbers = self.count_live([str(each.query) for each in live], is_visitor) if live else ()
        counts: dict[str, int | None] = {**self.collections.count_media(is_reviewed=is_visitor)}
        counts |= {each.collection_id: n for each, n in zip(live, numbers, strict=True)}
        return [_to_object(each, counts.get(each.collection_id, 0)) for each in found]


def build_collection_views(
    services: Services, collections: CollectionStore, check_query: CheckQuery, count_live: CountLive
) -> list[tuple[str, View]]:
    """The routes below /-/api/collections."""
    desk = Desk(services, collections, check_query, count_live)
    return [*_build_list_view(desk), *_build_one_view(desk), *_build_member_views(desk)]


def _build_list_view(desk: Desk) -> list[tuple[str, View]]:
    services = desk.services

    @api
    async def all_collections(request: Request) -> Response:
        require_method(request, "GET", "POST")
        if request.method != "POST":
            found = await services.read(desk.list_all, actor_of(request) is None)
            return answer({"items": found})
        actor, body = require(request, "rate"), await read_json(request)
        check_names(body, ("name", "query"))
        name, query = read_text(body, "name"), _find_query(body, desk.check_query)
        made = await services.write(desk.collections.make, name, query, actor.name)
        return answer(await services.read(desk.describe, made.collection_id), 201)

    return [(r"^/-/api/collections$", all_collections)]


def _build_one_view(desk: Desk) -> list[tuple[str, View]]:
    services = desk.services

    @api
    async def one_collection(request: Request) -> Response:
        require_method(request, "POST", "DELETE")
        actor, collection_id = require(request, "rate"), request.url_vars["collection_id"]
        if request.method == "DELETE":
            await expect_nothing(request)
            removed = await services.write(desk.collections.delete, collection_id, actor.name)
            return answer({"deleted": removed.collection_id})
        body = await read_json(request)
        check_names(body, ("name", "query"))
        if not body:
            raise RequestError("There is nothing to change.", hint='Send for example {"name": "Spring"}.')
        name = read_text(body, "name") if "name" in body else None
        query = _find_query(body, desk.check_query)
        await services.write(desk.collections.change, collection_id, name, query, actor.name)
        return answer(await services.read(desk.describe, collection_id))

    return [(r"^/-/api/collections/(?P<collection_id>[^/]+)$", one_collection)]


def _build_member_views(desk: Desk) -> list[tuple[str, View]]:
    services, collections = desk.services, desk.collections

    @api
    async def media(request: Request) -> Response:
        require_method(request, "POST")
        actor, collection_id = require(request, "rate"), request.url_vars["collection_id"]
        body = await read_json(request)
        check_names(body, NAMES | {"remove"})
        leaves = body.get("remove", False)
        if not isinstance(leaves, bool):
            raise RequestError("`remove` takes true or false.")
        await services.read(collections.get, collection_id)
        change = partial(collections.remove if leaves else collections.add, collection_id)
        outcome: Membership = "left" if leaves else "joined"

        def tell(changed: Sequence[str]) -> None:
            collections.announce(collection_id, outcome, len(changed), actor.name)

        written = await write_in_chunks(services, await read_targets(services, body, actor), change, tell)
        return written.answer({outcome: written.count})

    @api
    async def order(request: Request) -> Response:
        require_method(request, "POST")
        actor, collection_id = require(request, "rate"), request.url_vars["collection_id"]
        body = await read_json(request)
        check_names(body, ("mediaIds",))
        media_ids = await read_targets(services, body, actor)
        await services.write(collections.order, collection_id, media_ids, actor.name)
        return answer(await services.read(desk.describe, collection_id))

    address = r"^/-/api/collections/(?P<collection_id>[^/]+)"
    return [(f"{address}/media$", media), (f"{address}/order$", order)]


def _to_object(collection: Collection, count: int | None) -> dict[str, Any]:
    return {
        "collectionId": collection.collection_id,
        "name": collection.name,
        "kind": collection.kind,
        "query": collection.query,
        "n": count,
        "createdAt": collection.created_at,
    }


def _find_query(body: Mapping[str, Any], check_query: CheckQuery) -> str | None:
    if body.get("query") is None:
        return None
    query = read_text(body, "query")
    if len(query) > QUERY_MAX:
        raise RequestError(f"`query` takes at most {QUERY_MAX} characters.")
    return check_query(query)
