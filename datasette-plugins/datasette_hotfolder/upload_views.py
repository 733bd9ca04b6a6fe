"""Pictures that are sent over HTTP: received whole, looked at, then laid into the import folder."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.answers import RequestError, View, answer, api, require, require_method
from datasette_hotfolder.picture_names import safe_stem, split_name
from datasette_hotfolder.services import Services
from hotfolder.clock import NewId
from hotfolder.errors import DiskFull, LibraryBusy, LibraryError
from hotfolder.files.decoding import MAX_PIXELS, decode_open
from hotfolder.files.paths import ensure_folder
from hotfolder.files.storage import move_to_free_name, open_regular, remove_leftovers

if sys.platform != "win32":
    import fcntl

UPLOAD_MAX_BYTES: Final = 512 * 1024 * 1024
IDLE_LIMIT_S: Final = 30.0
FOLDER: Final = "upload"
"""Below work/: nobody watches it."""
_PIECE_BYTES: Final = 1024 * 1024
_LOOKS_AT_ONCE: Final = 2
"""So many uploads stand with the thread for slow things, of which other pages need some."""
_SMALL_PX: Final = (400, 400)
_DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


def build_upload_views(services: Services, make_id: NewId) -> list[tuple[str, View]]:
    """The route of uploads; what a crash left of earlier ones is removed."""
    folder = services.paths.work(FOLDER)
    remove_leftovers(folder)
    turn = asyncio.Semaphore(_LOOKS_AT_ONCE)

    @api
    async def upload(request: Request) -> Response:
        require_method(request, "POST")
        require(request, "submit")
        services.host.check_room(_read_length(request))
        received = await services.write(Upload, folder / f".{make_id()}.tmp")
        try:
            await _receive(services, request, received)
            async with turn:
                name = request.args.get("name") or ""
                place = await services.examine(received.give, name, services.paths.imports)
        finally:
            await services.read(received.close)  # also when too many wait to write
        services.host.nudge()
        return answer({"sha256": received.sha256, "name": place.name, "bytes": received.size_bytes}, 201)

    return [(r"^/-/api/upload$", upload)]


class Upload:
    """One picture on its way: a temporary file, locked so that nobody takes it for a leftover."""

    def __init__(self, file: Path) -> None:
        with _faults_told():
            ensure_folder(file.parent)
            self._stream = file.open("xb")
        if sys.platform != "win32":
            fcntl.flock(self._stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._file = file
        self._digest = hashlib.sha256()
        self.size_bytes = 0

    @property
    def sha256(self) -> str:
        """Of all that has come."""
        return self._digest.hexdigest()

    def add(self, piece: bytes) -> None:
        """What comes next; raises DiskFull."""
        with _faults_told():
            self._stream.write(piece)
        self._digest.update(piece)
        self.size_bytes += len(piece)

    def give(self, name: str, folder: Path) -> Path:
        """Move it into a folder under a safe name, if it is a picture; raises LibraryError otherwise."""
        stem, extension = split_name(re.split(r"[\\/]", name)[-1])
        stem = safe_stem(stem)
        with _faults_told():
            self._stream.flush()
            with open_regular(self._file) as stream:
                picture = decode_open(
                    stream, Path(stem + extension), max_pixels=MAX_PIXELS, enough_px=_SMALL_PX
                )
            os.fsync(self._stream.fileno())
            target = stem + (extension or picture.kind.extension)
            return move_to_free_name(self._file, folder, target, lambda path: False)  # noqa: ARG005

    def close(self) -> None:
        """Forget it, unless it was given."""
        self._file.unlink(missing_ok=True)
        self._stream.close()


async def _receive(services: Services, request: Request, upload: Upload) -> None:
    """Write the body down piece by piece; while the disk takes one, no more is read than fits in between."""
    piece, has_more = bytearray(), True
    while has_more:
        message = await _next_message(request)
        piece += message.get("body", b"")
        has_more = bool(message.get("more_body"))
        if upload.size_bytes + len(piece) > UPLOAD_MAX_BYTES:
            raise _too_large()
        if len(piece) >= _PIECE_BYTES or not has_more:
            services.host.check_room(len(piece))
            await services.write(upload.add, bytes(piece))
            piece.clear()
    if upload.size_bytes == 0:
        raise LibraryError(
            "The body is empty.", code="library.empty_file", hint="Send the picture as the body, as it is."
        )


async def _next_message(request: Request) -> dict[str, Any]:
    try:
        async with asyncio.timeout(IDLE_LIMIT_S):
            message: dict[str, Any] = await request.receive()
    except TimeoutError as error:
        raise RequestError(f"Nothing came for {IDLE_LIMIT_S:g} s.", code="web.body_late") from error
    if message["type"] != "http.request":
        raise RequestError("The client went away.")
    return message


def _read_length(request: Request) -> int:
    """What the headers promise; 0 where they do not. Raises RequestError for too much."""
    text = request.headers.get("content-length", "")
    length = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    if length > UPLOAD_MAX_BYTES:
        raise _too_large()
    return length


def _too_large() -> RequestError:
    return RequestError(
        f"A picture of more than {UPLOAD_MAX_BYTES // 1024**2} MiB is not taken over HTTP.",
        code="web.body_too_large",
        hint="Copy it into the folder import/ of the library.",
    )


@contextmanager
def _faults_told() -> Iterator[None]:
    """What the disk says, as errors of ours."""
    try:
        yield
    except FileNotFoundError as error:  # a sidecar that starts clears work/
        raise LibraryBusy(
            "The upload was cleared away before it was whole.", hint="Send it again."
        ) from error
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise DiskFull("There is no room left for this upload.") from error
        raise
