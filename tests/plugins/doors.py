"""Every route of the web: who may look, and what a token needs to write; a new one has to be entered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Final, Literal

import httpx
from datasette_hotfolder import compat, register_routes

from hotfolder.accounts.scopes import ALLOWED, Action
from hotfolder.accounts.store import FILE, open_accounts
from hotfolder.app import create_library, open_library
from hotfolder.config import load_settings
from hotfolder.webserver import build_services
from tests.plugins.furniture import GENERATION, JOBS, NOWHERE, PLAIN
from tests.plugins.house import House

Reader = Literal["anybody", "visitor", "look", "admin", "nobody"]
"""`anybody` from anywhere, `visitor` from this machine, `look` and `admin` with a scope that allows it."""


@dataclass(frozen=True)
class Door:
    """One route: who reads there, and by which method which action is done there."""

    reader: Reader
    writes: Mapping[str, Action] = field(default_factory=dict)


_POST_RATE: Final[Mapping[str, Action]] = {"POST": "rate"}
_POST_REVIEW: Final[Mapping[str, Action]] = {"POST": "review"}
_POST_SUBMIT: Final[Mapping[str, Action]] = {"POST": "submit"}
_POST_ADMIN: Final[Mapping[str, Action]] = {"POST": "admin"}

DOORS: Final[Mapping[str, Door]] = {
    "/": Door("visitor"),
    "/-/library": Door("visitor"),
    "/-/generate": Door("look"),
    "/-/queue": Door("visitor"),
    "/-/stats": Door("visitor"),
    "/-/lineage/{media_id}": Door("visitor"),
    "/-/setup": Door("look"),
    "/-/auth-token": Door("anybody"),
    "/-/healthz": Door("anybody"),
    "/-/logout": Door("nobody", {"POST": "look"}),
    "/-/metrics": Door("visitor"),
    "/-/download/{token}": Door("look"),
    "/media/{media_id}/original": Door("visitor"),
    "/media/{media_id}/thumbnail": Door("visitor"),
    "/media/{media_id}/sidecar": Door("visitor"),
    "/media/{media_id}/xmp": Door("visitor"),
    "/media/inputs/{generation_id}/{position}": Door("visitor"),
    "/-/api/media": Door("visitor"),
    "/-/api/count": Door("visitor"),
    "/-/api/media/bulk": Door("nobody", _POST_RATE),
    "/-/api/media/{media_id}": Door("visitor", {"POST": "rate", "DELETE": "review"}),
    "/-/api/changes/{change_id}/undo": Door("nobody", _POST_RATE),
    "/-/api/timeline": Door("visitor"),
    "/-/api/facets": Door("visitor"),
    "/-/api/lineage/{media_id}": Door("visitor"),
    "/-/api/collections": Door("visitor", _POST_RATE),
    "/-/api/collections/{collection_id}": Door("nobody", {"POST": "rate", "DELETE": "rate"}),
    "/-/api/collections/{collection_id}/media": Door("nobody", _POST_RATE),
    "/-/api/collections/{collection_id}/order": Door("nobody", _POST_RATE),
    "/-/api/keywords": Door("visitor"),
    "/-/api/keywords/{keyword_id}": Door("nobody", {"POST": "admin", "DELETE": "admin"}),
    "/-/api/keywords/{keyword_id}/merge": Door("nobody", _POST_ADMIN),
    "/-/api/trash": Door("nobody", _POST_REVIEW),
    "/-/api/trash/restore": Door("nobody", _POST_REVIEW),
    "/-/api/trash/purge": Door("nobody", _POST_ADMIN),
    "/-/api/duplicates": Door("visitor"),
    "/-/api/duplicates/dismiss": Door("nobody", _POST_REVIEW),
    "/-/api/stats": Door("visitor"),
    "/-/api/import-folders": Door("admin", {"POST": "admin", "DELETE": "admin"}),
    "/-/api/upload": Door("nobody", _POST_SUBMIT),
    "/-/api/download": Door("nobody", {"POST": "look"}),
    "/-/api/endpoints": Door("visitor"),
    "/-/api/endpoints/{endpoint_key}": Door("visitor"),
    "/-/api/presets": Door("look"),
    "/-/api/jobs": Door("visitor", _POST_SUBMIT),
    "/-/api/jobs/check": Door("nobody", _POST_SUBMIT),
    "/-/api/jobs/{job_id}": Door("visitor"),
    "/-/api/jobs/{job_id}/file": Door("look"),
    "/-/api/jobs/{job_id}/{verb}": Door("nobody", _POST_SUBMIT),
    "/-/api/jobs/{job_id}/priority": Door("nobody", _POST_SUBMIT),
    "/-/api/queue": Door("visitor"),
    "/-/api/queue/{work_id}/requeue": Door("nobody", _POST_ADMIN),
    "/-/api/lanes/{lane}/{verb}": Door("nobody", _POST_ADMIN),
    "/-/api/events": Door("visitor"),
    "/-/api/status": Door("visitor"),
    "/-/api/setup": Door("look"),
    "/-/api/review": Door("look", _POST_REVIEW),
    "/-/api/review/{media_id}": Door("look", _POST_REVIEW),
    "/-/api/engine/load": Door("nobody", _POST_ADMIN),
    "/-/api/engine/unload": Door("nobody", _POST_ADMIN),
    "/-/api/log": Door("admin"),
    "/-/api/preferences": Door("look", {"POST": "look"}),
    "/v1/images/generations": Door("nobody", _POST_SUBMIT),
    "/v1/images/generations/{job_id}": Door("look", {"DELETE": "submit"}),
}
SPECIAL: Final = {"/-/login", "/(?:-/api|v1)/.*"}
"""A form for those who have nothing yet, and all addresses that there are not."""

THERE: Final[Mapping[str, str]] = {
    "media_id": PLAIN,
    "generation_id": GENERATION,
    "position": "0",
    "endpoint_key": "local.procedural.image",
    "job_id": JOBS["anna", "failed"],
}
"""What an address names; everything else, and everything that is written to, is nowhere."""
_VERBS: Final = {"/-/api/jobs/{job_id}/{verb}": "cancel", "/-/api/lanes/{lane}/{verb}": "pause"}
_PARAMETER: Final = re.compile(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)")


def address(route: str, names: Mapping[str, str] = THERE) -> str:
    """A route's address with these names in it."""
    given = dict(names) | {"verb": _VERBS.get(route, "")}
    return re.sub(r"\{(\w+)\}", lambda found: given.get(found[1], NOWHERE), route)


