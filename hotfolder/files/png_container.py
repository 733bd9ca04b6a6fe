"""The PNG chunk list: finds and replaces the XMP packet and the text entries, and leaves the rest alone."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hotfolder.errors import LibraryError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_KEYWORD = "XML:com.adobe.xmp"
MAX_TEXT_BYTES = 8 * 1024 * 1024  # one inflated entry
MAX_TEXTS_BYTES = 64 * 1024 * 1024  # all inflated entries of one file, so that many small bombs end too

_HEADER = struct.Struct(">I4s")
_CRC = struct.Struct(">I")
_TEXT_KINDS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_KEYWORD = re.compile(r"[!-~\xa1-\xff](?:[ -~\xa1-\xff]{0,77}[!-~\xa1-\xff])?")
_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Chunk:
    """One chunk by its place in the file, header and checksum included."""

    kind: bytes
    start: int
    end: int

    def body(self, view: memoryview) -> memoryview:
        return view[self.start + 8 : self.end - 4]


def splice_png(data: bytes, *, xmp: bytes, texts: Mapping[str, str]) -> bytes:
    """Put the entries right before the first IDAT; what is not replaced stays as it is, in order."""
    ours = [_text_chunk(keyword, text) for keyword, text in texts.items()]
    ours.append(_international_chunk(XMP_KEYWORD, xmp))
    replaced = {keyword.encode("latin-1") for keyword in (*texts, XMP_KEYWORD)}
    view = memoryview(data)
    parts: list[bytes | memoryview] = [SIGNATURE]
    placed = False
    end = len(SIGNATURE)
    for chunk in _chunks(data):
        end = chunk.end
        if not placed and chunk.kind == b"IDAT":
            parts += ours
            placed = True
        if chunk.kind not in _TEXT_KINDS or _keyword(chunk.body(view)) not in replaced:
            parts.append(view[chunk.start : chunk.end])
    parts.append(view[end:])
    return b"".join(parts)


def read_png(data: bytes) -> tuple[bytes | None, dict[str, str]]:
    """Return the first XMP packet and the text entries (the last one of a keyword counts)."""
    xmp: bytes | None = None
    texts: dict[str, str] = {}
    view = memoryview(data)
    budget_bytes = MAX_TEXTS_BYTES
    for chunk in _chunks(data):
        if chunk.kind not in _TEXT_KINDS:
            continue
        entry, spent_bytes = _read_entry(
            chunk.kind, bytes(chunk.body(view)), min(budget_bytes, MAX_TEXT_BYTES)
        )
        budget_bytes -= spent_bytes
        if entry is None:
            continue
        keyword, value = entry
        if keyword != XMP_KEYWORD:
            texts[keyword] = value.decode("utf-8" if chunk.kind == b"iTXt" else "latin-1", "replace")
        elif chunk.kind == b"iTXt" and xmp is None:
            xmp = value
    return xmp, texts


def _chunks(data: bytes) -> Iterator[_Chunk]:
    """Walk from IHDR to IEND and insist on both, and on an IDAT between them."""
    position = len(SIGNATURE)
    seen_image = False
    while True:
        chunk = _chunk_at(data, position)
        if (chunk.kind == b"IHDR") != (position == len(SIGNATURE)):
            raise _corrupt("The PNG does not start with its one header chunk.")
        seen_image = seen_image or chunk.kind == b"IDAT"
        position = chunk.end
        if chunk.kind == b"IEND":
            break
        yield chunk
    if not seen_image:
        raise _corrupt("The PNG has no image data.")
    yield chunk


def _chunk_at(data: bytes, position: int) -> _Chunk:
    if position + 12 > len(data):
        raise _corrupt("The PNG ends before its last chunk.")
    length_bytes, kind = _HEADER.unpack_from(data, position)
    if not (kind.isascii() and kind.isalpha()):
        raise _corrupt(f"The PNG has a chunk at byte {position} that cannot be one.")
    end = position + 12 + length_bytes
    if end > len(data):
        raise _corrupt(f"The PNG ends within its chunk {kind.decode('ascii')} at byte {position}.")
    return _Chunk(kind, position, end)


def _keyword(body: memoryview) -> bytes:
    return bytes(body[:80]).partition(b"\0")[0]


def _text_chunk(keyword: str, text: str) -> bytes:
    if keyword == XMP_KEYWORD or "  " in keyword or not _KEYWORD.fullmatch(keyword):
        raise LibraryError(
            f"{keyword!r} cannot be the keyword of a PNG text entry.",
            code="library.bad_text_keyword",
            hint="Use 1 to 79 printable Latin-1 characters without spaces at the ends.",
        )
    try:
        value = text.encode("latin-1")
    except UnicodeEncodeError:
        value = b"\0"
    if b"\0" in value:
        return _international_chunk(keyword, _SURROGATES.sub("\ufffd", text).encode("utf-8"))
    return _build_chunk(b"tEXt", keyword.encode("latin-1") + b"\0" + value)


def _international_chunk(keyword: str, value: bytes) -> bytes:
    # The four zero bytes: not compressed, method 0, no language, no translated keyword.
    return _build_chunk(b"iTXt", keyword.encode("latin-1") + b"\0" + b"\0\0\0\0" + value)


def _build_chunk(kind: bytes, body: bytes) -> bytes:
    return b"".join((_HEADER.pack(len(body), kind), body, _CRC.pack(zlib.crc32(body, zlib.crc32(kind)))))


def _read_entry(kind: bytes, body: bytes, limit_bytes: int) -> tuple[tuple[str, bytes] | None, int]:
    """Return keyword and raw value, or None for an odd entry; and how many inflated bytes that took."""
    keyword, separator, rest = body.partition(b"\0")
    if not separator or not 1 <= len(keyword) <= 79:
        return None, 0
    name = keyword.decode("latin-1")
    if kind == b"tEXt":
        return (name, rest), 0
    flag, method, value = (b"\1", rest[:1], rest[1:]) if kind == b"zTXt" else _international_fields(rest)
    if flag == b"\0":
        return (name, value), 0
    if flag != b"\1" or method != b"\0" or limit_bytes <= 0:
        return None, 0
    inflated, spent_bytes = _inflate(value, limit_bytes)
    return None if inflated is None else (name, inflated), spent_bytes


def _international_fields(rest: bytes) -> tuple[bytes, bytes, bytes]:
    """Return compression flag, method and value of an iTXt body; the flag of an odd one is empty."""
    fields = rest[2:].split(b"\0", 2)  # language, translated keyword, value
    return (rest[:1], rest[1:2], fields[2]) if len(fields) == 3 else (b"", b"", b"")


def _inflate(stream: bytes, limit_bytes: int) -> tuple[bytes | None, int]:
    inflater = zlib.decompressobj()
    try:
        value = inflater.decompress(stream, limit_bytes + 1)
    except zlib.error:
        return None, limit_bytes  # nobody knows how far it came
    whole = inflater.eof and len(value) <= limit_bytes
    return value if whole else None, len(value)


def _corrupt(message: str) -> LibraryError:
    hint = "The file is damaged or was cut short; save, copy or download it again."
    return LibraryError(message, code="library.corrupt_image", hint=hint)
