"""Which pictures a request means: some by their ids, or all of a view but a few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from datasette_hotfolder.answers import RequestError
from datasette_hotfolder.services import Services
from hotfolder.accounts.scopes import Actor

NAMES: Final = frozenset({"mediaIds", "view", "except"})
IDS_MAX: Final = 20_000
ID_MAX: Final = 100
_HINT: Final = 'Send {"mediaIds": [...]}, or {"view": "...", "except": [...]} with the view of a list.'


async def read_targets(services: Services, body: Mapping[str, Any], actor: Actor) -> list[str]:  # noqa: ARG001 - members see all
    """The ids of the pictures, each once; raises RequestError, and LibraryError `web.view_expired`."""
    token = body.get("view")
    if (token is None) == ("mediaIds" not in body):
        raise RequestError("The request does not say which pictures.", hint=_HINT)
    if token is None:
        return list(dict.fromkeys(_read_ids(body, "mediaIds")))
    left_out = set(_read_ids(body, "except"))
    ids = await services.read(_list_view, services, str(token))
    return [each for each in ids if each not in left_out]


def _list_view(services: Services, token: str) -> list[str]:
    return services.browser.list_ids(services.browser.find_view(token, is_reviewed=False))


def _read_ids(body: Mapping[str, Any], name: str) -> list[str]:
    ids = body.get(name, [])
    if not isinstance(ids, list) or not all(_is_id(each) for each in ids):
        raise RequestError(f"`{name}` takes a list of the ids of pictures.", hint=_HINT)
    if len(ids) > IDS_MAX:
        raise RequestError(f"`{name}` takes at most {IDS_MAX} ids.", hint="Name a view instead.")
    return ids


def _is_id(value: Any) -> bool:
    """JSON can hold half a character, which no database takes."""
    return isinstance(value, str) and len(value) <= ID_MAX and value.isprintable()