def nowhere(route: str) -> str:
    """A route's address that names nothing that there is."""
    return address(route, {"position": "0"})


def writing() -> Iterator[tuple[str, str, Action]]:
    """Every route, method and action that changes something."""
    for route, door in DOORS.items():
        for method, action in door.writes.items():
            yield route, method, action


def scopes_without(action: Action) -> list[str]:
    """The scopes that do not allow this."""
    return [scope for scope, allowed in ALLOWED.items() if action not in allowed]


def registered(folder: Path) -> list[str]:
    """The routes that the plugin has, as they are named here."""
    root = folder / "library"
    create_library(root)
    library, accounts = open_library(root, load_settings(root, {})), open_accounts(root / FILE)
    services = build_services(library, accounts)
    try:
        datasette = SimpleNamespace()
        compat.attach(datasette, services)  # type: ignore[arg-type] - of which it needs no more
        return [_named(pattern) for pattern, _ in register_routes(datasette)]
    finally:
        services.threads.stop()
        accounts.close()
        library.close()


def _named(pattern: str) -> str:
    return _PARAMETER.sub(r"{\1}", pattern).removeprefix("^").removesuffix("$")


def raw(house: House, path: str) -> httpx.URL:
    """An address as it stands, which no client has put in order."""
    return httpx.URL(house.url).copy_with(raw_path=path.encode("latin1"))
