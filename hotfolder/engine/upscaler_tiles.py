"""A picture in tiles: where each one lies, and what it has to see beyond its edges (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

Box = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Tile:
    """`core` are the pixels that a tile answers for, `seen` those it looks at: left, top, right, bottom."""

    core: Box
    seen: Box

    def core_within(self, factor: int) -> Box:
        """Where the core lies in the enlarged `seen`."""
        left, top = self.core[0] - self.seen[0], self.core[1] - self.seen[1]
        right, bottom = self.core[2] - self.seen[0], self.core[3] - self.seen[1]
        return left * factor, top * factor, right * factor, bottom * factor


def cut_tiles(width: int, height: int, tile_px: int, halo_px: int) -> list[Tile]:
    """Tiles that cover each pixel once, row by row; none is larger than `tile_px`, all of about one size."""
    return [
        Tile(
            (left, top, right, bottom),
            (
                max(0, left - halo_px),
                max(0, top - halo_px),
                min(width, right + halo_px),
                min(height, bottom + halo_px),
            ),
        )
        for top, bottom in _spans(height, tile_px)
        for left, right in _spans(width, tile_px)
    ]


def _spans(length: int, most: int) -> Iterator[tuple[int, int]]:
    count = -(-length // most)
    edges = [length * number // count for number in range(count + 1)]
    return pairwise(edges)
