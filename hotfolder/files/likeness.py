"""How alike two pictures look: 64 bits of each, of which few differ between like ones.

The difference hash (dHash) of N. Krawetz, "Kind of Like That", hackerfactor.com, 2013: of a grey picture of
9 x 8 pixels, whether each pixel is darker than its right neighbour. Size, compression, sharpness and
brightness hardly change it; a turn or a mirror does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from PIL import Image

from hotfolder.files.decoding import MAX_PIXELS, decode

NEAR_BITS: Final = 4
"""Pictures of which no more bits differ are taken for versions of one."""
BITS: Final = 64

_COLUMNS, _ROWS = 8, 8
_ENOUGH_PX = (64, 64)
_ALL: Final = (1 << BITS) - 1


def hash_likeness(image: Image.Image) -> int:
    """The difference hash of a picture as a signed number, which is what SQLite holds."""
    grey = image.convert("L").resize((_COLUMNS + 1, _ROWS), Image.Resampling.BOX)
    pixels = grey.tobytes()
    bits = 0
    for row in range(_ROWS):
        for place in range(row * (_COLUMNS + 1), (row + 1) * (_COLUMNS + 1) - 1):
            bits = bits << 1 | (pixels[place] < pixels[place + 1])
    return bits - (1 << BITS) if bits >> (BITS - 1) else bits


def read_likeness(path: Path) -> int:
    """The same of a file, such as a thumbnail; raises LibraryError for one that cannot be decoded."""
    return hash_likeness(decode(path, max_pixels=MAX_PIXELS, enough_px=_ENOUGH_PX).image)


def count_differing(one: int, other: int) -> int:
    """How many bits differ."""
    return ((one ^ other) & _ALL).bit_count()


def says_something(likeness: int) -> bool:
    """Whether a picture has any shapes: plain ones and plain gradients are alike without being versions."""
    return min(count_differing(likeness, 0), count_differing(likeness, _ALL)) > NEAR_BITS
