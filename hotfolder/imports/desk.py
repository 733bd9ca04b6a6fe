"""Where claimed pictures wait, and how they get into the queue, again too after a crash."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path, PurePath
from typing import Final

from hotfolder.clock import Clock, NewId
from hotfolder.database import Database
from hotfolder.domain.instants import instant_of_id
from hotfolder.files.paths import LibraryPaths, sync_folder
from hotfolder.imports.incoming import OWNER, Incoming, build_work, read_files
from hotfolder.imports.moving import COPY_FOLDER, move_whole
from hotfolder.library.imports import ImportStore
from hotfolder.queue.store import WorkStore

LEFTOVER_AGE: Final = timedelta(hours=1)
"""A half-written copy that is older is nobody's any more."""


class ImportDesk:
    """`work/import/<media_id>/<path>`: a file that lies there ends in the library, trash/ or failed/."""

    def __init__(
        self,
        database: Database,
        paths: LibraryPaths,
        imports: ImportStore,
        work: WorkStore,
        *,
        make_id: NewId,
        clock: Clock,
    ) -> None:
        self._database = database
        self._paths = paths
        self._imports = imports
        self._work = work
        self._make_id = make_id
        self._clock = clock

    def place(self, media_id: str, name: PurePath) -> Path:
        """Where the file of an import waits; `name` may have folders."""
        return self._paths.arriving / media_id / name

    def claim(self, file: Path, name: PurePath, original_path: str) -> Incoming:
        """Move a file to its place under a new id; the system's error says why it could not be."""
        media_id = self._make_id()
        target = self.place(media_id, name)
        move_whole(file, target)
        return Incoming(media_id, self._paths.relative(target), original_path)

    def enqueue(self, files: Sequence[Incoming]) -> None:
        """Put claimed files on the disk under their new names, then into the queue; nothing for none."""
        places = [self._paths.absolute(each.path) for each in files if not each.is_in_place]
        for folder in dict.fromkeys(folder for place in places for folder in self._folders_of(place)):
            with suppress(FileNotFoundError):  # taken in meanwhile
                sync_folder(folder)
        with self._database.transaction() as tx:
            for work in build_work(files):
                self._work.enqueue(tx, work)

    def find_lost(self) -> list[Incoming]:
        """At start: every file that waits and is in no work item; what else a crash left here is removed.

        So are copies of files in import folders: those are found there again.
        """
        known = {file.media_id for item in self._work.list_open(OWNER) for file in read_files(item.payload)}
        lost: list[Incoming] = []
        for folder in self._list_folders():
            if folder.name not in known:
                lost += self._take_up(folder)
                remove_empty_folders(folder)
        with suppress(OSError):
            self._paths.arriving.rmdir()
        return lost

    def _list_folders(self) -> list[Path]:
        with suppress(FileNotFoundError):
            return sorted(each for each in self._paths.arriving.iterdir() if each.is_dir())
        return []

    def _take_up(self, folder: Path) -> list[Incoming]:
        """The file of a folder under its id, or under a new one where another hand was here."""
        found: list[Incoming] = []
        for file in list(_list_files(folder)):
            name = file.relative_to(folder)
            if name.parts[0] == COPY_FOLDER:
                file.unlink()
                continue
            if _is_half_written(file):
                self._remove_leftover(folder, file)
                continue
            original_path = f"import/{name.as_posix()}"
            if not found and self._is_free_id(folder.name):
                found.append(Incoming(folder.name, self._paths.relative(file), original_path))
            else:
                found.append(self.claim(file, name, original_path))
        return found

    def _is_free_id(self, text: str) -> bool:
        try:
            instant_of_id(text)
        except ValueError:
            return False
        return not self._imports.has_ended(text)

    def _remove_leftover(self, folder: Path, file: Path) -> None:
        with suppress(ValueError):
            if instant_of_id(folder.name) < self._clock() - LEFTOVER_AGE:
                file.unlink(missing_ok=True)

    def _folders_of(self, place: Path) -> Iterator[Path]:
        """From the folder of a file up to work/: a rename is on the disk when all of them are."""
        folder = place.parent
        while folder != self._paths.arriving.parent:
            yield folder
            folder = folder.parent
        yield folder


def remove_empty_folders(folder: Path) -> None:
    """Remove the folder of an import, what is below it, and the one above it, as far as there is no file."""
    for path in (*(Path(each) for each, _, _ in os.walk(folder, topdown=False)), folder.parent):
        with suppress(OSError):
            path.rmdir()


def _list_files(folder: Path) -> Iterator[Path]:
    for path, _, names in os.walk(folder):
        yield from (Path(path) / name for name in sorted(names))


def _is_half_written(file: Path) -> bool:
    return file.name.startswith(".") and file.name.endswith(".tmp")
