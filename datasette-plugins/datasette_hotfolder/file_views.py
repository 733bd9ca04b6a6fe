"""Originals and thumbnails as files: kept by browsers, read in ranges, never taken for a page."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.answers import View, actor_of, api, require_method
from datasette_hotfolder.attachments import disposition
from datasette_hotfolder.byte_ranges import Range, Unsatisfiable, find_range
from datasette_hotfolder.compat import keeps_cache_headers
from datasette_hotfolder.services import Services
from datasette_hotfolder.thumbnails import ASK_AGAIN, FOR_GOOD, tag_of, version_of
from hotfolder.accounts.scopes import Actor
from hotfolder.errors import ContentMissing, LibraryError, NotFound
from hotfolder.files.storage import open_regular

Send = Callable[[dict[str, Any]], Awaitable[None]]

CHUNK_BYTES: Final = 256 * 1024
_SAFE_TYPES: Final = frozenset(
    {"image/png", "image/jpeg", "image/webp", "image/tiff", "image/gif", "image/bmp", "image/heic"}
)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    content_type: str
    tag: str  # of the content: the ETag
    version: str  # as our pages' addresses name it
    name: str  # for people who save it


def build_file_views(services: Services) -> list[tuple[str, View]]:
    """The routes below /media/."""

    @keeps_cache_headers
    @api
    async def original(request: Request, send: Send) -> Response | None:
        file = await services.read(_find_original, services, request.url_vars["media_id"], actor_of(request))
        return await _serve(services, request, send, file)

    @keeps_cache_headers
    @api
    async def thumbnail(request: Request, send: Send) -> Response | None:
        file = await services.read(_find_thumbnail, services, request.url_vars["media_id"], actor_of(request))
        return await _serve(services, request, send, file)

    @keeps_cache_headers
    @api
    async def input_thumbnail(request: Request, send: Send) -> Response | None:
        generation_id, position = request.url_vars["generation_id"], int(request.url_vars["position"])
        file = await services.read(
            _find_input_thumbnail, services, generation_id, position, actor_of(request)
        )
        return await _serve(services, request, send, file)

    return [
        (r"^/media/(?P<media_id>[^/]+)/original$", original),
        (r"^/media/(?P<media_id>[^/]+)/thumbnail$", thumbnail),
        (r"^/media/inputs/(?P<generation_id>[^/]+)/(?P<position>[0-9]{1,3})$", input_thumbnail),
    ]


def _find_original(services: Services, media_id: str, actor: Actor | None) -> _File:
    media = services.get_picture(media_id, actor)
    path = services.paths.locate(media.file_path)
    content_type = media.mime_type if media.mime_type in _SAFE_TYPES else "application/octet-stream"
    name = media.original_name or media.file_name
    return _File(path, content_type, media.file_sha256, version_of(media.file_sha256), name)


def _find_thumbnail(services: Services, media_id: str, actor: Actor | None) -> _File:
    """For members also of what lies in the trash."""
    media = services.media.get(media_id) if actor else services.media.get_reviewed(media_id)
    path = services.paths.locate(media.thumb_path)
    return _to_thumbnail(path, media.file_sha256, f"{media_id}.jpg")


def _find_input_thumbnail(
    services: Services, generation_id: str, position: int, actor: Actor | None
) -> _File:
    """Visitors get none of a picture that awaits its review."""
    for each in services.generations.list_inputs(generation_id):
        if each.position == position:
            source = services.media.find(each.media_id) if actor is None and each.media_id else None
            if source is not None and source.review == "awaiting":
                break
            path = services.paths.locate(each.thumb_path)
            return _to_thumbnail(path, each.sha256, path.name)
    raise NotFound(f"Generation {generation_id} has no reference {position}.")


def _to_thumbnail(path: Path, sha256: str, name: str) -> _File:
    return _File(path, "image/jpeg", tag_of(sha256).strip('"'), version_of(sha256), name)


async def _serve(services: Services, request: Request, send: Send, file: _File) -> Response | None:
    require_method(request, "GET")
    headers = _headers(request, file)
    if _tags(request.headers.get("if-none-match", "")) & {headers["ETag"], "*"}:
        return Response(b"", status=304, headers=headers, content_type=file.content_type)
    stream = await services.read(_open, file)
    try:
        size_bytes = os.fstat(stream.fileno()).st_size
        try:
            part = (
                find_range(request.headers.get("range"), size_bytes)
                if _is_range_wanted(request, headers)
                else None
            )
        except Unsatisfiable:
            headers |= {"Content-Range": f"bytes */{size_bytes}", "Cache-Control": "no-store"}
            return Response(b"", status=416, headers=headers, content_type=file.content_type)
        headers["Content-Type"] = file.content_type
        await _send(services, request, send, stream, part or Range(0, size_bytes), headers, size_bytes, part)
    finally:
        await services.read(stream.close)
    return None


def _headers(request: Request, file: _File) -> dict[str, str]:
    return {
        "ETag": f'"{file.tag}"',
        "Cache-Control": FOR_GOOD if request.args.get("v") == file.version else ASK_AGAIN,
        "Accept-Ranges": "bytes",
        "Content-Disposition": disposition("inline", file.name),
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }


def _tags(header: str) -> set[str]:
    """The tags of If-None-Match, by weak comparison (RFC 9110, section 13.1.2)."""
    return {each.strip().removeprefix("W/") for each in header.split(",")}


def _is_range_wanted(request: Request, headers: dict[str, str]) -> bool:
    """A part of an older version must not be mixed with one of this (RFC 9110, sections 13.1.5 and 14.2)."""
    is_same = request.headers.get("if-range", headers["ETag"]) == headers["ETag"]
    return bool(is_same and request.method == "GET")


def _open(file: _File) -> BufferedReader:
    try:
        return open_regular(file.path)
    except (OSError, LibraryError) as error:
        raise ContentMissing(
            f"The file of this picture ({file.path.name}) is gone or cannot be read.",
            hint="Put it back from a backup; `hotfolder doctor` tells more.",
        ) from error


async def _send(
    services: Services,
    request: Request,
    send: Send,
    stream: BufferedReader,
    wanted: Range,
    headers: dict[str, str],
    size_bytes: int,
    part: Range | None,
) -> None:
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size_bytes}"
    headers["Content-Length"] = str(wanted.end - wanted.start)
    encoded = [(name.lower().encode(), value.encode("latin1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 206 if part else 200, "headers": encoded})
    left = 0 if request.method == "HEAD" else wanted.end - wanted.start
    await services.read(stream.seek, wanted.start)
    while left > 0:
        chunk = await services.read(stream.read, min(left, CHUNK_BYTES))
        if not chunk:
            break  # it shrank meanwhile: the connection tells, by the length that was promised
        left -= len(chunk)
        await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
    if request.method == "HEAD" or wanted.end == wanted.start:
        await send({"type": "http.response.body", "body": b""})
