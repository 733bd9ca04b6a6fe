"""One watchdog observer for all roots of a service: with our emitter on Linux, else watchdog's own."""

from __future__ import annotations

import contextlib
import sys
import time
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
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, EventEmitter, ObservedWatch

from hotfolder.watchers.doorbell import Doorbell

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


class RootObserver:
    """Watches any number of roots, each for one doorbell; they come and go while it runs. Any thread."""

    def __init__(self, *, name: str = "watch", platform: str = sys.platform) -> None:
        self._is_linux = platform == "linux"
        self._observer = _make_linux_observer() if self._is_linux else Observer()
        self._observer.name = f"{name}-observer"

    def start(self) -> None:
        """Begin to pass on events; to be called before the first root is watched."""
        self._observer.start()

    def stop(self, timeout_s: float) -> None:
        """Stop and join all threads of all roots."""
        if self._observer.ident is None:
            return
        deadline = time.monotonic() + timeout_s
        self._observer.stop()
        self._observer.join(max(0.0, deadline - time.monotonic()))

    def watch(self, root: str, doorbell: Doorbell, name: str) -> RootEvents:
        """Let the events of a tree ring the bell until they are closed; OSError when it cannot be watched."""
        watch = self._observer.schedule(
            doorbell,
            root,
            recursive=True,
            event_filter=None if self._is_linux else _PORTABLE_EVENTS,  # our emitter asks for little itself
        )
        emitter = next(each for each in self._observer.emitters.copy() if each.watch == watch)
        emitter.name = f"watch-{name}-events"
        return RootEvents(self._observer, watch, emitter)


class RootEvents:
    """The events of one root."""

    def __init__(self, observer: BaseObserver, watch: ObservedWatch, emitter: EventEmitter) -> None:
        self._observer = observer
        self._watch = watch
        self._emitter = emitter

    def are_coming(self) -> bool:
        """Say whether the watch has not ended, as it does when its root is lost."""
        return self._emitter.is_alive() and self._emitter.should_keep_running()

    def find_unwatched(self) -> OSError | None:
        """Why a folder below the root is not watched, if one is; only our own emitter knows."""
        return getattr(self._emitter, "unwatched", None)

    def heard_until(self) -> float | None:
        """All events before this moment (time.monotonic) have rung; None where nobody can tell."""
        quiet_since: float | None = getattr(self._emitter, "quiet_since", None)
        return None if self._observer.event_queue.unfinished_tasks else quiet_since

    def close(self) -> None:
        """End the watch and join its thread."""
        with contextlib.suppress(KeyError):  # the observer was stopped, and with it all its watches
            self._observer.unschedule(self._watch)


def _make_linux_observer() -> BaseObserver:
    from hotfolder.watchers.linux import LinuxEmitter  # its module loads on Linux only

    return BaseObserver(LinuxEmitter)
