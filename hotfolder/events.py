"""Events: their topics, their value, and the doorbell that says there are new ones."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

JOB_RECEIVED = "job.received"
JOB_CHANGED = "job.changed"
WORK_UPDATED = "workQueue.updated"
GENERATION_PROGRESS = "generation.progress"
GENERATION_CHANGED = "generation.changed"
GENERATION_MADE = "generation.made"
GENERATION_RESULT = "generation.result"
LIBRARY_UPDATED = "library.updated"
RATING_CHANGED = "rating.changed"
IMPORT_ENDED = "import.ended"
ENGINE_STATUS = "engine.status"

FILE_MANAGER = "file manager"
"""The actor of what somebody did by moving or deleting files."""


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the append-only `events` table."""

    seq: int
    at: str
    topic: str
    subject_type: str
    subject_id: str
    actor: str | None
    data: Mapping[str, Any]


class Doorbell:
    """Wakes every thread that waits for something to have been committed; rings carry no content."""

    def __init__(self) -> None:
        self._listeners: list[threading.Event] = []
        self._lock = threading.Lock()

    def listen(self) -> threading.Event:
        """A bell of the caller's own: wait on it, clear it, then look."""
        bell = threading.Event()
        with self._lock:
            self._listeners.append(bell)
        return bell

    def ring(self) -> None:
        """Wake all listeners."""
        with self._lock:
            listeners = list(self._listeners)
        for bell in listeners:
            bell.set()
