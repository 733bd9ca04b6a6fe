"""Queue handler for files of import folders that are known, refused, or copied and to be removed."""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

from hotfolder.database import Transaction
from hotfolder.domain.work import EndStatus, WorkItem
from hotfolder.errors import HotfolderError, LibraryError
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths, sync_folder
from hotfolder.files.storage import move_to_free_name, open_regular, sha256_file
from hotfolder.imports.desk import remove_empty_folders
from hotfolder.imports.faults import writing
from hotfolder.imports.folder_book import FolderBook
from hotfolder.imports.incoming import FromFolder, Incoming, read_files
from hotfolder.library.imports import ImportStore
from hotfolder.library.ingest import Ingest
from hotfolder.library.media import MediaStore
from hotfolder.library.seen_left import FileState
from hotfolder.queue.worker import Done

log = logging.getLogger(__name__)


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
        tx: Transaction,  # noqa: ARG002 - the protocol
        item: WorkItem,
        status: EndStatus,  # noqa: ARG002 - the protocol
        error: HotfolderError,
    ) -> None:
        """The file stays in its folder; a copy of ours waits in work/ for the next start."""
        log.error("import %s could not be ended: %s", item.correlation_id, error.message)

    def _end(self, file: Incoming, folder: FromFolder, item: WorkItem) -> Callable[[Transaction], None]:
        outcome, of = item.payload["outcome"], str(item.payload.get("of"))
        if outcome == "taken":
            is_gone = self._remove_source(file, of)
            return lambda tx: self._book.removed(tx, folder, is_gone=is_gone)
        if self._imports.has_ended(file.media_id):
            return lambda tx: None  # noqa: ARG005 - it was queued twice, and may be a picture of the library
        with writing():
            self._drop_our_own(file)
        if outcome == "duplicate":
            is_gone = folder.mode == "move" and self._remove_source(file, of)
            return lambda tx: self._book.known(tx, file, folder, of, is_gone=is_gone)
        if file.is_in_place and not os.path.lexists(file.original_path):
            log.info("%s is gone before it was taken in", display_text(file.original_path))
            return lambda tx: self._book.withdrawn(tx, folder)
        error = item.payload["error"]
        log.warning("%s stays where it is: %s", display_text(file.original_path), error["message"])
        return lambda tx: self._book.refused(tx, file, folder, error)

    def _drop_our_own(self, file: Incoming) -> None:
        """A copy is removed; a file that was moved already is put back."""
        if not file.is_in_place:
            self._paths.absolute(file.path).unlink(missing_ok=True)
        taken = self._ingest.find_picture(file.media_id, file.arrived_at)
        if taken is not None and file.is_in_place:
            source = Path(file.original_path)
            move_to_free_name(taken, source.parent, source.name, lambda path: False)  # noqa: ARG005
        elif taken is not None:
            taken.unlink()
        self._ingest.remove_traces(file.media_id, file.arrived_at)

    def _remove_source(self, file: Incoming, of: str) -> bool:
        """Remove a file that the library's own equals, byte for byte; False when it has to stay."""
        source = Path(file.original_path)
        if not os.path.lexists(source):
            return True
        try:
            self._compare_and_remove(source, of)
        except (OSError, LibraryError) as error:
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
