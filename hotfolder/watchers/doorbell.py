"""What the watcher's threads leave for a loop: which paths rang, and whether only a listing will do."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from typing import Final

from watchdog.events import FileDeletedEvent, FileMovedEvent, FileSystemEvent, FileSystemEventHandler

WAIT_SUFFIX: Final = ".wait"
"""`a.yaml` waits while `a.yaml.wait` lies beside it."""


@dataclass(frozen=True, slots=True)
class Rung:
    """What came in since the last look: path -> renamed into place; paths that came and went; more unsaid.

    What the handler left below the folders in `anew` is to be given once more.
    """

    paths: dict[str, bool]
    withdrawn: frozenset[str] = frozenset()
    wants_rescan: bool = False
    anew: frozenset[str] = frozenset()


class Doorbell(FileSystemEventHandler):
    """Collects events from the watcher's threads for the one thread that acts on them.

    It keeps one line a path, so a burst costs as much memory as it has names.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._paths: dict[str, bool] = {}
        self._withdrawn: set[str] = set()
        self._wants_rescan = False
        self._anew: set[str] = set()
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

    def request_again(self, folder: str) -> None:
        """Ask that what was left below a folder is given once more."""
        with self._lock:
            self._anew.add(folder)
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
            rung = Rung(self._paths, frozenset(self._withdrawn), self._wants_rescan, frozenset(self._anew))
            self._paths, self._withdrawn, self._wants_rescan, self._anew = {}, set(), False, set()
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
        name = os.fsdecode(path)
        with self._lock:
            if self._paths.pop(name, None) is not None:
                self._withdrawn.add(name)
        if name.endswith(WAIT_SUFFIX):
            self._ring(name.removesuffix(WAIT_SUFFIX), renamed=False)
