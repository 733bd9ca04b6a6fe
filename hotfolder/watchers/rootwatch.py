"""The watch on one root: begun again when it was lost, and whether listings must do what events cannot."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Literal

from hotfolder.watchers.doorbell import Doorbell
from hotfolder.watchers.mounts import Mount, Mounts, load_mounts
from hotfolder.watchers.observer import RootEvents, RootObserver

logger = logging.getLogger(__name__)

Mode = Literal["events", "polling", "events and polling", "missing"]

CHECK_S: Final = 10.0
"""So often is asked whether the root is still the folder that is watched."""
RETRY_S: Final = 60.0
"""So often are events asked for again where a limit was reached."""
_MISSING: Final = "it is not there"


@dataclass(frozen=True, slots=True)
class _Place:
    """What has the name of the root now, and what is mounted there and below."""

    root_id: tuple[int, int] | None
    mount: Mount | None
    silent_below: tuple[Mount, ...]


class RootWatch:
    """Keeps one root watched as well as can be; any `Mode` but "events" has a reason. One thread only."""

    def __init__(
        self,
        root: str,
        doorbell: Doorbell,
        observer: RootObserver,
        name: str,
        *,
        clock: Callable[[], float],
    ) -> None:
        self._root = root
        self._doorbell = doorbell
        self._observer = observer
        self._name = name
        self._clock = clock
        self._mounts = Mounts(())
        self._place = _Place(None, None, ())
        self._events: RootEvents | None = None
        self._retry_at: float | None = None
        self._reasons: dict[str, str] = {"place": "it is not watched yet"}
        self._told: set[str] = set()
        self.check_at = clock()
        """When is_current() is worth asking."""

    @property
    def mode(self) -> Mode:
        """How changes are found now."""
        if self._place.root_id is None:
            return "missing"
        if self._events is None:
            return "polling"
        return "events and polling" if self._reasons else "events"

    @property
    def reason(self) -> str | None:
        """Why events do not do, or not alone."""
        return "; ".join(self._reasons.values()) or None

    def renew(self) -> bool:
        """Watch the root again where that is needed or worth a try; say whether the watch is another now."""
        place = self._look()
        self._note_limit(self._events.find_unwatched() if self._events else None)
        if place == self._place and self._is_intact() and not self._is_retry_due():
            return False
        self.close()
        self._place, self._retry_at = place, None
        self._note_place(place)
        if place.root_id is not None and not (place.mount and place.mount.is_silent):
            self._open()
        return True

    def is_current(self) -> bool:
        """Whether the watch is still what the root needs. Asks the disk."""
        return self._look() == self._place and self._is_intact() and not self._is_retry_due()

    def poll_too(self, reason: str) -> None:
        """Look at the root by itself from now on, whatever events say."""
        self._note("missed", reason)

    def heard_until(self) -> float | None:
        """All events before this moment (time.monotonic) have rung; None where nobody can tell."""
        return self._events.heard_until() if self._events else None

    def is_silent(self, path: str) -> bool:
        """Say whether others may change this file without a word, because of the file system it lies on."""
        if not self._place.silent_below and not (self._place.mount and self._place.mount.is_silent):
            return False
        return self._mounts.is_silent(self._real(path))

    def close(self) -> None:
        """End the watch."""
        if self._events is not None:
            self._events.close()
        self._events = None

    def _look(self) -> _Place:
        self.check_at = self._clock() + CHECK_S
        self._mounts = load_mounts()
        real = self._real(self._root)
        return _Place(
            _folder_id(self._root),
            self._mounts.of_path(real),
            tuple(self._mounts.list_silent_below(real)),
        )

    def _real(self, path: str) -> PurePosixPath:
        # Links are followed on the way to the root, and not below it.
        return PurePosixPath(os.path.realpath(self._root) + path[len(self._root) :])

    def _is_intact(self) -> bool:
        return self._events is None or self._events.are_coming()

    def _is_retry_due(self) -> bool:
        return self._retry_at is not None and self._clock() >= self._retry_at

    def _open(self) -> None:
        try:
            self._events = self._observer.watch(self._root, self._doorbell, self._name)
        except FileNotFoundError:
            return  # gone in this instant; the next look sees it
        except OSError as error:
            self._note_limit(error)
            return
        self._note("limit", None)

    def _note_limit(self, error: OSError | None) -> None:
        if error is None:
            return
        if self._retry_at is None:
            self._retry_at = self._clock() + RETRY_S
        self._note("limit", error.strerror or str(error))

    def _note_place(self, place: _Place) -> None:
        if place.root_id is None:
            self._note("place", _MISSING)
            return
        self._told.discard(_MISSING)
        silent = [place.mount] if place.mount and place.mount.is_silent else list(place.silent_below)
        self._note("place", "; ".join(map(_describe, silent)) or None)

    def _note(self, kind: str, reason: str | None) -> None:
        self._reasons.pop(kind, None)
        if reason is None:
            return
        self._reasons[kind] = reason
        if reason not in self._told:
            logger.warning("No events, or not all, from %r, looking now and then too: %s", self._root, reason)
        self._told.add(reason)


def _describe(mount: Mount) -> str:
    return f"{mount.point} is {mount.file_system}, which does not tell what others change"


def _folder_id(folder: str) -> tuple[int, int] | None:
    try:
        status = Path(folder).stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
