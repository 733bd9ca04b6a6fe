"""Queue handler for files of import folders that are known, refused, or copied and to be removed."""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from hotfolder.database import Transaction
from hotfolder.domain.work import EndStatus, WorkItem
from hotfolder.errors import HotfolderError, LibraryError
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths, sync_folder
from hotfolder.files.storage import open_regular, sha256_file
from hotfolder.imports.desk import remove_empty_folders
from hotfolder.imports.faults import unreadable, writing
from hotfolder.imports.folder_book import FolderBook
from hotfolder.imports.incoming import FromFolder, Incoming, read_files
from hotfolder.library.imports import ImportStore
from hotfolder.library.ingest import Ingest, move_to_free_place
from hotfolder.library.media import MediaStore
from hotfolder.library.seen_left import FileState
from hotfolder.queue.worker import Done

log = logging.getLogger(__name__)

_MAY_PASS: Final = frozenset(
    {"library.unreadable", "library.not_movable", "library.changed", "internal.unexpected"}
)
"""Reasons that lie less in a file than around it; not what ended the program again and again."""


class LeaveHandler:
    """`import.leave`: our own copy goes; the file in its folder stays unless it is to be moved and safe."""

    def __init__(
        self,
        paths: LibraryPaths,
        media: MediaStore,
        imports: ImportStore,
        ingest: Ingest,
        book: FolderBook,
    ) -> None:
        self._paths = paths
        self._media = media
        self._imports = imports
        self._ingest = ingest
        self._book = book

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:  # noqa: ARG002 - short work
        """Repeatable: what is removed already is not missed."""
        (file,) = read_files(item.payload)
        assert file.folder is not None  # only such files are given here
        record = self._end(file, file.folder, item)
        return Done(record, after=lambda: remove_empty_folders(self._paths.arriving / file.media_id))

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        """Nothing to take back."""

    def ended(
        self,
        tx: Transaction,
        item: WorkItem,
        status: EndStatus,  # noqa: ARG002 - the protocol
        error: HotfolderError,
    ) -> None:
        """The file stays, and the next start removes our copy and looks at the file again."""
        for file in read_files(item.payload):
            if file.folder is not None:
                self._book.withdrawn(tx, file.folder)
        log.error("import %s could not be ended: %s", item.correlation_id, error.message)

    def _end(self, file: Incoming, folder: FromFolder, item: WorkItem) -> Callable[[Transaction], None]:
        outcome, of = item.payload["outcome"], str(item.payload.get("of"))
        if outcome == "taken":
            is_gone = self._remove_source(file, folder, of)
            return lambda tx: self._book.removed(tx, folder, is_gone=is_gone)
        if self._imports.has_ended(file.media_id):
            return lambda tx: None  # noqa: ARG005 - it was queued twice, and may be a picture of the library
        with writing():
            put_back = self._drop_our_own(file)
        name = display_text(file.original_path)
        if folder.mode == "move" and not self._book.is_wanted(folder):
            log.info("%s stays: its folder is no import folder any more", name)
            return lambda tx: None  # noqa: ARG005 - nothing is known of it any more
        if outcome == "duplicate":
            is_gone = folder.mode == "move" and self._remove_source(file, folder, of)
            return lambda tx: self._book.known(tx, file, folder, of, is_gone=is_gone)
        if file.is_in_place and not os.path.lexists(file.original_path):
            log.info("%s is gone before it was taken in", name)
            return lambda tx: self._book.withdrawn(tx, folder)
        error = item.payload["error"]
        log.warning("%s stays where it is: %s", name, error["message"])
        return lambda tx: self._refuse(tx, file, folder, error, put_back)

    def _drop_our_own(self, file: Incoming) -> FileState | None:
        """A copy is removed; a file that was moved already is put back, which gives it another date."""
        if not file.is_in_place:
            self._paths.absolute(file.path).unlink(missing_ok=True)
        taken = self._ingest.find_picture(file.media_id, file.arrived_at)
        back = None
        if taken is not None and file.is_in_place:
            source = Path(file.original_path)
            back = move_to_free_place(taken, source.parent, source.name)
        elif taken is not None:
            taken.unlink()
        self._ingest.remove_traces(file.media_id, file.arrived_at)
        return FileState.of(back.lstat()) if back == Path(file.original_path) else None

    def _refuse(
        self,
        tx: Transaction,
        file: Incoming,
        folder: FromFolder,
        error: Mapping[str, Any],
        put_back: FileState | None,
    ) -> None:
        self._book.refused(tx, file, folder, error)
        if put_back is not None:
            self._book.put_back(tx, folder, put_back)
        elif error["code"] in _MAY_PASS:
            self._book.doubted(tx, folder)

    def _remove_source(self, file: Incoming, folder: FromFolder, of: str) -> bool:
        """Remove a file that the library's own equals, byte for byte; False when it has to stay.

        Of a disk that went away in the middle nothing is remembered: when it is back, the file is known
        content, and removed. What else may pass is raised, to be tried again.
        """
        source = Path(file.original_path)
        if not self._book.is_wanted(folder):
            return False
        if not os.path.lexists(source):
            return True
        try:
            self._compare_and_remove(source, of)
        except FileNotFoundError:
            return True
        except (OSError, LibraryError) as error:
            if isinstance(error, OSError) and (fault := unreadable(source, error)).retryable:
                raise fault from error
            log.warning("%s stays in its folder: %s", display_text(str(source)), error)
            return False
        return True

    def _compare_and_remove(self, source: Path, of: str) -> None:
        media = self._media.get(of)
        if Path(media.file_path).is_absolute():
            raise LibraryError("the library has no file of its own with this content")
        with open_regular(source) as stream:
            before = FileState.of(os.fstat(stream.fileno()))
        if sha256_file(self._paths.locate(media.file_path)) != sha256_file(source):
            raise LibraryError("its content is not that of the library's file", code="library.changed")
        found = source.lstat()
        if FileState.of(found) != before or not stat.S_ISREG(found.st_mode):
            raise LibraryError("it has just changed", code="library.changed")
        source.unlink()
        sync_folder(source.parent)
