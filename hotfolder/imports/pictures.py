"""Queue handler that takes pictures in: each decoded once, its files written, then all rows at once."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hotfolder.database import Transaction
from hotfolder.domain.instants import format_instant
from hotfolder.domain.work import EndStatus, WorkItem
from hotfolder.errors import HotfolderError, LibraryError
from hotfolder.files.images import ReadPicture, read_picture
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import sha256_file
from hotfolder.files.xmp import build_xmp
from hotfolder.imports.desk import remove_empty_folders
from hotfolder.imports.documents import build_error, build_sidecar, build_xmp_record
from hotfolder.imports.faults import reading, writing
from hotfolder.imports.incoming import Incoming, build_discard, build_refusal, build_work, read_files
from hotfolder.library.imports import ImportStore
from hotfolder.library.ingest import Ingest
from hotfolder.library.media import Media, MediaStore
from hotfolder.queue.store import WorkStore
from hotfolder.queue.worker import Done


class Interrupted(LibraryError):
    """The service stops: the pictures in hand are taken in after its next start."""

    default_retryable = True
    spends_attempt = False


@dataclass(frozen=True, slots=True)
class _Known:
    """The library has this content already, as the picture with this id."""

    file: Incoming
    of: str


@dataclass(frozen=True, slots=True)
class _Refused:
    file: Incoming
    error: LibraryError


@dataclass(frozen=True, slots=True)
class _Taken:
    file: Incoming
    media: Media


_Outcome = _Known | _Refused | _Taken


class PicturesHandler:
    """`import.pictures`: repeatable, since every name and value in its files comes from item and content."""

    def __init__(
        self,
        paths: LibraryPaths,
        media: MediaStore,
        imports: ImportStore,
        ingest: Ingest,
        work: WorkStore,
        stopping: threading.Event,
    ) -> None:
        self._paths = paths
        self._media = media
        self._imports = imports
        self._ingest = ingest
        self._work = work
        self._stopping = stopping

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:
        """Write the files of each picture; what becomes of the others is queued with the rows.

        An item that has failed before, or that the program died of, is cut up: one bad file keeps nobody.
        """
        files = read_files(item.payload)
        if len(files) > 1 and (item.crash_count or item.attempt_count > 1):
            return Done(lambda tx: self._cut_up(tx, files))
        outcomes = []
        for file in files:
            if interrupt.is_set() or self._stopping.is_set():
                raise Interrupted("The service stops.")
            if not self._imports.has_ended(file.media_id):
                outcomes.append(self._take(file))
        return Done(lambda tx: self._record(tx, outcomes), after=lambda: self._tidy(files))

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        """Nothing to take back: the same files will be written again."""

    def ended(
        self,
        tx: Transaction,
        item: WorkItem,
        status: EndStatus,  # noqa: ARG002 - the protocol
        error: HotfolderError,
    ) -> None:
        """Its files go to failed/ with the reason."""
        for file in read_files(item.payload):
            self._work.enqueue(tx, build_refusal(file, build_error(error)))

    def _take(self, file: Incoming) -> _Outcome:
        try:
            source = self._find(file)
            with reading(source):
                signature = _signature(source)
                sha256 = sha256_file(source)
            known = self._find_known(sha256)
            if known is not None and known.media_id != file.media_id:
                return _Known(file, known.media_id)
            with reading(source):
                picture = read_picture(source)
        except LibraryError as error:
            if error.retryable:
                raise
            return _Refused(file, error)
        media = self._store(file, source, sha256, picture)
        if _signature(self._paths.locate(media.file_path)) != signature:
            raise _changed(file)  # the next attempt finds it where it is now, and reads it anew
        return _Taken(file, media)

    def _find_known(self, sha256: str) -> Media | None:
        """The picture of the library with this content; one whose own file is lost does not count."""
        return next((each for each in self._media.list_by_content(sha256) if self._is_there(each)), None)

    def _is_there(self, media: Media) -> bool:
        path = self._paths.locate(media.file_path)
        try:
            if path.stat().st_size != media.file_size:
                return False
            return not Path(media.file_path).is_absolute() or sha256_file(path) == media.file_sha256
        except (OSError, LibraryError):
            return False

    def _find(self, file: Incoming) -> Path:
        """Where the file is: where it waited, or in originals/ since an earlier run."""
        waiting = self._paths.locate(file.path)
        if file.is_reference or waiting.exists():
            return waiting
        return self._ingest.find_picture(file.media_id, file.arrived_at) or waiting

    def _store(self, file: Incoming, source: Path, sha256: str, picture: ReadPicture) -> Media:
        at, extension = file.arrived_at, picture.info.extension
        original = self._paths.original(at, file.media_id, extension)
        with writing():
            size_bytes = source.stat().st_size
            if not file.is_reference:
                self._ingest.take_picture(source, original)
            thumbnail = self._ingest.store_thumbnail_file(file.media_id, picture.thumbnail)
            file_path = file.path if file.is_reference else self._paths.relative(original)
            media = Media(
                media_id=file.media_id,
                file_path=file_path,
                thumb_path=self._paths.relative(thumbnail),
                file_name=Path(file_path).name,
                origin="import",
                width=picture.info.width,
                height=picture.info.height,
                file_size=size_bytes,
                mime_type=picture.info.mime_type,
                sha256=sha256,
                file_sha256=sha256,
                pixel_sha256=picture.pixel_sha256,
                created_at=format_instant(at),
                original_name=display_text(file.name),
                original_path=display_text(file.original_path),
            )
            sidecar, xmp = build_sidecar(file, media), build_xmp(build_xmp_record(media), packet=False)
            self._ingest.store_sidecars_of(original, sidecar, xmp)
        return media

    def _record(self, tx: Transaction, outcomes: Sequence[_Outcome]) -> None:
        for each in outcomes:
            if self._imports.has_ended(each.file.media_id):
                continue  # it was queued twice
            if isinstance(each, _Taken):
                self._record_taken(tx, each)
            elif isinstance(each, _Known):
                self._work.enqueue(tx, build_discard(each.file, each.of))
            else:
                self._work.enqueue(tx, build_refusal(each.file, build_error(each.error)))

    def _record_taken(self, tx: Transaction, taken: _Taken) -> None:
        """Of two equal files that were taken in at the same time, the first to come here stays."""
        media = taken.media
        known = self._find_known(media.sha256)
        if known is not None:
            self._work.enqueue(tx, build_discard(taken.file, known.media_id))
            return
        if self._imports.is_path_taken(media.file_path):
            self._work.enqueue(tx, build_refusal(taken.file, build_error(_place_taken(taken.file))))
            return
        self._media.insert(tx, media, ())
        data = {"outcome": "imported", "path": media.file_path, "originalPath": taken.file.original_path}
        self._imports.end(tx, media.media_id, data)

    def _cut_up(self, tx: Transaction, files: Sequence[Incoming]) -> None:
        for work in build_work(files, batch_files=1):
            self._work.enqueue(tx, work)

    def _tidy(self, files: Sequence[Incoming]) -> None:
        for each in files:
            remove_empty_folders(self._paths.arriving / each.media_id)


def _signature(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns


def _changed(file: Incoming) -> LibraryError:
    return LibraryError(
        f"{display_text(file.name)} was changed while it was taken in.",
        code="library.changed",
        hint="Import it again once nobody writes to it.",
        retryable=True,
    )


def _place_taken(file: Incoming) -> LibraryError:
    return LibraryError(
        f"{display_text(file.name)} cannot be referred to: a picture of the library has this place already, "
        "with another content.",
        code="library.place_taken",
        hint="Import it with --copy: then the library keeps both.",
    )
