"""Who may ask for what, decided from the plain facts of a request (pure)."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from hotfolder.accounts.scopes import Actor
from hotfolder.events import Event

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_FORWARDING = re.compile(
    r"forwarded|via|x-(?:forwarded|original|envoy)-.+|x-forwarded|x-(?:real|client|cluster-client)-ip|true-client-ip|cf-.+"
)
VISITOR_TABLES = ("pictures", "picture_keywords", "base_models")
"""Datasette's tables that are open to visitors; every other address below /library is not."""
_HOST = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::[0-9]{1,5})?")
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS = _READS | {"POST", "DELETE"}
_LOGIN_PATH = "/-/login"
_OPEN_PATHS = re.compile(
    rf"/-/(?:assets/.*|auth-token|healthz|static/.*|static-plugins/.*)|/favicon\.ico|{_LOGIN_PATH}"
)
_OUR_PATHS = re.compile(
    r"/-/(?:library|generate|queue|stats|lineage/.*|setup|login|logout|api/.*|download/.*|auth-token|healthz|metrics)"
    r"|/media/.*|/v1/.*"
)
_LOOK_PATHS = re.compile(
    r"/|/-/(?:library|queue|stats|lineage/.*|metrics|api/.*)|/media/.*|/library(?:\.json)?|"
    rf"/library/(?:{'|'.join(VISITOR_TABLES)})(?:[/.].*)?"
)
_STATIC_MAX = 255
"""No file has a longer name; Datasette fails on one, where the disk says so."""
_ADMIN_TOPICS = ("credits.", "limits.owner_", "control.", "command.")
_MEMBER_PATHS = re.compile(r"/-/(?:api/setup|setup)")


@dataclass(frozen=True, slots=True)
class Rules:
    """The settings `web.host`, `web.private` and `web.allowed_hosts`."""

    host: str = "127.0.0.1"
    private: bool = False
    allowed_hosts: tuple[str, ...] = ()

    def allows_host(self, header: str) -> bool:
        """Whether a Host header names this server: else a page elsewhere may be speaking (DNS rebinding)."""
        name = host_name(header)
        return name is not None and name in self._names()

    def _names(self) -> frozenset[str]:
        return _find_names((self.host, *self.allowed_hosts))


