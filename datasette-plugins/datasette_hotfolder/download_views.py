"""Several pictures as one zip: ordered by one request, fetched once by another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.answers import RequestError, View, answer, api, read_json, require, require_method
from datasette_hotfolder.attachments import attachment_headers
from datasette_hotfolder.picture_zip import ZipOfPictures
from datasette_hotfolder.services import Services
from datasette_hotfolder.targets import read_targets
from hotfolder.accounts.scopes import Actor
from hotfolder.clock import new_token
from hotfolder.errors import NotFound

Send = Callable[[dict[str, Any]], Awaitable[None]]

PICTURES_MAX: Final = 2000
BYTES_MAX: Final = 8 * 1024**3
VALID_S: Final = 600.0
ORDERS_MAX: Final = 100
"""So many are kept; the oldest makes room."""


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants to fetch, and until when (on the clock of the orders)."""

    actor: str
    media_ids: tuple[str, ...]
    with_sidecars: bool
    until_s: float


class Orders:
    """Orders by their token; each is fetched once, by who gave it. One thread: the event loop's."""

    def __init__(self, clock: Callable[[], float], make_token: Callable[[], str]) -> None:
        self._clock = clock
        self._make_token = make_token
        self._open: dict[str, Order] = {}

    def put(self, actor: str, media_ids: Sequence[str], *, with_sidecars: bool) -> str:
        """Keep an order; gives its token."""
        now = self._clock()
        self._open = {token: each for token, each in self._open.items() if each.until_s > now}
        while len(self._open) >= ORDERS_MAX:
            self._open.pop(next(iter(self._open)))
        token = self._make_token()
        self._open[token] = Order(actor, tuple(media_ids), with_sidecars, now + VALID_S)
        return token

    def find(self, token: str, actor: str) -> Order:
        """The order; raises NotFound when there is none any more, or it is somebody else's."""
        found = self._open.get(token)
        if found is None or found.actor != actor or found.until_s <= self._clock():
            raise NotFound(
                "This download has been fetched, or is too old.",
                hint="Choose the pictures and ask for it again.",
            )
        return found

    def take(self, token: str, actor: str) -> Order:
        """The same, for the only time."""
        found = self.find(token, actor)
        del self._open[token]
        return found


def build_download_views(
    services: Services,
    clock: Callable[[], float] = time.monotonic,
    make_token: Callable[[], str] = new_token,
) -> list[tuple[str, View]]:
    """The routes of downloads."""
    orders = Orders(clock, make_token)

    @api
    async def order(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "look")
        body = await read_json(request)
        with_sidecars = body.pop("sidecars", False)
        if not isinstance(with_sidecars, bool):
            raise RequestError("`sidecars` takes true or false.")
        media_ids = await read_targets(services, body, actor)
        _check_number(len(media_ids))
        sizes = await services.read(_measure, services, media_ids, actor)
        _check_sizes(sizes)
        token = orders.put(actor.name, media_ids, with_sidecars=with_sidecars)
        return answer({"url": f"/-/download/{token}", "pictures": len(sizes), "bytes": sum(sizes)})

    @api
    async def fetch(request: Request, send: Send) -> Response | None:
        require_method(request, "GET")
        actor = require(request, "look")
        now = datetime.now(UTC)
        headers = attachment_headers(f"hotfolder-{now:%Y-%m-%d}.zip")
        if request.method == "HEAD":  # a look at it does not spend it
            orders.find(request.url_vars["token"], actor.name)
            return Response(b"", headers=headers, content_type="application/zip")
        wanted = orders.take(request.url_vars["token"], actor.name)
        made = ZipOfPictures(services, wanted.media_ids, actor, now, with_sidecars=wanted.with_sidecars)
        await _send(services, request, send, made, headers)
        return None

    return [(r"^/-/api/download$", order), (r"^/-/download/(?P<token>[^/]+)$", fetch)]


def _measure(services: Services, media_ids: Sequence[str], actor: Actor) -> list[int]:
    """The sizes of those that are there."""
    sizes = []
    for media_id in media_ids:
        try:
            sizes.append(services.get_picture(media_id, actor).file_size)
        except NotFound:
            continue
    return sizes


def _check_number(number: int) -> None:
    if number > PICTURES_MAX:
        raise RequestError(
            f"These are {number:,} pictures; at most {PICTURES_MAX:,} are fetched at once.",
            hint="Choose fewer, in several downloads.",
        )


def _check_sizes(sizes: Sequence[int]) -> None:
    if not sizes:
        raise RequestError("None of these pictures is there.", hint="Choose some pictures first.")
    if sum(sizes) > BYTES_MAX:
        raise RequestError(
            f"These pictures have {sum(sizes) / 1024**3:.1f} GiB; "
            f"at most {BYTES_MAX // 1024**3} GiB are fetched at once.",
            hint="Choose fewer, in several downloads.",
        )


async def _send(
    services: Services, request: Request, send: Send, made: ZipOfPictures, headers: dict[str, str]
) -> None:
    """Piece by piece, as fast as the client takes them; when it goes away nothing more is read."""
    encoded = [(name.lower().encode(), value.encode("latin1")) for name, value in headers.items()]
    encoded.append((b"content-type", b"application/zip"))
    gone = asyncio.ensure_future(_wait_until_gone(request))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": encoded})
        while not gone.done() and (piece := await services.read(made.read)):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if not gone.done():
            await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        await services.read(made.close)


async def _wait_until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
