"""The WebP chunk list: finds and replaces the XMP packet, and leaves the rest alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from hotfolder.errors import LibraryError

_HEADER = struct.Struct("<4sI")
_FORM_BYTES = 12  # "RIFF", size, "WEBP"
_ICC, _ALPHA, _EXIF, _XMP = 0x20, 0x10, 0x08, 0x04  # flags of VP8X
_FLAG_OF_KIND = {b"ICCP": _ICC, b"ALPH": _ALPHA, b"EXIF": _EXIF}
_IMAGE_KINDS = frozenset({b"VP8 ", b"VP8L", b"ANMF"})
_FIRST_KINDS = frozenset({b"VP8 ", b"VP8L", b"VP8X"})
_VP8_START_CODE = b"\x9d\x01\x2a"
_VP8L_SIGNATURE = 0x2F


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One chunk by its place in the file; `payload_end` is before, `end` behind the padding."""

    kind: bytes
    start: int
    payload_end: int
    end: int

    def payload(self, view: memoryview) -> memoryview:
        return view[self.start + 8 : self.payload_end]


def splice_webp(data: bytes, *, xmp: bytes) -> bytes:
    """Put the packet behind all other chunks, making an extended file of a simple one."""
    chunks, riff_end = _chunks(data)
    view = memoryview(data)
    extended, rest = _extended_header(chunks, view)
    parts: list[bytes | memoryview] = [extended]
    for chunk in rest:
        if chunk.kind != b"XMP ":
            parts.append(view[chunk.start : chunk.end])
            if (chunk.end - chunk.start) % 2:
                parts.append(b"\0")  # the last chunk of a sloppy writer, no longer the last
    parts += [_HEADER.pack(b"XMP ", len(xmp)), xmp, b"\0" * (len(xmp) % 2)]
    riff_bytes = 4 + sum(len(part) for part in parts)
    return b"".join((_HEADER.pack(b"RIFF", riff_bytes), b"WEBP", *parts, view[riff_end:]))


def read_webp(data: bytes) -> bytes | None:
    """Return the first XMP packet."""
    chunks, _riff_end = _chunks(data)
    view = memoryview(data)
    return next((bytes(chunk.payload(view)) for chunk in chunks if chunk.kind == b"XMP "), None)


def _chunks(data: bytes) -> tuple[list[_Chunk], int]:
    if len(data) < _FORM_BYTES:
        raise _corrupt("The WebP file ends within its header.")
    riff_end = 8 + int.from_bytes(data[4:8], "little")
    if riff_end > len(data):
        raise _corrupt("The WebP file is shorter than its header says.")
    chunks: list[_Chunk] = []
    position = _FORM_BYTES
    while position < riff_end:
        chunks.append(_chunk_at(data, position, riff_end))
        position = chunks[-1].end
    if not chunks or chunks[0].kind not in _FIRST_KINDS:
        raise _corrupt("The WebP file does not start with an image chunk.")
    if not any(chunk.kind in _IMAGE_KINDS for chunk in chunks):
        raise _corrupt("The WebP file has no image data.")
    return chunks, riff_end


def _chunk_at(data: bytes, position: int, riff_end: int) -> _Chunk:
    if position + 8 > riff_end:
        raise _corrupt(f"The WebP file ends within the chunk at byte {position}.")
    kind, length_bytes = _HEADER.unpack_from(data, position)
    payload_end = position + 8 + length_bytes
    if payload_end > riff_end:
        raise _corrupt(f"The WebP file ends within the chunk at byte {position}.")
    return _Chunk(kind, position, payload_end, min(payload_end + length_bytes % 2, riff_end))


def _extended_header(chunks: list[_Chunk], view: memoryview) -> tuple[bytes, list[_Chunk]]:
    """Return the VP8X chunk with its XMP flag set, and the chunks that follow it."""
    first = chunks[0]
    if first.kind != b"VP8X":
        return _build_extended_header(chunks, view), chunks
    header = bytearray(view[first.start : first.end])
    if len(header) < 18:
        raise _corrupt("The extended header of the WebP file is too short.")
    header[8] |= _XMP
    return bytes(header), chunks[1:]


def _build_extended_header(chunks: list[_Chunk], view: memoryview) -> bytes:
    payload = bytes(chunks[0].payload(view)[:10])
    read = _read_vp8 if chunks[0].kind == b"VP8 " else _read_vp8l
    width_px, height_px, has_alpha = read(payload)
    flags = _XMP | (_ALPHA if has_alpha else 0)
    for chunk in chunks:
        flags |= _FLAG_OF_KIND.get(chunk.kind, 0)
    canvas = (width_px - 1).to_bytes(3, "little") + (height_px - 1).to_bytes(3, "little")
    return _HEADER.pack(b"VP8X", 10) + bytes((flags, 0, 0, 0)) + canvas


def _read_vp8(payload: bytes) -> tuple[int, int, bool]:
    """Width, height and alpha of a lossy key frame; the two top bits of each side are a scaling hint."""
    if len(payload) < 10 or payload[0] & 1 or payload[3:6] != _VP8_START_CODE:
        raise _corrupt("The lossy image in the WebP file has no key frame header.")
    width_px, height_px = (side & 0x3FFF for side in struct.unpack_from("<HH", payload, 6))
    if not width_px or not height_px:
        raise _corrupt("The lossy image in the WebP file has no size.")
    return width_px, height_px, False


def _read_vp8l(payload: bytes) -> tuple[int, int, bool]:
    """Width, height and alpha of a lossless image: 14 bits each side, minus one, then the alpha bit."""
    if len(payload) < 5 or payload[0] != _VP8L_SIGNATURE:
        raise _corrupt("The lossless image in the WebP file has no header.")
    bits = int.from_bytes(payload[1:5], "little")
    return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)


def _corrupt(message: str) -> LibraryError:
    hint = "The file is damaged or was cut short; save, copy or download it again."
    return LibraryError(message, code="library.corrupt_image", hint=hint)
