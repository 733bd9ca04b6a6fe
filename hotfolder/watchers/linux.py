"""A watchdog emitter for Linux that does not pair moves, so it never holds an event back.

the kernel says                         sent as
file created or linked in               FileCreatedEvent(path)
file closed after writing               FileClosedEvent(path)
file renamed in, from wherever          FileMovedEvent("", path), as watchdog's own full emitter says it
file deleted or renamed out             FileDeletedEvent(path)
folder created or renamed in            FileCreatedEvent for it and for every file found in it
folder deleted or renamed out           nothing
root deleted, renamed or unmounted      DirDeletedEvent(root), and the thread ends
events were lost, or not asked for yet  DirModifiedEvent(root): list the tree again
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from typing import Final

from watchdog.events import (
    DirDeletedEvent,
    DirModifiedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
)
from watchdog.observers.api import DEFAULT_EMITTER_TIMEOUT, EventEmitter, EventQueue, ObservedWatch
from watchdog.observers.inotify_c import InotifyConstants as In

from hotfolder.watchers.ignore import is_ignored_folder
from hotfolder.watchers.inotify import Inotify, KernelEvent

# Not OPEN, MODIFY or ATTRIB: three times the events in a burst, and reading the tree would make some itself.
_COMING: Final = In.IN_CREATE | In.IN_CLOSE_WRITE | In.IN_MOVED_TO
_LEAVING: Final = In.IN_DELETE | In.IN_MOVED_FROM
_ROOT_LOST: Final = In.IN_DELETE_SELF | In.IN_MOVE_SELF | In.IN_UNMOUNT | In.IN_IGNORED
_ROOT_MASK: Final = _COMING | _LEAVING | In.IN_DELETE_SELF | In.IN_MOVE_SELF | In.IN_ONLYDIR
_FOLDER_MASK: Final = _ROOT_MASK | In.IN_DONT_FOLLOW  # the root alone may be a symbolic link
_GONE: Final = (errno.ENOENT, errno.ENOTDIR)


class LinuxEmitter(EventEmitter):
    """Events of one folder tree; a folder made or moved in is watched at once and what it holds announced.

    `start()` raises OSError when the root cannot be watched. The folders below follow in the emitter's own
    thread, which then asks for a listing, so that a slow disk holds up nobody else.
    """

    def __init__(
        self,
        event_queue: EventQueue,
        watch: ObservedWatch,
        *,
        timeout: float = DEFAULT_EMITTER_TIMEOUT,
        event_filter: list[type[FileSystemEvent]] | None = None,
    ) -> None:
        super().__init__(event_queue, watch, timeout=timeout, event_filter=event_filter)
        self._root = os.fsdecode(watch.path)
        self._inotify: Inotify | None = None
        self._folder_of: dict[int, str] = {}
        self._descriptor_of: dict[str, int] = {}
        self.unwatched: OSError | None = None
        """Why a folder below the root is not watched, the first time that happened."""
        self.quiet_since: float | None = None
        """All that happened before this moment (time.monotonic) has been queued."""

    def on_thread_start(self) -> None:
        """Open the kernel's queue and watch the root, in the thread that calls start()."""
        self._inotify = Inotify()
        try:
            self._watch_folder(self._root)
        except OSError:
            self._inotify.close()
            raise

    def on_thread_stop(self) -> None:
        """End the read that the thread is waiting in."""
        if self._inotify is not None:
            self._inotify.wake()

    def run(self) -> None:
        """Watch the tree, read until stopped or the root is lost, then give the kernel's queue back."""
        try:
            self.watch_all()
            super().run()
        finally:
            if self._inotify is not None:
                self._inotify.close()

    def queue_events(self, timeout: float) -> None:
        """Wait for the kernel and pass on what it says."""
        assert self._inotify is not None
        asked_at = time.monotonic()
        was_quiet = True
        for event in self._inotify.read(timeout):
            was_quiet = False
            if self.should_keep_running():
                self._take(event)
        if was_quiet:
            self.quiet_since = asked_at

    def watch_all(self) -> None:
        """Watch every folder of the tree; ask for a listing when there are some, for what came meanwhile."""
        known = set(self._descriptor_of)
        try:
            folders = {folder for folder, _ in self._walk(self._root)}
        except OSError:
            self._lose_root()
            return
        # Only the stale ones: removing all would make an event for each folder, and overflow the queue.
        for folder in known.difference(folders):
            self._unwatch(folder)
        if len(folders) > 1 or self.unwatched:
            self._ask_for_a_listing()

    def on_overflow(self) -> None:
        """Ask for a listing, and watch the tree anew, because folders may have come and gone unheard."""
        self._ask_for_a_listing()
        self.watch_all()

    def _ask_for_a_listing(self) -> None:
        self.queue_event(DirModifiedEvent(self._root, is_synthetic=True))

    def _take(self, event: KernelEvent) -> None:
        if event.mask & In.IN_Q_OVERFLOW:
            self.on_overflow()
            return
        folder = self._folder_of.get(event.descriptor)
        if folder is None:
            return
        if not event.name:
            self._take_own(event, folder)
        elif event.mask & In.IN_ISDIR:
            self._take_folder(event.mask, f"{folder}/{event.name}")
        else:
            self._take_file(event.mask, f"{folder}/{event.name}")

    def _take_own(self, event: KernelEvent, folder: str) -> None:
        if folder == self._root and event.mask & _ROOT_LOST:
            self._lose_root()
        elif event.mask & In.IN_IGNORED:  # deleted, or unmounted: then there is a folder below
            self._forget(event.descriptor)
            self._announce_tree(folder)

    def _take_file(self, mask: int, path: str) -> None:
        if mask & In.IN_MOVED_TO:
            self.queue_event(FileMovedEvent("", path))
        elif mask & In.IN_CREATE:
            self.queue_event(FileCreatedEvent(path))
        elif mask & In.IN_CLOSE_WRITE:
            self.queue_event(FileClosedEvent(path))
        elif mask & _LEAVING:
            self.queue_event(FileDeletedEvent(path))

    def _take_folder(self, mask: int, path: str) -> None:
        # Nothing for a deleted one: it was empty, and its own watch says that it ended.
        if mask & In.IN_MOVED_FROM:
            below = f"{path}/"
            for folder in [
                known for known in self._descriptor_of if known == path or known.startswith(below)
            ]:
                self._unwatch(folder)
        elif mask & (In.IN_CREATE | In.IN_MOVED_TO) and not is_ignored_folder(os.path.basename(path)):  # noqa: PTH119
            self.queue_event(FileCreatedEvent(path, is_synthetic=True))
            self._announce_tree(path)

    def _announce_tree(self, top: str) -> None:
        for _, files in self._walk(top):
            for file in files:
                self.queue_event(FileCreatedEvent(file, is_synthetic=True))

    def _walk(self, top: str) -> Iterator[tuple[str, list[str]]]:
        """Watch a folder and all below it; give each once it is watched, with the files seen since."""
        folders = [top]
        while folders and self.should_keep_running():
            folder = folders.pop()
            if self._watch_folder(folder):
                files: list[str] = []
                _list_into(folder, folders, files)
                yield folder, files

    def _watch_folder(self, folder: str) -> bool:
        assert self._inotify is not None
        try:
            descriptor = self._inotify.add(folder, _ROOT_MASK if folder == self._root else _FOLDER_MASK)
        except OSError as error:
            if folder == self._root:
                raise
            if error.errno in _GONE:
                return False
            self.unwatched = self.unwatched or error
            return True  # what it holds now can still be announced
        self._forget(descriptor)  # the same folder under its name before a move
        self._folder_of[descriptor] = folder
        self._descriptor_of[folder] = descriptor
        return True

    def _unwatch(self, folder: str) -> None:
        assert self._inotify is not None
        descriptor = self._descriptor_of[folder]
        self._forget(descriptor)
        self._inotify.remove(descriptor)

    def _forget(self, descriptor: int) -> None:
        folder = self._folder_of.pop(descriptor, None)
        if folder is not None and self._descriptor_of.get(folder) == descriptor:
            del self._descriptor_of[folder]

    def _lose_root(self) -> None:
        self.stop()  # before the event, so that who reacts to it finds the watch ended
        self.queue_event(DirDeletedEvent(self._root))


def _list_into(folder: str, folders: list[str], files: list[str]) -> None:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir(follow_symlinks=False):
                    files.append(entry.path)
                elif not is_ignored_folder(entry.name):
                    folders.append(entry.path)
    except OSError:
        return  # gone or closed to us; the owner's own listing reports that
