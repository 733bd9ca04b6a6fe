"""Still WebP files become pixels in less time than Pillow takes, with the extra `fast` installed.

The pixels are those that Pillow makes of the same file. It opens the file first, and so decides what is
refused; what is seldom, odd or damaged in any way is not decoded here, and Pillow decodes it then.
"""

from __future__ import annotations

import re
import struct
from importlib import import_module
from importlib.util import find_spec
from io import BufferedReader, BytesIO

from PIL import Image, ImageFile

MOST_BYTES = 64 * 1024 * 1024
"""Larger files are not read into memory whole."""

_HEAD_BYTES = 32
_WEBP_FIRST_CHUNK = 12
_WEBP_FLAGS = 20  # of VP8X
_WEBP_ANIMATION, _WEBP_ALPHA = 0x02, 0x10
_WEBP_CANVAS = slice(24, 30)
_WEBP_STILL = re.compile(rb"(?:VP8X(?:ICCP)?(?:ALPH)?)?VP8 |(?:VP8X(?:ICCP)?)?VP8L")
_WEBP_MOST_CHUNKS = 4
_WEBP_CHUNK = struct.Struct("<4sI")


def is_installed() -> bool:
    """Whether the extra `fast` is there."""
    return find_spec("imagecodecs") is not None


def read_candidate(stream: BufferedReader) -> BytesIO | None:
    """Read a file whole whose header is of a kind that is decoded here; the stream is left at its start."""
    head = stream.read(_HEAD_BYTES)
    size_bytes = stream.seek(0, 2)
    stream.seek(0)
    is_candidate = size_bytes <= MOST_BYTES and _is_still_webp(head)
    if not is_candidate or not is_installed():
        return None
    data = stream.read(size_bytes)
    stream.seek(0)
    return BytesIO(data)


def decode_quickly(image: ImageFile.ImageFile, data: bytes) -> Image.Image | None:
    """Decode the file that Pillow opened as `image`, or return None for one that is left to Pillow.

    May raise for bad bytes whatever Pillow and imagecodecs raise, and LibraryError. `image` stays as it was.
    """
    head = data[:_HEAD_BYTES]
    if image.mode not in ("RGB", "RGBA"):
        return None
    return _decode_webp(image, data) if _is_still_webp(head) else None


def _is_still_webp(head: bytes) -> bool:
    if len(head) < _HEAD_BYTES or not (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return False
    is_extended_still = head[12:16] == b"VP8X" and not head[_WEBP_FLAGS] & _WEBP_ANIMATION
    return is_extended_still or head[12:16] in (b"VP8 ", b"VP8L")


def _decode_webp(image: ImageFile.ImageFile, data: bytes) -> Image.Image | None:
    frame = _still_frame(data)
    if frame is None:
        return None
    array = import_module("imagecodecs").webp_decode(frame, hasalpha=True)  # as Pillow has it decoded
    if array.shape != (image.height, image.width, 4):
        return None
    if image.mode == "RGBA":
        return Image.frombuffer("RGBA", image.size, array, "raw", "RGBA", 0, 1)
    return Image.frombytes("RGB", image.size, array, "raw", "RGBX", 0, 1)


def _still_frame(data: bytes) -> bytes | None:
    """The picture alone, as a file: a damaged one must not go on with the data that stands behind it."""
    kinds, starts, end = b"", [0], _WEBP_FIRST_CHUNK
    while len(starts) <= _WEBP_MOST_CHUNKS and not kinds.endswith((b"VP8 ", b"VP8L")):
        kind, length_bytes = _WEBP_CHUNK.unpack_from(data, end)
        kinds += kind
        starts.append(end)
        end += _WEBP_CHUNK.size + length_bytes + length_bytes % 2
    if not _WEBP_STILL.fullmatch(kinds) or end > min(len(data), 8 + int.from_bytes(data[4:8], "little")):
        return None
    if b"ALPH" not in kinds:
        return _riff(data[starts[-1] : end])
    if not data[_WEBP_FLAGS] & _WEBP_ALPHA:
        return None  # it says to have none, and is decoded as if it had none
    header = bytes((_WEBP_ALPHA, 0, 0, 0)) + data[_WEBP_CANVAS]
    return _riff(_WEBP_CHUNK.pack(b"VP8X", len(header)) + header + data[starts[-2] : end])


def _riff(body: bytes) -> bytes:
    return _WEBP_CHUNK.pack(b"RIFF", 4 + len(body)) + b"WEBP" + body
