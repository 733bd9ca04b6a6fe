"""Logging in by a one-time link, and out again."""

from __future__ import annotations

from typing import Final

from datasette import Request, Response

from datasette_hotfolder.answers import View, api, require_method
from datasette_hotfolder.gate import read_cookie
from datasette_hotfolder.plain import build_page
from datasette_hotfolder.services import Services
from hotfolder.accounts.store import SESSION_VALID_S

_KEPT_NOWHERE: Final = {"Cache-Control": "no-store"}


def build_login_views(services: Services) -> list[tuple[str, View]]:
    """The routes of sessions."""

    @api
    async def auth_token(request: Request) -> Response:
        require_method(request, "GET")
        if request.method == "HEAD":  # a preview of the link must not spend it
            return Response(b"", status=204)
        session = await services.write(services.accounts.spend_login_link, request.args.get("token") or "")
        if session is None:
            body = build_page(
                "This link has been used, or is too old.",
                "Each link works once. For a new one run `hotfolder login` on the machine of the library.",
            )
            return Response(body, status=403, content_type="text/html; charset=utf-8", headers=_KEPT_NOWHERE)
        response = Response(b"", status=303, headers={"Location": "/-/library", **_KEPT_NOWHERE})
        _set_cookie(response, request, services.cookie_name, session.session_id, int(SESSION_VALID_S))
        return response

    @api
    async def logout(request: Request) -> Response:
        require_method(request, "POST")
        secret = read_cookie(request.headers.get("cookie", ""), services.cookie_name)
        if secret:
            await services.write(services.accounts.end_session, secret)
        response = Response(b"", status=303, headers={"Location": "/-/library"})
        _set_cookie(response, request, services.cookie_name, "", 0)
        return response

    return [(r"^/-/auth-token$", auth_token), (r"^/-/logout$", logout)]


def _set_cookie(response: Response, request: Request, name: str, value: str, max_age_s: int) -> None:
    """Not for scripts, and not sent along by other sites' forms; over TLS by TLS alone."""
    secure = request.scheme == "https"
    response.set_cookie(
        name, value, max_age=max_age_s, path="/", secure=secure, httponly=True, samesite="lax"
    )