@dataclass(frozen=True, slots=True)
class Request:
    """What is known of a request before anything is done; header names in lower case."""

    method: str
    path: str
    peer: str | None
    headers: Mapping[str, str]
    repeated: frozenset[str] = field(default_factory=frozenset)

    @property
    def writes(self) -> bool:
        """Whether it may change something."""
        return self.method not in _READS


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served: the HTTP status, a stable code, words, and what to do."""

    status: int
    code: str
    message: str
    hint: str | None = None


_NO_SOURCE = Refusal(
    403,
    "web.origin_refused",
    "A request that writes has to say which page it comes from (Origin).",
    "Programs use a token instead of a cookie: `hotfolder token create`.",
)


@functools.cache
def _find_names(given: tuple[str, ...]) -> frozenset[str]:
    """The settings do not change while the web runs, and every request asks."""
    return _LOOPBACK_NAMES | frozenset(filter(None, map(host_name, given)))


def check_source(request: Request, rules: Rules) -> Refusal | None:
    """Refuse what another site may have sent: Host on all requests, Origin on all that write."""
    if "host" in request.repeated or not rules.allows_host(request.headers.get("host", "")):
        return Refusal(
            421,
            "web.host_refused",
            "This server is not known by that name.",
            "Add the name to `web.allowed_hosts` in hotfolder.yaml, or use http://127.0.0.1.",
        )
    if request.path.startswith("/-/static") and len(request.path) > _STATIC_MAX:
        return Refusal(404, "library.not_found", "There is no such file.")
    if request.method not in _METHODS:
        return Refusal(405, "web.method_refused", f"{request.method[:20]} is not used here.")
    if request.writes and _comes_from_elsewhere(request):
        return Refusal(
            403,
            "web.origin_refused",
            "The request was sent by a page of another site.",
            "Open the library's own pages, or use a token (`hotfolder token create`).",
        )
    return None


def check_actor(request: Request, actor: Actor | None, rules: Rules) -> Refusal | None:
    """Refuse what this visitor may not ask for at all; single actions are checked where they are done."""
    if _OPEN_PATHS.fullmatch(request.path):
        return _check_login(request)
    if actor is None:
        return _check_anonymous(request, rules)
    if request.writes and not _OUR_PATHS.fullmatch(request.path):
        return Refusal(403, "web.write_refused", "Datasette's own writing routes are closed here.")
    if request.writes and actor.kind == "session" and not _names_its_source(request):
        return _NO_SOURCE
    return None


def _check_login(request: Request) -> Refusal | None:
    """Nobody is logged in, under whatever name, by a form on another site."""
    is_form = request.path == _LOGIN_PATH and request.writes
    return _NO_SOURCE if is_form and not _names_its_source(request) else None


def _check_anonymous(request: Request, rules: Rules) -> Refusal | None:
    hint = "Run `hotfolder login` on the machine of the library; it prints a link."
    if request.writes:
        return Refusal(401, "web.login_needed", "This needs a login or a token.", hint)
    is_near = is_loopback(request.peer) and not any(map(_FORWARDING.fullmatch, request.headers))
    if rules.private or not is_near:
        return Refusal(401, "web.login_needed", "This library is not open to visitors.", hint)
    if not _LOOK_PATHS.fullmatch(request.path) or _MEMBER_PATHS.fullmatch(request.path):
        return Refusal(401, "web.login_needed", "Visitors do not see this page.", hint)
    return None


def may_hear(actor: Actor | None, event: Event) -> bool:
    """Whether somebody is told of an event: of owners' credits and of what admins do, only admins are.

    Of their own credits, owners are, too.
    """
    if not event.topic.startswith(_ADMIN_TOPICS):
        return True
    if actor is None or actor.may("admin"):
        return actor is not None
    owner = event.data.get("owner", event.subject_id if event.subject_type == "owner" else None)
    return event.topic.startswith("credits.") and owner == actor.name


def pictures_of(event: Event) -> Iterator[str]:
    """The ids of all pictures and generations that an event tells of."""
    if event.subject_type in ("media", "generation"):
        yield event.subject_id
    if event.data.get("mediaId"):
        yield event.data["mediaId"]
    yield from event.data.get("mediaIds") or ()


def tell_visitor(event: Event, unseen: AbstractSet[str]) -> Event | None:
    """What a visitor hears of an event when these pictures are not for visitors; None: nothing at all."""
    if not any(each in unseen for each in pictures_of(event)):
        return event
    left = [each for each in event.data.get("mediaIds") or () if each not in unseen]
    return replace(event, data={**event.data, "count": len(left), "mediaIds": left}) if left else None


def _comes_from_elsewhere(request: Request) -> bool:
    """By Origin where there is one, and by what browsers say of the site (Fetch Metadata)."""
    origin = request.headers.get("origin")
    if origin is not None and origin.lower().partition("://")[2] != request.headers.get("host", "").lower():
        return True
    return request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def _names_its_source(request: Request) -> bool:
    return "origin" in request.headers or request.headers.get("sec-fetch-site") == "same-origin"


def host_name(header: str) -> str | None:
    """The name in a Host header or setting, in lower case without port and brackets; None if it is none."""
    text = header.strip(" ")
    found = _HOST.fullmatch(text) or re.fullmatch(r"([0-9A-Fa-f:]*:[0-9A-Fa-f:.]*)()", text)
    return (found[1] or found[2]).lower().removesuffix(".") if found else None


def is_loopback(peer: str | None) -> bool:
    """Whether the other end of the connection is this machine."""
    try:
        address = ipaddress.ip_address(peer or "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
