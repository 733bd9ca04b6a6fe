"""The JPEG segment list: finds and replaces the XMP packet, and leaves the rest alone."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from hotfolder.errors import LibraryError

START_OF_IMAGE = b"\xff\xd8"
MAX_XMP_BYTES = 65502  # the limit that Adobe's specification names for one APP1 segment

_XMP_SIGNATURE = b"http://ns.adobe.com/xap/1.0/\0"
_EXTENSION_SIGNATURE = b"http://ns.adobe.com/xmp/extension/\0"
_EXIF_SIGNATURE = b"Exif\0"
_APP0, _APP1, _START_OF_SCAN, _END_OF_IMAGE = 0xE0, 0xE1, 0xDA, 0xD9
_STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_NOT_MARKERS = frozenset({0x00, 0xD8})
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # neither a stuffed byte, nor fill, nor a restart


@dataclass(frozen=True, slots=True)
class _Segment:
    """One segment by its place in the file, from its FF to the end of its payload."""

    marker: int
    start: int
    payload_start: int
    end: int


def splice_jpeg(data: bytes, *, xmp: bytes) -> bytes:
    """Put the packet into a segment behind JFIF and Exif, in place of an earlier packet and its extension."""
    if len(xmp) > MAX_XMP_BYTES:
        raise LibraryError(
            f"The XMP packet has {len(xmp)} bytes; a JPEG can hold {MAX_XMP_BYTES}.",
            code="library.xmp_too_large",
            hint="Leave this file without embedded metadata and keep it in the sidecar, or use PNG or WebP.",
        )
    segments = list(_segments(data))
    kept = [segment for segment in segments if not _is_xmp(data, segment)]
    place = 1 + max((index for index, segment in enumerate(kept) if _goes_first(data, segment)), default=-1)
    payload = _XMP_SIGNATURE + xmp
    ours = struct.pack(">BBH", 0xFF, _APP1, len(payload) + 2) + payload
    view = memoryview(data)
    parts: list[bytes | memoryview] = [view[segment.start : segment.end] for segment in kept]
    parts.insert(place, ours)
    scans_start = segments[-1].end if segments else len(START_OF_IMAGE)
    return b"".join((START_OF_IMAGE, *parts, view[scans_start:]))


def read_jpeg(data: bytes) -> bytes | None:
    """Return the main XMP packet; an extended one is not joined to it."""
    for segment in list(_segments(data)):  # a list, so that the scans are checked too
        if segment.marker == _APP1 and data.startswith(_XMP_SIGNATURE, segment.payload_start, segment.end):
            return data[segment.payload_start + len(_XMP_SIGNATURE) : segment.end]
    return None


def _segments(data: bytes) -> Iterator[_Segment]:
    """Yield the segments before the first scan, then insist that the scans reach an end-of-image marker."""
    position = len(START_OF_IMAGE)
    while True:
        segment = _segment_at(data, position)
        if segment.marker == _END_OF_IMAGE:
            raise _corrupt("The JPEG has no image data.")
        if segment.marker == _START_OF_SCAN:
            break
        yield segment
        position = segment.end
    _check_scans(data, segment)


def _segment_at(data: bytes, position: int) -> _Segment:
    marker_at = position
    while marker_at < len(data) and data[marker_at] == 0xFF:  # any number of FF may come first
        marker_at += 1
    if marker_at >= len(data):
        raise _corrupt("The JPEG ends before its image data.")
    marker = data[marker_at]
    after = marker_at + 1
    if marker_at == position or marker in _NOT_MARKERS:
        raise _corrupt(f"The JPEG has no segment at byte {position}, where one must start.")
    if marker in _STANDALONE or marker == _END_OF_IMAGE:
        return _Segment(marker, position, after, after)
    length_bytes = int.from_bytes(data[after : after + 2], "big")
    end = after + length_bytes
    if length_bytes < 2 or end > len(data):
        raise _corrupt(f"The JPEG has a segment at byte {position} that does not fit into the file.")
    return _Segment(marker, position, after + 2, end)


def _check_scans(data: bytes, scan: _Segment) -> None:
    segment = scan
    while segment.marker != _END_OF_IMAGE:
        position = segment.end
        if segment.marker == _START_OF_SCAN:
            found = _MARKER_IN_SCAN.search(data, position)
            if found is None:
                raise _corrupt("The JPEG ends within its image data.")
            position = found.start()
        segment = _segment_at(data, position)


def _is_xmp(data: bytes, segment: _Segment) -> bool:
    signatures = (_XMP_SIGNATURE, _EXTENSION_SIGNATURE)
    return segment.marker == _APP1 and data.startswith(signatures, segment.payload_start, segment.end)


def _goes_first(data: bytes, segment: _Segment) -> bool:
    if segment.marker == _APP0:
        return True
    return segment.marker == _APP1 and data.startswith(_EXIF_SIGNATURE, segment.payload_start, segment.end)


def _corrupt(message: str) -> LibraryError:
    hint = "The file is damaged or was cut short; save, copy or download it again."
    return LibraryError(message, code="library.corrupt_image", hint=hint)
