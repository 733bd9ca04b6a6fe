"""Who somebody is, and what each scope allows (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from hotfolder.errors import ConfigError

Action = Literal["look", "rate", "review", "submit", "admin"]
ActorKind = Literal["session", "token"]

ALLOWED: Final[Mapping[str, frozenset[Action]]] = {
    "read": frozenset({"look"}),
    "rate": frozenset({"look", "rate"}),
    "review": frozenset({"look", "rate", "review"}),
    "submit": frozenset({"look", "submit"}),
    "admin": frozenset({"look", "rate", "review", "submit", "admin"}),
}
SCOPES: Final = tuple(ALLOWED)
NAME_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who has logged in (session) or shown a token; `id` tells which, and is no secret."""

    name: str
    scopes: frozenset[str]
    kind: ActorKind
    id: str

    def may(self, action: Action) -> bool:
        """Whether one of the scopes allows this; a scope that is not known here allows nothing."""
        return any(action in ALLOWED.get(scope, ()) for scope in self.scopes)


def check_name(text: str) -> str:
    """The name without blanks around it; raises ConfigError for one that cannot be shown on a line."""
    name = text.strip()
    if 1 <= len(name) <= NAME_MAX and name.isprintable():
        return name
    raise ConfigError(
        "This is no name that somebody can have.",
        hint=f"A name has 1 to {NAME_MAX} characters, all of them visible.",
    )


def check_scopes(scopes: Iterable[str]) -> frozenset[str]:
    """The scopes, each once; raises ConfigError for none at all and for one that does not exist."""
    found = frozenset(scopes)
    if found and found <= set(SCOPES):
        return found
    unknown = ", ".join(map(repr, sorted(found - set(SCOPES))))
    raise ConfigError(
        f"There is no scope {unknown}." if unknown else "Without a scope nothing is allowed.",
        hint=f"The scopes are {', '.join(SCOPES)}.",
    )
