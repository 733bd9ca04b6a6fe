"""The import folders outside the library: each is watched while it is there."""

from __future__ import annotations

import logging
import stat
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final, Protocol

from hotfolder.errors import HotfolderError, LibraryError
from hotfolder.files.names import display_text
from hotfolder.library.import_folders import SourceFolder
from hotfolder.watchers.handover import SettledFile
from hotfolder.watchers.loop import WatchLoop, WatchReport

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0
"""So often is asked which folders there are, in the rows and on the disk."""

_STOP_S: Final = 5.0


class Desk(Protocol):
    """What takes in the files of a folder."""

    def take_all(
        self, folder: SourceFolder, files: Sequence[Path], is_stopping: Callable[[], bool]
    ) -> list[HotfolderError]:
        """Bring and queue what is new; gives the faults of files that have to be tried again."""


MakeLoop = Callable[
    [SourceFolder, Callable[[PurePath], bool], Callable[[list[SettledFile]], None]], WatchLoop
]
Check = Callable[[SourceFolder, Sequence[SourceFolder]], None]


@dataclass(frozen=True, slots=True)
class _Watched:
    """A folder under watch; a disk that comes back has another place, and is scanned anew."""

    folder: SourceFolder
    place: tuple[int, int]
    loop: WatchLoop
    dropped: threading.Event


class ImportFolders:
    """A thread of its own looks which folders there are: a disk that hangs holds up nothing but this look.

    Until it answers no folder is taken up or dropped; those under watch go on.
    """

    def __init__(
        self,
        list_folders: Callable[[], list[SourceFolder]],
        check: Check,
        desk: Desk,
        *,
        make_loop: MakeLoop,
        is_picture: Callable[[PurePath], bool],
    ) -> None:
        self._list_folders = list_folders
        self._check = check
        self._desk = desk
        self._make_loop = make_loop
        self._is_picture = is_picture
        self._watched: dict[str, _Watched] = {}
        self._told: dict[str, str] = {}
        self._stopping = threading.Event()
        self._once = threading.Event()
        self._turned = threading.Condition()
        self._turns = 0
        self._thread = threading.Thread(target=self._run, name="watch-folders", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Take nothing more, and stop all watching; the file in hand is waited for. From any thread."""
        deadline = time.monotonic() + timeout_s
        self._stopping.set()
        with self._turned:
            self._turned.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        for each in list(self._watched.values()):
            each.loop.stop(max(0.1, deadline - time.monotonic()))

    def try_once(self) -> None:
        """Leave what cannot be taken instead of failing. From any thread, for good."""
        self._once.set()

    def retry_unfinished(self) -> int:
        """Nothing waits here: what is not queued lies in its folder still, and the loops try it again."""
        return 0

    def wait_until_quiet(self, timeout_s: float) -> bool:
        """Wait until every folder that is there holds nothing new; False when the time is over."""
        deadline = time.monotonic() + timeout_s
        with self._turned:
            first = self._turns + 1
            self._turned.notify_all()
            while self._turns < first:
                if self._stopping.is_set() or not self._turned.wait(max(0.0, deadline - time.monotonic())):
                    return False
            loops = [each.loop for each in self._watched.values()]
        return all(loop.wait_until_quiet(max(0.0, deadline - time.monotonic())) for loop in loops)

    def list_watched(self) -> list[tuple[SourceFolder, WatchLoop]]:
        """The folders that are there, with what watches them."""
        with self._turned:
            return [(each.folder, each.loop) for each in self._watched.values()]

    def reports(self) -> list[WatchReport]:
        """How each folder is watched. Any thread."""
        return [loop.report() for _, loop in self.list_watched()]

    def refresh(self) -> None:
        """Take up folders that came, and drop those that went or were changed."""
        folders = self._list_folders()
        wanted = {each.folder_id: each for each in folders}
        for folder_id in self._told.keys() - wanted.keys():
            del self._told[folder_id]
        for watched in list(self._watched.values()):
            folder = wanted.get(watched.folder.folder_id)
            if folder != watched.folder or _place(watched.folder) != watched.place:
                self._drop(watched)
        for number, folder in enumerate(folders):
            if folder.folder_id not in self._watched and not self._stopping.is_set():
                self._take_up(folder, folders[:number])

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.refresh()
            except Exception:  # a border: whatever the database or a disk says, the service goes on
                log.exception("the import folders could not be looked up; trying again")
            with self._turned:
                self._turns += 1
                self._turned.notify_all()
                self._turned.wait(LOOK_S)

    def _take_up(self, folder: SourceFolder, before: Sequence[SourceFolder]) -> None:
        place = _place(folder)
        try:
            self._check(folder, before)
            if place is None:
                raise LibraryError(f"{folder.path} is not there.")
        except LibraryError as error:
            self._tell(folder, error.message)
            return
        dropped = threading.Event()
        loop = self._make_loop(
            folder, self._build_rule(folder), lambda files: self._take(folder, files, dropped)
        )
        with self._turned:
            self._watched[folder.folder_id] = _Watched(folder, place, loop, dropped)
        loop.start()
        self._told.pop(folder.folder_id, None)
        log.info("watching %s (%s)", display_text(str(folder.path)), folder.mode)

    def _drop(self, watched: _Watched) -> None:
        with self._turned:
            del self._watched[watched.folder.folder_id]
        watched.dropped.set()
        watched.loop.stop(_STOP_S)
        log.info("no longer watching %s", display_text(str(watched.folder.path)))

    def _tell(self, folder: SourceFolder, reason: str) -> None:
        """Once, until it changes."""
        if self._told.get(folder.folder_id) != reason:
            log.warning("an import folder is not watched: %s", display_text(reason))
        self._told[folder.folder_id] = reason

    def _build_rule(self, folder: SourceFolder) -> Callable[[PurePath], bool]:
        if folder.recursive:
            return self._is_picture
        return lambda relative: len(relative.parts) == 1 and self._is_picture(relative)

    def _take(self, folder: SourceFolder, files: Sequence[SettledFile], dropped: threading.Event) -> None:
        """Runs in the thread of the folder's loop, which tries again what it is raised for."""
        faults = self._desk.take_all(
            folder, [each.path for each in files], lambda: dropped.is_set() or self._stopping.is_set()
        )
        if faults and not self._once.is_set():
            raise faults[0]
        for fault in faults:
            log.warning("A picture stays in %s: %s", display_text(str(folder.path)), fault)


def _place(folder: SourceFolder) -> tuple[int, int] | None:
    """Which folder has the path now; None while there is none."""
    try:
        found = folder.path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None
