"""Thumbnails, of which a page asks for hundreds: served right behind the gate, mostly without a thread."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from io import BufferedReader
from typing import Final, NamedTuple
from urllib.parse import parse_qs

from datasette_hotfolder.access import Request
from datasette_hotfolder.attachments import disposition
from datasette_hotfolder.services import Services
from hotfolder.accounts.scopes import Actor
from hotfolder.errors import HotfolderError
from hotfolder.files.storage import open_regular

FOR_GOOD: Final = "private, max-age=31536000, immutable"
ASK_AGAIN: Final = "private, no-cache"
LARGEST_BYTES: Final = 2 * 1024 * 1024
"""A larger file is none of our making: it takes the way of originals."""
_PATH: Final = re.compile(r"/media/([0-9a-zA-Z-]{1,64})/thumbnail")


Read = Callable[[BufferedReader], bytes]


class Answer(NamedTuple):
    """Status, headers and body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def version_of(sha256: str) -> str:
    """What stands in the address of a file: it changes with the content, so browsers may keep it for good."""
    return sha256[:12]


def tag_of(sha256: str) -> str:
    """The ETag of the thumbnail of a picture with this content."""
    return f'"{sha256[:32]}-thumbnail"'


class Thumbnails:
    """Answers what it can; None leaves a request to the other views, which tell what is wrong."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def find(self, request: Request, query: str, actor: Actor | None) -> Answer | None:
        """The answer to a plain GET of a thumbnail that is there and may be seen."""
        match = _PATH.fullmatch(request.path)
        if match is None or request.method != "GET" or "range" in request.headers:
            return None
        version = parse_qs(query).get("v", [""])[0]
        asked = (match[1], actor, version, request.headers.get("if-none-match"))
        try:
            return self._read(*asked, read=read_known)
        except BlockingIOError:
            return await self._services.read(self._read, *asked, read=read_all)

    def _read(
        self, media_id: str, actor: Actor | None, version: str, known: str | None, *, read: Read
    ) -> Answer | None:
        """The row is looked up by an index and waits for no writer."""
        found = self._services.media.find_thumbnail(media_id, is_member=actor is not None)
        if found is None:
            return None
        path, sha256 = found
        tag = tag_of(sha256)
        headers = _headers(tag, media_id, is_latest=version == version_of(sha256))
        if known is not None:
            return Answer(304, headers, b"") if known == tag else None
        try:
            with open_regular(self._services.paths.locate(path)) as stream:
                body = read(stream)
        except BlockingIOError:
            raise
        except (OSError, HotfolderError):
            return None
        return Answer(200, [*headers, _length(body)], body) if len(body) <= LARGEST_BYTES else None


def read_all(stream: BufferedReader) -> bytes:
    """The file, from wherever it lies."""
    return stream.read(LARGEST_BYTES + 1)


def read_known(stream: BufferedReader) -> bytes:
    """The file, if the system has it in memory; else BlockingIOError, and whoever asks goes to a thread.

    So a page full of thumbnails needs no threads, whose changes take longer than the reading.
    """
    if not hasattr(os, "RWF_NOWAIT"):
        raise BlockingIOError
    body = bytearray(min(os.fstat(stream.fileno()).st_size, LARGEST_BYTES + 1))
    try:
        count = os.preadv(stream.fileno(), [body], 0, os.RWF_NOWAIT)
    except OSError as error:  # also from file systems that do not know how
        raise BlockingIOError from error
    if count < len(body):
        raise BlockingIOError
    return bytes(body)


def _headers(tag: str, media_id: str, *, is_latest: bool) -> list[tuple[bytes, bytes]]:
    given = {
        "content-type": "image/jpeg",
        "etag": tag,
        "cache-control": FOR_GOOD if is_latest else ASK_AGAIN,
        "accept-ranges": "bytes",
        "content-disposition": disposition("inline", f"{media_id}.jpg"),
        "content-security-policy": "default-src 'none'; sandbox",
    }
    return [(name.encode(), value.encode()) for name, value in given.items()]


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(body)).encode()
