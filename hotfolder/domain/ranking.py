"""Who goes first: the place of a piece of work in its lane as one number that never has to be rewritten."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from hotfolder.domain.instants import parse_instant

POINT_STRICT_MS: Final = 10**14
"""Three thousand years: with it no wait outweighs a point of priority."""

_EPOCH: Final = parse_instant("1970-01-01T00:00:00Z")
_MILLISECOND: Final = timedelta(milliseconds=1)


def point_ms(aging_s: float) -> int:
    """What a point of priority is worth in milliseconds of waiting; strict order where ageing is off."""
    return round(aging_s * 1000) if aging_s else POINT_STRICT_MS


def rank_of(since: str, priority: int, point: int) -> int:
    """Lowest goes first: when it got in line, in Unix milliseconds, less what its priority is worth.

    Since waiting makes the number no larger, what waits is overtaken for a limited time only.
    """
    return (parse_instant(since) - _EPOCH) // _MILLISECOND - priority * point
