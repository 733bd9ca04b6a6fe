"""The gate in front of every request, Datasette's own pages too: where from, who, and may they."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, MutableMapping
from typing import Any, Final

from datasette_hotfolder.access import Refusal, Request, check_actor, check_source
from datasette_hotfolder.assets import find_asset
from datasette_hotfolder.plain import POLICY, build_error, build_page
from datasette_hotfolder.services import Services
from datasette_hotfolder.thumbnails import Answer, Thumbnails
from hotfolder.accounts.scopes import Actor
from hotfolder.errors import LibraryBusy

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

ACTOR: Final = "hotfolder.actor"
"""Where the gate leaves the actor in the ASGI scope; None is a visitor."""
_BEARER: Final = "bearer "
_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class Gate:
    """ASGI middleware; what passes it carries its actor in the scope."""

    def __init__(self, application: Application, services: Services) -> None:
        self._application = application
        self._services = services
        self._thumbnails = Thumbnails(services)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or refuse in the form that the client expects."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        request = _to_request(scope)
        actor, refusal = await self._examine(request)
        if refusal is not None:
            await _refuse(refusal, request, _guarded(send), await self._offers_login(refusal, request))
            return
        asset = find_asset(request.method, request.path)
        if asset is not None:
            await _answer(Answer(200, *asset), _guarded(send))
            return
        thumbnail = await self._thumbnails.find(request, scope["query_string"].decode("latin1"), actor)
        if thumbnail is not None:
            await _answer(thumbnail, _guarded(send))
            return
        scope[ACTOR] = actor
        scope["headers"] = list(_without_strange_cookies(scope["headers"], self._services.cookie_name))
        await self._application(scope, receive, _guarded(send))

    async def _examine(self, request: Request) -> tuple[Actor | None, Refusal | None]:
        refusal = check_source(request, self._services.rules)
        if refusal is not None:
            return None, refusal
        authorization = request.headers.get("authorization")
        if authorization is not None:
            try:
                actor = await self._services.read(self._find_by_token, authorization)
            except LibraryBusy as error:
                return None, Refusal(503, error.code, error.message, error.hint)
            if actor is None:
                return None, Refusal(401, "web.token_refused", "This token is not, or no longer, valid.")
        else:
            actor = self._find_by_cookie(request)
        return actor, check_actor(request, actor, self._services.rules)

    async def _offers_login(self, refusal: Refusal, request: Request) -> bool:
        """Whether a person who is refused could log in by a password."""
        if refusal.status != 401 or not _is_person(request):
            return False
        try:
            return await self._services.read(self._services.accounts.passwords.has_any)
        except LibraryBusy:
            return False

    def _find_by_token(self, authorization: str) -> Actor | None:
        if not authorization.lower().startswith(_BEARER):
            return None
        return self._services.accounts.find_token(authorization[len(_BEARER) :].strip())

    def _find_by_cookie(self, request: Request) -> Actor | None:
        """On the event loop: an indexed read, which waits for no writer, is quicker than a thread."""
        secret = read_cookie(request.headers.get("cookie", ""), self._services.cookie_name)
        return self._services.accounts.find_session(secret) if secret else None


def read_cookie(header: str, name: str) -> str | None:
    """The value of a cookie in a Cookie header."""
    for part in header.split(";"):
        key, _, value = part.strip().partition("=")
        if key == name:
            return value
    return None


def _without_strange_cookies(
    headers: Iterable[tuple[bytes, bytes]], name: str
) -> Iterator[tuple[bytes, bytes]]:
    """Browsers send the cookies of all programs on this machine; 0.65 fails on those that are not UTF-8."""
    for key, value in headers:
        own = read_cookie(value.decode("latin1"), name) if key == b"cookie" else None
        if key != b"cookie":
            yield key, value
        elif own and own.isascii():
            yield key, f"{name}={own}".encode()


def _to_request(scope: Scope) -> Request:
    names = Counter(name for name, _ in scope["headers"])
    peer = scope.get("client")
    raw_path = scope.get("raw_path") or scope["path"].encode()
    return Request(
        method=scope["method"],
        path=raw_path.decode("latin1").partition("?")[0],  # as Datasette will match it
        peer=peer[0] if peer else None,
        headers={name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]},
        repeated=frozenset(name.decode("latin1").lower() for name, count in names.items() if count > 1),
    )


def _guarded(send: Send) -> Send:
    """Every answer says that it is not to be guessed at, framed, or told of to others."""

    async def with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*_missing(message.get("headers", [])), *message.get("headers", [])]
        await send(message)

    return with_headers


async def _answer(answer: Answer, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})


def _missing(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    present = {bytes(name).lower() for name, _ in headers}
    return [each for each in _HEADERS if each[0] not in present]


def _is_person(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "") and not request.writes


async def _refuse(refusal: Refusal, request: Request, send: Send, offers_login: bool) -> None:
    if _is_person(request):
        body = build_page(refusal.message, refusal.hint, offers_login=offers_login)
        content_type = b"text/html; charset=utf-8"
    elif request.path.startswith("/v1/"):
        body, content_type = json.dumps({"error": _image_api(refusal)}).encode(), b"application/json"
    else:
        body, content_type = (
            json.dumps(build_error(refusal.code, refusal.message, refusal.hint)).encode(),
            b"application/json",
        )
    headers = [(b"content-type", content_type), (b"content-length", str(len(body)).encode())]
    headers += [(b"cache-control", b"no-store"), (b"content-security-policy", POLICY.encode())]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})


def _image_api(refusal: Refusal) -> dict[str, str]:
    return {"message": refusal.message, "code": "UNAUTHORIZED" if refusal.status == 401 else "FORBIDDEN"}
