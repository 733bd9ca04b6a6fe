"""Logging in by a one-time link or by a password, and out again."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Final
from urllib.parse import parse_qs

import jinja2
from datasette import Request, Response

from datasette_hotfolder.answers import (
    BODY_LIMIT_S,
    RequestError,
    View,
    api,
    read_body,
    require_method,
    retry_header,
    status_of,
)
from datasette_hotfolder.gate import read_cookie
from datasette_hotfolder.login_rate import LoginRate
from datasette_hotfolder.plain import POLICY, STATIC, build_page
from datasette_hotfolder.services import Services
from hotfolder.accounts.sessions import SESSION_VALID_S, Session
from hotfolder.errors import ConfigError, HotfolderError

log = logging.getLogger(__name__)

FORM_MAX_BYTES: Final = 16 * 1024
_FORM: Final = "application/x-www-form-urlencoded"
_FIELDS: Final = ("name", "password")
_KEPT_NOWHERE: Final = {"Cache-Control": "no-store"}
_FORM_POLICY: Final = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_WRONG: Final = "This name and this password do not go together."


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
            headers = {"Content-Security-Policy": POLICY, **_KEPT_NOWHERE}
            return Response(body, status=403, content_type="text/html; charset=utf-8", headers=headers)
        return _welcome(request, services.cookie_name, session)

    @api
    async def logout(request: Request) -> Response:
        require_method(request, "POST")
        secret = read_cookie(request.headers.get("cookie", ""), services.cookie_name)
        if secret:
            await services.write(services.accounts.end_session, secret)
        response = Response(b"", status=303, headers={"Location": "/-/library"})
        _set_cookie(response, request, services.cookie_name, "", 0)
        return response

    desk = LoginDesk(services, LoginRate(time.monotonic))

    async def login(request: Request) -> Response:  # 1.0 takes functions alone
        return await desk.login(request)

    return [(r"^/-/auth-token$", auth_token), (r"^/-/login$", login), (r"^/-/logout$", logout)]


class LoginDesk:
    """The page of names and passwords."""

    def __init__(self, services: Services, rate: LoginRate) -> None:
        self._services = services
        self._rate = rate
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("datasette_hotfolder"), autoescape=True
        )

    async def login(self, request: Request) -> Response:
        """The form, or what comes of it: a session, or what was wrong; one of the four borders."""
        name = ""
        try:
            require_method(request, "GET", "POST")
            self._services.accounts.passwords.require_extra()
            if request.method != "POST":
                return self._show(200)
            name, password = await _read_form(request)
            return await self._check(request, name, password)
        except HotfolderError as error:
            status = 501 if isinstance(error, ConfigError) else status_of(error)
            return self._show(status, name, error.message, error.hint, retry_header(error))
        except Exception:  # the page says that it failed, the log says why, without what was typed
            log.exception("a login failed unexpectedly")
            return self._show(500, name, "The server failed.", "The log of the web says why.")

    async def _check(self, request: Request, name: str, password: str) -> Response:
        peer = (request.scope.get("client") or (None,))[0]
        wait_s = self._rate.begin(name, peer)
        if wait_s:
            headers = {"Retry-After": str(wait_s)}
            return self._show(429, name, "There were too many tries.", f"Wait for {wait_s} s.", headers)
        session = await self._services.examine(self._services.accounts.passwords.log_in, name, password)
        if session is None:
            log.warning("a login by password failed, from %s", peer)
            return self._show(403, name, _WRONG)
        self._rate.succeed(name, peer)
        return _welcome(request, self._services.cookie_name, session)

    def _show(
        self,
        status: int,
        name: str = "",
        message: str = "",
        hint: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        page = self._templates.get_template("hotfolder_login.html")
        body = page.render(static=STATIC, name=name, message=message, hint=hint, available=status != 501)
        return Response(
            body.encode("utf-8", "replace"),
            status=status,
            headers={"Content-Security-Policy": _FORM_POLICY, **_KEPT_NOWHERE, **(headers or {})},
            content_type="text/html; charset=utf-8",
        )


async def _read_form(request: Request) -> tuple[str, str]:
    """Name and password; raises RequestError, which tells nothing of what was sent."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise RequestError("This is not the form of this page.")
    try:
        data = await asyncio.wait_for(read_body(request, FORM_MAX_BYTES), BODY_LIMIT_S)
        found = parse_qs(data.decode(), keep_blank_values=True, errors="strict", max_num_fields=8)
    except TimeoutError as error:
        raise RequestError("The form did not come in time.", code="web.body_late") from error
    except ValueError as error:
        raise RequestError("This is not the form of this page.") from error
    name, password = (found[each][0] if len(found.get(each, ())) == 1 else "" for each in _FIELDS)
    if not name.strip() or not password:
        raise RequestError("A name and a password are needed.")
    return name.strip(), password


def _welcome(request: Request, cookie_name: str, session: Session) -> Response:
    """To the library, and never to an address that came with the request."""
    response = Response(b"", status=303, headers={"Location": "/-/library", **_KEPT_NOWHERE})
    _set_cookie(response, request, cookie_name, session.session_id, int(SESSION_VALID_S))
    return response


def _set_cookie(response: Response, request: Request, name: str, value: str, max_age_s: int) -> None:
    """Not for scripts, and not sent along by other sites' forms; over TLS by TLS alone."""
    secure = request.scheme == "https"
    response.set_cookie(
        name, value, max_age=max_age_s, path="/", secure=secure, httponly=True, samesite="lax"
    )
