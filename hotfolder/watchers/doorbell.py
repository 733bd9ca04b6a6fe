"""The watchdog side of a watch loop: which paths rang, and a watch that is renewed when its root was lost."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

logger = logging.getLogger(__name__)

# What watchdog's own observers are asked for where there is no emitter of ours.
_PORTABLE_EVENTS: Final[list[type[FileSystemEvent]]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]


@dataclass(frozen=True, slots=True)
class Rung:
    """What came in since the last look: path -> renamed into place; and whether only a listing will do."""

    paths: dict[str, bool]
    wants_rescan: bool


class Doorbell(FileSystemEventHandler):
    """Collects events from the watcher's threads for the one thread that acts on them.

    It keeps one line a path, so a burst costs as much memory as it has names.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paths: dict[str, bool] = {}
        self._wants_rescan = False
        self._rang = threading.Event()

    def dispatch(self, event: FileSystemEvent) -> None:
        """Note an event; called by watchdog, in its thread."""
        if event.is_directory:
            # A folder came, went, or events were lost: what is in it has perhaps not been said.
            self.request_rescan()
        elif isinstance(event, FileMovedEvent):
            self._take_back(event.src_path)
            self._ring(event.dest_path, renamed=True)
        elif isinstance(event, FileDeletedEvent):
            self._take_back(event.src_path)
        else:
            self._ring(event.src_path, renamed=False)

    def request_rescan(self) -> None:
        """Ask for a listing of the whole tree."""
        with self._lock:
            self._wants_rescan = True
        self._rang.set()

    def wake(self) -> None:
        """End the wait without a reason from outside."""
        self._rang.set()

    def wait(self, timeout_s: float) -> None:
        """Return when the bell rang or the time is over."""
        self._rang.wait(timeout_s)
        self._rang.clear()

    def take(self) -> Rung:
        """Take out all that was noted."""
        with self._lock:
            rung = Rung(self._paths, self._wants_rescan)
            self._paths, self._wants_rescan = {}, False
        return rung

    def is_silent(self) -> bool:
        """Say whether nothing is noted at this moment."""
        with self._lock:
            return not self._paths and not self._wants_rescan

    def _ring(self, path: bytes | str, *, renamed: bool) -> None:
        name = os.fsdecode(path)
        with self._lock:
            self._paths[name] = renamed or self._paths.get(name, False)
        self._rang.set()

    def _take_back(self, path: bytes | str) -> None:
        # Else a file made under the name of one that was renamed in and deleted would count as renamed.
        with self._lock:
            self._paths.pop(os.fsdecode(path), None)


class RootWatch:
    """One observer on one root: with our emitter on Linux, else watchdog's own. One thread at a time."""

    def __init__(self, root: str, doorbell: Doorbell, name: str, *, platform: str = sys.platform) -> None:
        self._root = root
        self._doorbell = doorbell
        self._name = name
        self._is_linux = platform == "linux"
        self._observer: BaseObserver | None = None
        self._watch: ObservedWatch | None = None
        self._root_id: tuple[int, int] | None = None
        self._was_told = False

    def start(self) -> None:
        """Start the observer and watch the root if it is there."""
        self._observer = _make_linux_observer() if self._is_linux else Observer()
        self._observer.name = f"watch-{self._name}-observer"
        self._observer.start()
        self.renew()

    def renew(self) -> None:
        """Watch the root again when it is another folder than before or the watch has ended."""
        assert self._observer is not None
        if self.is_current():
            return
        root_id = _folder_id(self._root)
        self._close(self._observer)
        if root_id is None:
            self._tell("it is not there")
            return
        try:
            self._watch = self._observer.schedule(
                self._doorbell,
                self._root,
                recursive=True,
                event_filter=None
                if self._is_linux
                else _PORTABLE_EVENTS,  # our emitter asks for little itself
            )
        except OSError as error:
            self._tell(str(error))
            return
        self._root_id = root_id
        self._was_told = False
        for emitter in self._observer.emitters:
            emitter.name = f"watch-{self._name}-events"

    def is_current(self) -> bool:
        """Whether events of the folder that has this name now will come."""
        if self._observer is None or self._root_id is None:
            return False
        return _folder_id(self._root) == self._root_id and self._is_listening(self._observer)

    def stop(self, timeout_s: float) -> None:
        """Stop and join the watcher's threads."""
        if self._observer is None:
            return
        deadline = time.monotonic() + timeout_s
        self._observer.stop()
        self._observer.join(max(0.0, deadline - time.monotonic()))

    def _is_listening(self, observer: BaseObserver) -> bool:
        return self._watch is not None and all(
            emitter.is_alive() and emitter.should_keep_running() for emitter in observer.emitters
        )

    def _close(self, observer: BaseObserver) -> None:
        if self._watch is not None:
            observer.unschedule(self._watch)
        self._watch = self._root_id = None

    def _tell(self, reason: str) -> None:
        if not self._was_told:
            logger.warning("No events from %r, looking now and then instead: %s", self._root, reason)
        self._was_told = True


def _make_linux_observer() -> BaseObserver:
    from hotfolder.watchers.linux import LinuxEmitter  # its module loads on Linux only

    return BaseObserver(LinuxEmitter)


def _folder_id(folder: str) -> tuple[int, int] | None:
    try:
        status = Path(folder).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
