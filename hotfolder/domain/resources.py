"""What work needs of a machine and not every machine has, such as much video memory: tags."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

HIGH_VRAM: Final = "high-vram"


def resource_tags(tags: Iterable[str], lane_tags: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Those of an endpoint's tags that name a resource: `high-vram`, and whatever a lane is said to have."""
    known = {HIGH_VRAM}.union(*lane_tags.values())
    return tuple(sorted(known & set(tags)))


def find_lacking(tags: Iterable[str], lane: str, lane_tags: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """What work with these tags needs and the lane does not have; a lane of which nothing is said has all."""
    if lane not in lane_tags:
        return ()
    return tuple(each for each in resource_tags(tags, lane_tags) if each not in lane_tags[lane])
