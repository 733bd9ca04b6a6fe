"""Settled files of an import folder: looked up, read once, brought as the folder says, and queued."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from pathlib import Path

from hotfolder.clock import NewId
from hotfolder.database import Database, Transaction
from hotfolder.errors import DiskFull, HotfolderError, LibraryError
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import open_regular
from hotfolder.imports.bringing import check_name
from hotfolder.imports.desk import remove_empty_folders
from hotfolder.imports.documents import build_error
from hotfolder.imports.faults import reading
from hotfolder.imports.folder_book import FolderBook
from hotfolder.imports.incoming import BATCH_FILES, FromFolder, Incoming, build_discard, build_work
from hotfolder.imports.known import KnownContent
from hotfolder.imports.moving import COPY_FOLDER, copy_known
from hotfolder.imports.probing import Probe
from hotfolder.library.import_folders import SourceFolder
from hotfolder.library.seen_left import FileState, LeftFile, LeftOutcome, SeenLeftStore, path_key
from hotfolder.queue.store import WorkStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Looked:
    """A file that is not what it was: its state, and what is to be done about it.

    Neither claimed, known nor refused: only its dates have changed, and its outcome is what it was.
    """

    file: Incoming
    folder: FromFolder
    state: FileState
    outcome: LeftOutcome
    known_as: str | None = None
    error: LibraryError | None = None
    is_touched: bool = False


class OutsideDesk:
    """One thread a folder; what it has queued ends, whatever is killed, and what it has not is found again.

    Until a picture is in the library its file stays in the folder, so copies that nobody has queued are
    thrown away at the next start.
    """

    def __init__(
        self,
        database: Database,
        paths: LibraryPaths,
        known: KnownContent,
        seen: SeenLeftStore,
        work: WorkStore,
        book: FolderBook,
        *,
        make_id: NewId,
    ) -> None:
        self._database = database
        self._paths = paths
        self._known = known
        self._seen = seen
        self._work = work
        self._book = book
        self._make_id = make_id
        self._probe = Probe(paths, make_id=make_id)

    def take_all(
        self, folder: SourceFolder, files: Sequence[Path], is_stopping: Callable[[], bool]
    ) -> list[HotfolderError]:
        """Bring and queue what is new, few at a time; gives the faults of files to be tried again."""
        faults: list[HotfolderError] = []
        rest = iter(files)
        while not is_stopping() and (batch := list(islice(rest, BATCH_FILES))):
            looked = list(self._look_at_all(folder, batch, faults))
            if looked:
                self._record_all(looked)
            if any(isinstance(each, DiskFull) for each in faults):
                break
        return faults

    def _look_at_all(
        self, folder: SourceFolder, files: Sequence[Path], faults: list[HotfolderError]
    ) -> Iterator[_Looked]:
        keys = [path_key(each.relative_to(folder.path)) for each in files]
        seen = self._seen.find_all(folder.folder_id, keys)
        for file, key in zip(files, keys, strict=True):
            try:
                looked = self._look(folder, file, key, seen.get(key))
            except (HotfolderError, OSError) as error:
                faults.append(_to_fault(file, error))
                if isinstance(error, DiskFull):
                    return
            else:
                if looked is not None:
                    yield looked

    def _look(self, folder: SourceFolder, file: Path, key: str, seen: LeftFile | None) -> _Looked | None:
        """None when there is nothing to do: it is what it was, or it is gone."""
        try:
            state = FileState.of(file.lstat())
        except FileNotFoundError:
            return None
        if seen is not None and seen.is_same(state):
            return None
        try:
            return self._read(folder, file, key, seen)
        except LibraryError as error:
            if not os.path.lexists(file):
                return None
            if error.retryable:
                raise
            of_folder = _from_folder(folder, key, "")
            return _Looked(self._in_place(file, of_folder), of_folder, state, "refused", error=error)

    def _read(self, folder: SourceFolder, file: Path, key: str, seen: LeftFile | None) -> _Looked | None:
        with reading(file):
            stream = open_regular(file)
        with stream:
            with reading(file):
                state = FileState.of(os.fstat(stream.fileno()))
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
                if FileState.of(os.fstat(stream.fileno())) != state:
                    return None  # whoever writes to it rings again
            of_folder = _from_folder(folder, key, sha256)
            in_place = self._in_place(file, of_folder)
            if seen is not None and seen.sha256 == sha256 and seen.outcome != "refused":
                return _Looked(in_place, of_folder, state, seen.outcome, is_touched=True)
            known = self._known.find(sha256, stays=True)
            if known is not None:
                outcome: LeftOutcome = "claimed" if folder.mode == "move" else "duplicate"
                return _Looked(in_place, of_folder, state, outcome, known_as=known.media_id)
            return _Looked(self._bring(stream, in_place, of_folder), of_folder, state, "claimed")

    def _bring(self, stream: BufferedReader, in_place: Incoming, folder: FromFolder) -> Incoming:
        """A copy under work/ where that is wanted, or where the file cannot be renamed into the library."""
        source = Path(in_place.path)
        if folder.mode == "reference":
            check_name(source)
            return in_place
        if folder.mode == "move" and self._probe.can_rename(source, os.fstat(stream.fileno()).st_nlink):
            return in_place
        target = self._paths.arriving / in_place.media_id / COPY_FOLDER / source.name
        try:
            copy_known(stream, source, target, folder.sha256)
        except BaseException:
            remove_empty_folders(self._paths.arriving / in_place.media_id)
            raise
        return Incoming(
            in_place.media_id, self._paths.relative(target), in_place.original_path, folder=folder
        )

    def _in_place(self, file: Path, folder: FromFolder) -> Incoming:
        is_reference = folder.mode == "reference"
        return Incoming(self._make_id(), str(file), str(file), is_reference, folder)

    def _record_all(self, looked: Sequence[_Looked]) -> None:
        """All or none; a full disk is not filled up with copies that nobody knows of."""
        try:
            with self._database.transaction() as tx:
                self._record(tx, looked)
        except BaseException:
            for each in (each.file for each in looked if not each.file.is_in_place):
                self._paths.absolute(each.path).unlink(missing_ok=True)
                remove_empty_folders(self._paths.arriving / each.media_id)
            raise

    def _record(self, tx: Transaction, looked: Sequence[_Looked]) -> None:
        """Remember all and queue what is new; what is known or refused has ended with that."""
        for each in looked:
            sha256 = each.folder.sha256 or None
            left = LeftFile(each.state, sha256, each.outcome)
            self._seen.remember(tx, each.folder.folder_id, each.folder.path_key, left)
            if each.error is not None:
                name = display_text(each.file.original_path)
                log.warning("%s stays where it is: %s", name, each.error.message)
                self._book.refused(tx, each.file, each.folder, build_error(each.error))
            elif each.known_as is not None and each.outcome == "claimed":
                self._work.enqueue(tx, build_discard(each.file, each.known_as))
            elif each.known_as is not None:
                self._book.known(tx, each.file, each.folder, each.known_as, is_gone=False)
        new = [each.file for each in looked if each.outcome == "claimed" and _is_new(each)]
        for work in build_work(new):
            self._work.enqueue(tx, work)


def _is_new(looked: _Looked) -> bool:
    return looked.known_as is None and not looked.is_touched


def _from_folder(folder: SourceFolder, key: str, sha256: str) -> FromFolder:
    return FromFolder(folder.folder_id, key, sha256, folder.mode, folder.keywords, folder.collection)


def _to_fault(file: Path, error: HotfolderError | OSError) -> HotfolderError:
    if isinstance(error, HotfolderError):
        return error
    return LibraryError(f"{display_text(str(file))} could not be taken in: {error}.", retryable=True)
