"""Answers of the API: JSON, errors with their code and what to do, and bodies read with a limit."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.gate import ACTOR
from datasette_hotfolder.plain import build_error
from hotfolder.accounts.scopes import Action, Actor
from hotfolder.errors import ContentMissing, HotfolderError, JobFileError, LibraryBusy, NotFound, Problem

log = logging.getLogger(__name__)

BODY_MAX_BYTES: Final = 1024 * 1024
BODY_LIMIT_S: Final = 20.0
RETRY_AFTER_S: Final = 5
View = Callable[..., Awaitable[Response | None]]

_STATUS: Final = {
    "job.already_ended": 409,
    "queue.backlog_full": 503,
    "job.not_retryable": 409,
    "library.review_decided": 409,
    "library.not_in_review": 409,
    "library.duplicate_name": 409,
    "web.view_expired": 410,
    "job.not_dead": 409,
    "job.running": 409,
    "library.disk_full": 507,
    "web.login_needed": 401,
    "web.scope_missing": 403,
    "web.not_owner": 403,
    "job.duplicate_id": 409,
    "web.method_refused": 405,
    "web.body_too_large": 413,
    "web.body_late": 408,
}


class RequestError(HotfolderError):
    """A request that cannot be served as it stands."""

    default_code = "web.invalid_request"


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer that nobody keeps."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    kept = {"Cache-Control": "no-store", **(headers or {})}
    return Response(body, status=status, headers=kept, content_type="application/json; charset=utf-8")


def status_of(error: HotfolderError) -> int:
    """The HTTP status that says the same as an error's code."""
    if isinstance(error, NotFound | ContentMissing):
        return 404
    if isinstance(error, LibraryBusy):
        return 503
    return _STATUS.get(error.code, 400)


def error_answer(error: HotfolderError) -> Response:
    """An error as `{"error": {code, message, hint, problems?}}`."""
    body = build_error(error.code, error.message, error.hint)
    if isinstance(error, JobFileError):
        body["error"]["problems"] = [problem_object(each) for each in error.problems]
    return answer(body, status_of(error), retry_header(error))


def problem_object(problem: Problem) -> dict[str, Any]:
    """A problem of a job as the API tells it."""
    named = {"code": problem.code, "path": problem.path}
    return {**named, "message": problem.message, "hint": problem.hint}


def retry_header(error: HotfolderError) -> dict[str, str]:
    """When to come back, for what passes by itself."""
    if status_of(error) not in (503, 507):
        return {}
    return {"Retry-After": str(getattr(error, "retry_after_s", RETRY_AFTER_S))}


def api(view: View) -> View:
    """A view whose errors become answers: one of the four borders."""

    @functools.wraps(view)
    async def guarded(*args: Any, **kwargs: Any) -> Response | None:
        try:
            return await view(*args, **kwargs)
        except HotfolderError as error:
            return error_answer(error)
        except Exception:  # the page hears that it failed, the log hears why
            log.exception("a request failed unexpectedly")
            return answer(build_error("internal.unexpected", "The server failed."), 500)

    return guarded


def build_unknown_view() -> View:
    """The view of every address of the API that there is not: programs get JSON."""

    @api
    async def unknown(request: Request) -> Response:
        raise NotFound(f"There is nothing at {request.path[:200]}.", hint="docs/web.md lists the addresses.")

    return unknown


def actor_of(request: Request) -> Actor | None:
    """Who asks, as the gate found it."""
    actor: Actor | None = request.scope.get(ACTOR)
    return actor


def require(request: Request, action: Action) -> Actor:
    """The actor, if it may do this; raises RequestError that says what is needed."""
    actor = actor_of(request)
    if actor is None:
        hint = "Run `hotfolder login`; it prints a link."
        raise RequestError("This needs a login or a token.", code="web.login_needed", hint=hint)
    if not actor.may(action):
        raise RequestError(
            f"{actor.name} may not do this: it needs the scope `{action}`.",
            code="web.scope_missing",
            hint=f"Log in with it: hotfolder login --name {actor.name} --scope {action}.",
        )
    return actor


def require_method(request: Request, *methods: str) -> None:
    """Raise RequestError for any other method; HEAD goes with GET."""
    if request.method not in methods and not (request.method == "HEAD" and "GET" in methods):
        message = f"{request.method} is not used here, only {', '.join(methods)}."
        raise RequestError(message, code="web.method_refused")


async def read_json(request: Request) -> dict[str, Any]:
    """The JSON object in the body; an empty body is an empty object."""
    try:
        data = await asyncio.wait_for(read_body(request), BODY_LIMIT_S)
    except TimeoutError as error:
        raise RequestError("The body did not come in time.", code="web.body_late") from error
    if not data.strip():
        return {}
    if "json" not in request.headers.get("content-type", "").lower():
        raise RequestError("The body has to be JSON.", hint="Send Content-Type: application/json.")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise RequestError(f"The body is no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise RequestError("The body has to be a JSON object.")
    return value


async def expect_nothing(request: Request) -> None:
    """Raise RequestError when there is a body."""
    if await read_json(request):
        raise RequestError("This request takes no body.")


async def read_body(request: Request, most_bytes: int = BODY_MAX_BYTES) -> bytes:
    """At most so much, whatever the headers say."""
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] != "http.request":
            raise RequestError("The client went away.")
        body += message.get("body", b"")
        if len(body) > most_bytes:
            raise RequestError(f"The body is larger than {most_bytes} bytes.", code="web.body_too_large")
        if not message.get("more_body"):
            return bytes(body)


def read_number(request: Request, name: str, default: int, low: int, high: int) -> int:
    """A whole number of the query string, within its limits; raises RequestError for anything else."""
    number = find_number(request, name, low, high)
    return default if number is None else number


def find_number(request: Request, name: str, low: int, high: int) -> int | None:
    """The same, or None when it is not given."""
    text = request.args.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not low <= int(text) <= high:
        raise RequestError(f"`{name}` takes a whole number from {low} to {high}, not {text[:40]!r}.")
    return int(text)


def find_word(request: Request, name: str, *words: str) -> str | None:
    """One of some words of the query string, or None when it is not given."""
    text: str | None = request.args.get(name)
    if not text:
        return None
    if text not in words:
        raise RequestError(f"`{name}` takes {' or '.join(words)}, not {text[:40]!r}.")
    return text
