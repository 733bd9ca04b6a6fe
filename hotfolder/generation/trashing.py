"""Queue handlers that move the files of deleted pictures into trash/ and back, and remove them for good.

Where files belong is what the row of the picture says when they are moved, under a lock of the picture: the
last one to be moved sees the last word, in whatever order the work is done and wherever it was broken off.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from hotfolder.database import Transaction
from hotfolder.domain.instants import parse_instant
from hotfolder.domain.work import EndStatus, WorkItem
from hotfolder.errors import HotfolderError
from hotfolder.events import LIBRARY_UPDATED
from hotfolder.files.decoding import CONTENT_EXTENSIONS
from hotfolder.files.paths import LibraryPaths, sync_folder
from hotfolder.files.storage import remove_file, sha256_file
from hotfolder.library.ingest import Ingest
from hotfolder.library.media import Media, MediaStore
from hotfolder.queue.worker import Done

log = logging.getLogger(__name__)

_LOCKS: Final = 64
_MISSES_MAX: Final = 2
"""Behind so many numbers in a row that nothing has, a name in the trash has no further ones."""


class PictureFiles:
    """Moves what belongs to a picture; the file of one outside the library is left alone.

    The thumbnail stays in place until the picture is purged. Nothing in trash/ is written over: a taken name
    becomes `a~2.png`. Each file is moved by itself; after a crash those that are still there follow.
    """

    def __init__(self, paths: LibraryPaths, media: MediaStore, ingest: Ingest) -> None:
        self._paths = paths
        self._media = media
        self._ingest = ingest
        self._locks = tuple(threading.Lock() for _ in range(_LOCKS))

    def settle(self, media_id: str, deleted_at: str) -> Media | None:
        """Put the files where they belong now; a picture that is back has them in the trash of that instant.

        None for a picture that has been purged.
        """
        with self._lock_of(media_id):
            media = self._media.find(media_id)
            if media is None:
                return None
            if media.deleted_at is not None:
                self._put_away(media, parse_instant(media.deleted_at))
            else:
                self._bring_back(media, parse_instant(deleted_at))
        return media

    def remove(self, gone: Mapping[str, Any]) -> None:
        """Remove every file of a picture that has no row any more, wherever it lies."""
        media_id, at = gone["mediaId"], parse_instant(gone["deletedAt"])
        is_outside = Path(gone["filePath"]).is_absolute()
        with self._lock_of(media_id):
            for place in self._list_places(media_id, gone["filePath"], gone["createdAt"]):
                remove_file(place)
                self._remove_trashed(place.name, at, everywhere=not is_outside)
            if gone["thumbPath"]:
                remove_file(self._paths.locate(gone["thumbPath"]))
            self._remove_trashed(_thumbnail_name(media_id), at, everywhere=False)

    def _put_away(self, media: Media, at: datetime) -> None:
        for place in self._list_places(media.media_id, media.file_path, media.created_at):
            if os.path.lexists(place):
                self._ingest.throw_away(place, place.name, at)

    def _bring_back(self, media: Media, at: datetime) -> None:
        original = self._paths.locate(media.file_path)
        is_outside = Path(media.file_path).is_absolute()
        for place in self._list_places(media.media_id, media.file_path, media.created_at):
            is_missing = not os.path.lexists(place) and not is_outside
            copies = self._find_trashed(place.name, at, everywhere=is_missing)
            self._bring(copies, place, media.file_sha256 if place == original else None)
        thumbnail = self._paths.locate(media.thumb_path)
        if not os.path.lexists(thumbnail):  # it was put away, too, once
            name = _thumbnail_name(media.media_id)
            self._bring(self._find_trashed(name, at, everywhere=False), thumbnail, None)

    def _bring(self, copies: Sequence[Path], place: Path, sha256: str | None) -> None:
        """The last of several is the one that was put away last, unless the content tells which it is."""
        if not copies:
            return
        wanted = (each for each in reversed(copies) if sha256 is not None and sha256_file(each) == sha256)
        with suppress(FileExistsError):  # what lies in the library stays
            self._ingest.take_picture(next(wanted, copies[-1]), place)
            sync_folder(place.parent)

    def _remove_trashed(self, name: str, at: datetime, *, everywhere: bool) -> None:
        for each in self._find_trashed(name, at, everywhere=everywhere):
            remove_file(each)

    def _find_trashed(self, name: str, at: datetime, *, everywhere: bool) -> list[Path]:
        """Files of this name in the trash of a day; or else, of the first day that has one."""
        day = self._paths.trash_dir(at)
        found = list(_copies(day, name))
        if not found and everywhere:  # a crash came between two days
            days = sorted((self._paths.root / "trash").glob("*/*/*"), reverse=True)
            found = next((copies for each in days if (copies := list(_copies(each, name)))), [])
        return found

    def _list_places(self, media_id: str, file_path: str, created_at: str) -> list[Path]:
        """Where the files are that come and go; the sidecars of a file outside have the name of a copy."""
        if not Path(file_path).is_absolute():
            original = self._paths.locate(file_path)
            return [original, *self._sidecars(original)]
        at = parse_instant(created_at)
        copies = [self._paths.original(at, media_id, extension) for extension in CONTENT_EXTENSIONS]
        return [sidecar for each in copies for sidecar in self._sidecars(each)]

    def _sidecars(self, original: Path) -> tuple[Path, Path]:
        return self._paths.sidecar_json(original), self._paths.sidecar_xmp(original)

    def _lock_of(self, media_id: str) -> threading.Lock:
        return self._locks[hash(media_id) % _LOCKS]


class FilesHandler:
    """`media.files` and `media.discard`: the files of pictures lie where they belong."""

    def __init__(self, files: PictureFiles, paths: LibraryPaths) -> None:
        self._files = files
        self._paths = paths

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:  # noqa: ARG002 - short work
        """Repeatable: what has been moved already is where it belongs."""
        if "mediaId" in item.payload:
            return self._discard(item.payload["mediaId"], item.payload["at"])
        for media_id, deleted_at in item.payload["pictures"].items():
            self._files.settle(media_id, deleted_at)
        return Done(lambda tx: None)  # noqa: ARG005

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        """Nothing to take back: what has been moved stays there."""

    def ended(
        self,
        tx: Transaction,  # noqa: ARG002 - the protocol
        item: WorkItem,
        status: EndStatus,  # noqa: ARG002 - the protocol
        error: HotfolderError,
    ) -> None:
        """The files stay where they are; what the library says of the pictures is true all the same."""
        log.error("files of pictures could not be moved (%s): %s", item.correlation_id, error.message)

    def _discard(self, media_id: str, at: str) -> Done:
        """What a review decided is told."""
        media = self._files.settle(media_id, at)
        if media is None or media.deleted_at is None:  # brought back meanwhile
            return Done(lambda tx: None)  # noqa: ARG005
        day = self._paths.relative(self._paths.trash_dir(parse_instant(media.deleted_at)))
        data = {"trashed": media.file_path, "to": day}
        return Done(lambda tx: tx.event(LIBRARY_UPDATED, "media", media_id, data))


class PurgeHandler:
    """`media.purge`: of pictures that have been purged there is no file any more."""

    def __init__(self, files: PictureFiles) -> None:
        self._files = files

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:  # noqa: ARG002 - short work
        """Repeatable: what is gone is not missed."""
        for each in item.payload["pictures"]:
            self._files.remove(each)
        return Done(lambda tx: None)  # noqa: ARG005

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        """Nothing to take back: what has been removed is gone."""

    def ended(
        self,
        tx: Transaction,  # noqa: ARG002 - the protocol
        item: WorkItem,  # noqa: ARG002 - the protocol
        status: EndStatus,  # noqa: ARG002 - the protocol
        error: HotfolderError,
    ) -> None:
        """The pictures are gone from the library all the same."""
        log.error("files of purged pictures could not be removed: %s", error.message)


def _thumbnail_name(media_id: str) -> str:
    """How a thumbnail is called in the trash: the picture may be a .jpg itself."""
    return f"{media_id}.thumbnail.jpg"


def _copies(folder: Path, name: str) -> Iterator[Path]:
    """The files that `free_name` may have called so, by their numbers."""
    stem, extension = os.path.splitext(name)  # noqa: PTH122 - as there
    number, misses = 1, 0
    while misses < _MISSES_MAX:
        place = folder / (name if number == 1 else f"{stem}~{number}{extension}")
        if place.is_file():
            misses = 0
            yield place
        else:
            misses += 1
        number += 1
