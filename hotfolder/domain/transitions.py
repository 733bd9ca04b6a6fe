"""The one check of every state machine: a change that its table does not have is an error."""

from __future__ import annotations

from collections.abc import Mapping


def check_transition(table: Mapping[str, frozenset[str]], before: str, after: str) -> None:
    """Raise ValueError when a state machine has no such change."""
    if after not in table[before]:
        raise ValueError(f"no change from {before!r} to {after!r}")
