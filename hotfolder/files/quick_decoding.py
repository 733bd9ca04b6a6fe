"""Common PNG and WebP files become pixels in less time than Pillow takes, with the extra `fast` installed.

The pixels are those that Pillow makes of the same file. It opens the file first, and so decides what is
refused; what is seldom, odd or damaged in any way is not decoded here, and Pillow decodes it then.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from io import BufferedReader, BytesIO
from itertools import islice

from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngImageFile

from hotfolder.files import png_container
from hotfolder.files.png_container import Chunk

MOST_BYTES = 64 * 1024 * 1024
"""Larger files are not read into memory whole."""
MOST_PNG_PIXELS = 16 * 1024 * 1024
"""For larger ones Pillow takes less memory; for a WebP it always takes more."""

_HEAD_BYTES = 32
_PNG_HEADER = struct.Struct(">I4sIIBB3s")  # IHDR from its length on, without its checksum
_PNG_HEADER_END = 33
_PNG_BLANK_PIXEL = {2: bytes(1 + 3), 6: bytes(1 + 4)}  # of RGB and RGBA, behind the filter's byte
_PNG_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND"})
_PNG_OTHER_PIXELS = frozenset({b"tRNS", b"acTL", b"fcTL", b"fdAT"})  # a transparent colour, an animation
_MOST_PNG_CHUNKS = 20_000
_WEBP_FIRST_CHUNK = 12
_WEBP_FLAGS = 20  # of VP8X
_WEBP_ANIMATION, _WEBP_ALPHA = 0x02, 0x10
_WEBP_CANVAS = slice(24, 30)
_WEBP_STILL = re.compile(rb"(?:VP8X(?:ICCP)?(?:ALPH)?)?VP8 |(?:VP8X(?:ICCP)?)?VP8L")
_WEBP_MOST_CHUNKS = 4
_WEBP_CHUNK = struct.Struct("<4sI")


@dataclass(frozen=True, slots=True)
class QuickPicture:
    """Decoded pixels, and an image of Pillow's that knows what else the file says."""

    pixels: Image.Image
    described: ImageFile.ImageFile


def is_installed() -> bool:
    """Whether the extra `fast` is there."""
    return find_spec("imagecodecs") is not None


def read_candidate(stream: BufferedReader) -> BytesIO | None:
    """Read a file whole whose header is of a kind that is decoded here; the stream is left at its start."""
    head = stream.read(_HEAD_BYTES)
    size_bytes = stream.seek(0, 2)
    stream.seek(0)
    is_candidate = size_bytes <= MOST_BYTES and (_is_common_png(head) or _is_still_webp(head))
    if not is_candidate or not is_installed():
        return None
    data = stream.read(size_bytes)
    stream.seek(0)
    return BytesIO(data)


def decode_quickly(image: ImageFile.ImageFile, data: bytes) -> QuickPicture | None:
    """Decode the file that Pillow opened as `image`, or return None for one that is left to Pillow.

    May raise for bad bytes whatever Pillow and imagecodecs raise, and LibraryError. `image` stays as it was.
    """
    head = data[:_HEAD_BYTES]
    if image.mode not in ("RGB", "RGBA"):
        return None
    if _is_common_png(head):
        return _decode_png(image, data)
    return _decode_webp(image, data) if _is_still_webp(head) else None


def _is_common_png(head: bytes) -> bool:
    """8 bits a channel, RGB or RGBA, not interlaced."""
    if len(head) < _HEAD_BYTES or not head.startswith(png_container.SIGNATURE):
        return False
    header = _PNG_HEADER.unpack_from(head, len(png_container.SIGNATURE))
    length_bytes, kind, width, height, bits, colour, methods = header
    if width * height > MOST_PNG_PIXELS or colour not in _PNG_BLANK_PIXEL:
        return False
    return (length_bytes, kind, bits, methods) == (13, b"IHDR", 8, bytes(3))


def _decode_png(image: ImageFile.ImageFile, data: bytes) -> QuickPicture | None:
    chunks = list(islice(png_container.iter_chunks(data), _MOST_PNG_CHUNKS))
    kinds = [chunk.kind for chunk in chunks]
    first = kinds.index(b"IDAT")
    behind = first + kinds.count(b"IDAT")
    if kinds[-1] != b"IEND" or b"IDAT" in kinds[behind:] or not all(map(_leaves_pixels_alone, kinds)):
        return None
    view = memoryview(data)  # its decoder gets no metadata, which it would check, too
    body, end = view[chunks[first].start : chunks[behind - 1].end], view[chunks[-1].start : chunks[-1].end]
    array = import_module("imagecodecs").png_decode(b"".join((view[:_PNG_HEADER_END], body, end)))
    if array.shape != (image.height, image.width, len(image.mode)):
        return None
    described = _without_pixels(data, chunks[1:first], chunks[behind:])
    pixels = Image.frombuffer(image.mode, image.size, array, "raw", image.mode, 0, 1)
    return QuickPicture(pixels, described)


def _leaves_pixels_alone(kind: bytes) -> bool:
    is_critical = kind[:1].isupper()
    return kind in _PNG_CRITICAL if is_critical else kind not in _PNG_OTHER_PIXELS


def _without_pixels(data: bytes, before: Sequence[Chunk], behind: Sequence[Chunk]) -> PngImageFile:
    """The same file with one blank pixel: what else it says is read by Pillow, as from the file itself."""
    _length, _kind, _width, _height, bits, colour, methods = _PNG_HEADER.unpack_from(data, 8)
    header = struct.pack(">IIBB3s", 1, 1, bits, colour, methods)
    pixel = zlib.compress(_PNG_BLANK_PIXEL[colour])
    parts = [png_container.SIGNATURE, png_container.build_chunk(b"IHDR", header)]
    parts += [data[chunk.start : chunk.end] for chunk in before]
    parts.append(png_container.build_chunk(b"IDAT", pixel))
    parts += [data[chunk.start : chunk.end] for chunk in behind]
    described = PngImageFile(BytesIO(b"".join(parts)))
    described.load()
    return described


def _is_still_webp(head: bytes) -> bool:
    if len(head) < _HEAD_BYTES or not (head.startswith(b"RIFF") and head[8:12] == b"WEBP"):
        return False
    is_extended_still = head[12:16] == b"VP8X" and not head[_WEBP_FLAGS] & _WEBP_ANIMATION
    return is_extended_still or head[12:16] in (b"VP8 ", b"VP8L")


def _decode_webp(image: ImageFile.ImageFile, data: bytes) -> QuickPicture | None:
    frame = _still_frame(data)
    if frame is None:
        return None
    array = import_module("imagecodecs").webp_decode(frame, hasalpha=True)  # as Pillow has it decoded
    if array.shape != (image.height, image.width, 4):
        return None
    if image.mode == "RGBA":
        return QuickPicture(Image.frombuffer("RGBA", image.size, array, "raw", "RGBA", 0, 1), image)
    return QuickPicture(Image.frombytes("RGB", image.size, array, "raw", "RGBX", 0, 1), image)


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
