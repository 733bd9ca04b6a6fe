"""Pictures of the library as a zip that is made while it is read: never more of it in memory than a piece."""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from datasette_hotfolder.picture_names import NamesOnce, safe_stem, split_name
from datasette_hotfolder.services import Services
from hotfolder.accounts.scopes import Actor
from hotfolder.domain.instants import parse_instant
from hotfolder.domain.wording import one_line
from hotfolder.errors import HotfolderError
from hotfolder.files.decoding import CONTENT_EXTENSIONS
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import open_regular
from hotfolder.library.media import Media

PIECE_BYTES: Final = 1024 * 1024
MISSING: Final = "MISSING.txt"


class ZipOfPictures:
    """Read piece by piece, from one thread at a time; what is not there is told in MISSING.txt."""

    def __init__(
        self,
        services: Services,
        media_ids: Sequence[str],
        actor: Actor,
        at: datetime,
        *,
        with_sidecars: bool,
    ) -> None:
        self._services = services
        self._media_ids = media_ids
        self._actor = actor
        self._at = at
        self._with_sidecars = with_sidecars
        self._sink = _Sink()
        self._names = NamesOnce()
        self._missing: list[str] = []
        self._pieces = self._iter_pieces()
        self._turn = threading.Lock()

    def read(self) -> bytes:
        """The next piece; nothing at the end."""
        with self._turn:
            return next(self._pieces, b"")

    def close(self) -> None:
        """Close what is open; nothing more can be read then."""
        with self._turn:
            self._pieces.close()

    def _iter_pieces(self) -> Generator[bytes, None, None]:
        with ZipFile(self._sink, "w", ZIP_STORED) as archive:  # type: ignore[call-overload]
            for media_id in self._media_ids:
                yield from self._add_picture(archive, media_id)
            if self._missing:
                text = "".join(f"{each}\n" for each in self._missing)
                archive.writestr(_describe(MISSING, self._at), text.encode())
        yield self._sink.take()

    def _add_picture(self, archive: ZipFile, media_id: str) -> Iterator[bytes]:
        try:
            media = self._services.get_picture(media_id, self._actor)
        except HotfolderError as error:
            self._missing.append(one_line(error.message))
            return
        path = self._services.paths.locate(media.file_path)
        name = self._names.take(_stem_of(media), path.suffix)
        at = parse_instant(media.created_at)
        if not (yield from self._add_or_miss(archive, path, name, at, media_id)):
            return
        for sidecar in _list_sidecars(self._services.paths, media) if self._with_sidecars else ():
            yield from self._add_or_miss(archive, sidecar, name + sidecar.suffix, at, media_id)

    def _add_or_miss(
        self, archive: ZipFile, path: Path, name: str, at: datetime, media_id: str
    ) -> Generator[bytes, None, bool]:
        """Whether it is in the zip now."""
        try:
            yield from self._add_file(archive, path, name, at)
        except _NotThere as fault:
            self._missing.append(f"{one_line(name)}: {fault} (picture {media_id})")
            return False
        return True

    def _add_file(self, archive: ZipFile, path: Path, name: str, at: datetime) -> Iterator[bytes]:
        try:
            stream = open_regular(path)
        except (OSError, HotfolderError) as error:
            raise _NotThere("its file is gone or cannot be read") from error
        with stream:
            info = _describe(name, at)
            info.file_size = left = stream.seek(0, 2)  # tells what fields of which size it needs
            stream.seek(0)
            with archive.open(info, "w") as target:
                while left > 0 and (piece := stream.read(min(left, PIECE_BYTES))):
                    left -= len(piece)
                    target.write(piece)
                    if self._sink.size_bytes >= PIECE_BYTES:
                        yield self._sink.take()


class _NotThere(Exception):
    """A file that cannot be opened, and why."""


class _Sink:
    """Where the zip is written: it cannot be sought in, and what was taken is gone."""

    def __init__(self) -> None:
        self._held: list[bytes] = []
        self.size_bytes = 0

    def write(self, data: bytes) -> int:
        self._held.append(bytes(data))
        self.size_bytes += len(data)
        return len(data)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        taken, self._held, self.size_bytes = b"".join(self._held), [], 0
        return taken


def _describe(name: str, at: datetime) -> ZipInfo:
    """A member as programs unpack it: readable for all, from the day of the picture."""
    info = ZipInfo(name, (max(1980, at.year), at.month, at.day, at.hour, at.minute, at.second))
    info.external_attr = 0o644 << 16
    return info


def _stem_of(media: Media) -> str:
    """What people know it by."""
    return safe_stem(split_name(media.original_name or media.title or media.file_name)[0])


def _list_sidecars(paths: LibraryPaths, media: Media) -> list[Path]:
    """Those that are there; a picture that stayed where it was has them in originals/ even so."""
    original = paths.locate(media.file_path)
    if original.is_relative_to(paths.originals):
        places = [original]
    else:
        at = parse_instant(media.created_at)
        places = [paths.original(at, media.media_id, extension) for extension in CONTENT_EXTENSIONS]
    both = (sidecar(each) for each in places for sidecar in (paths.sidecar_json, paths.sidecar_xmp))
    return [each for each in both if os.path.lexists(each)]
