"""Queue handler that takes pictures in: each decoded once, its files written, then all rows at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hotfolder.database import Transaction
from hotfolder.domain.instants import format_instant
from hotfolder.domain.work import EndStatus, WorkItem
from hotfolder.errors import HotfolderError, LibraryError, LibraryUnwritable
from hotfolder.files.images import ReadPicture, read_picture
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import sha256_file
from hotfolder.files.xmp import build_xmp
from hotfolder.imports.desk import remove_empty_folders
from hotfolder.imports.documents import build_error, build_sidecar, build_xmp_record
from hotfolder.imports.faults import changed_meanwhile, folder_removed, place_taken, reading, writing
from hotfolder.imports.folder_book import FolderBook
from hotfolder.imports.incoming import Incoming, build_discard, build_refusal, build_work, read_files
from hotfolder.imports.known import KnownContent
from hotfolder.imports.moving import leaving_its_folder
from hotfolder.library.imports import ImportStore
from hotfolder.library.ingest import Ingest
from hotfolder.library.media import Media, MediaStore
from hotfolder.queue.store import WorkStore
from hotfolder.queue.worker import Done

_DISK_THREADS = 4
"""They mostly wait for the disk, which flushes several files in the time of one."""


class Interrupted(LibraryError):
    """The service stops: the pictures in hand are taken in after its next start."""

    default_retryable = True
    spends_attempt = False


@dataclass(frozen=True, slots=True)
class _Read:
    """What the file of a picture held, and its size and date just before."""

    source: Path
    signature: tuple[int, int]
    sha256: str
    picture: ReadPicture


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
        book: FolderBook,
        stopping: threading.Event,
        *,
        is_written_to: Callable[[Path], bool],
    ) -> None:
        self._is_written_to = is_written_to
        self._paths = paths
        self._known = KnownContent(paths, media)
        self._book = book
        self._media = media
        self._imports = imports
        self._ingest = ingest
        self._work = work
        self._stopping = stopping

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:
        """Write the files of each picture; what becomes of the others is queued with the rows.

        An item that has failed before, that the program died of or that could not be written is cut up: one
        bad file keeps nobody.
        """
        files = read_files(item.payload)
        if len(files) > 1 and (item.crash_count or item.attempt_count > 1):
            return Done(lambda tx: self._cut_up(tx, files))
        try:
            outcomes = self._take_all(files, interrupt)
        except LibraryUnwritable:
            if len(files) == 1:
                raise
            return Done(lambda tx: self._cut_up(tx, files))  # the others need not wait with it
        taken = [(each.media.media_id, each.file.arrived_at) for each in outcomes if isinstance(each, _Taken)]
        with writing():
            self._ingest.flush_names(taken)
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

    def _take_all(self, files: Sequence[Incoming], interrupt: threading.Event) -> list[_Outcome]:
        """While the disk takes the files of one picture, the next is decoded already."""
        begun: list[Future[_Outcome]] = []
        with ThreadPoolExecutor(_DISK_THREADS, thread_name_prefix="import-disk") as disk:
            for file in files:
                if interrupt.is_set() or self._stopping.is_set():
                    raise Interrupted("The service stops.")
                if len(begun) >= _DISK_THREADS:
                    begun[-_DISK_THREADS].result()  # what keeps one from being written keeps the others, too
                if not self._imports.has_ended(file.media_id):
                    begun.append(disk.submit(self._take, file, self._read(file)))
            return [each.result() for each in begun]

    def _read(self, file: Incoming) -> _Read | _Known | _Refused:
        try:
            source = self._find(file)
            with reading(source):
                signature = _signature(source)
                sha256 = sha256_file(source)
            known = self._known.find(sha256, stays=file.stays)
            if known is not None and known.media_id != file.media_id:
                return _Known(file, known.media_id)
            with reading(source):
                return _Read(source, signature, sha256, read_picture(source))
        except LibraryError as error:
            return _refused(file, error)

    def _take(self, file: Incoming, read: _Read | _Known | _Refused) -> _Outcome:
        if not isinstance(read, _Read):
            return read
        try:
            media = self._store(file, read.source, read.sha256, read.picture)
        except LibraryError as error:
            return _refused(file, error)
        if _signature(self._paths.locate(media.file_path)) != read.signature:
            raise changed_meanwhile(file)  # the next attempt finds it where it is now, and reads it anew
        return _Taken(file, media)

    def _find(self, file: Incoming) -> Path:
        """Where the file is: where it waited, or in originals/ since an earlier run.

        Outside the library another file may have got the name of one that an earlier run took.
        """
        waiting = self._paths.locate(file.path)
        if file.is_reference or (not file.is_in_place and waiting.exists()):
            return waiting
        return self._ingest.find_picture(file.media_id, file.arrived_at) or waiting

    def _store(self, file: Incoming, source: Path, sha256: str, picture: ReadPicture) -> Media:
        at, extension = file.arrived_at, picture.info.extension
        original = self._paths.original(at, file.media_id, extension)
        with writing():
            size_bytes = source.stat().st_size
            if not file.is_reference:
                if source != original:
                    self._check_turn(file, source)
                with leaving_its_folder(file):
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
                pixel_sha256=None,  # serves the replay of what was made, and takes a decode of all pixels
                created_at=format_instant(at),
                original_name=display_text(file.name),
                original_path=display_text(file.original_path),
            )
            sidecar, xmp = (
                build_sidecar(file, media),
                build_xmp(build_xmp_record(media, file.keywords), packet=False),
            )
            self._ingest.store_sidecars_of(original, sidecar, xmp)
        return media

    def _check_turn(self, file: Incoming, source: Path) -> None:
        """Raise LibraryError when a file may not leave its import folder, now that its turn has come.

        Whoever has it open could go on writing to the library's picture.
        """
        if file.folder is None or file.folder.mode != "move":
            return
        if not self._book.is_wanted(file.folder):
            raise folder_removed(file)
        if file.is_in_place and self._is_written_to(source):
            raise changed_meanwhile(file)

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
        known = self._known.find(media.sha256, stays=taken.file.stays)
        if known is not None:
            self._work.enqueue(tx, build_discard(taken.file, known.media_id))
            return
        if self._imports.is_path_taken(media.file_path):
            self._work.enqueue(tx, build_refusal(taken.file, build_error(place_taken(taken.file))))
            return
        self._media.insert(tx, media, taken.file.keywords)
        self._book.taken(tx, taken.file)
        data = {"outcome": "imported", "path": media.file_path, "originalPath": taken.file.original_path}
        folder = taken.file.folder
        self._imports.end(tx, media.media_id, data | ({"folder": folder.folder_id} if folder else {}))

    def _cut_up(self, tx: Transaction, files: Sequence[Incoming]) -> None:
        for work in build_work(files, batch_files=1):
            self._work.enqueue(tx, work)

    def _tidy(self, files: Sequence[Incoming]) -> None:
        for each in files:
            remove_empty_folders(self._paths.arriving / each.media_id)


def _refused(file: Incoming, error: LibraryError) -> _Refused:
    """What another attempt may mend is raised again."""
    if error.retryable:
        raise error
    return _Refused(file, error)


def _signature(file: Path) -> tuple[int, int]:
    found = file.stat()
    return found.st_size, found.st_mtime_ns
