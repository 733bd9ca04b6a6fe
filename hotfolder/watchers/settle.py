"""Has a file stopped changing? Decided from what others saw: the clock and the stat are passed in."""

from __future__ import annotations

import heapq
import os
from dataclasses import dataclass
from enum import Enum
from typing import Self


@dataclass(frozen=True, slots=True)
class Signature:
    """What tells two states of a path apart without reading the file."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Take the signature from a stat."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Verdict(Enum):
    """What one look found; after all but WAIT the book has forgotten the path."""

    SETTLED = "settled"
    WAIT = "wait"
    VANISHED = "vanished"
    EMPTY = "empty"


@dataclass(slots=True)
class _Entry:
    signature: Signature | None = None
    since: float = 0.0  # when `signature` was first seen
    look_at: float | None = None  # None: due() gave it out and a look is owed
    is_renamed: bool = False  # the fast path holds
    rename_unseen: bool = False  # renamed after the last look, which explains one change


class SettleBook:
    """Paths that were seen and may still change.

    A path is announced, comes out of due() (at once, for its first signature), is looked at, and again when
    its time is up. Each path from due() must be given to look(). One thread only.
    """

    def __init__(self, *, settle_s: float, rename_s: float = 0.05, empty_s: float = 10.0) -> None:
        self._settle_s = settle_s
        self._rename_s = min(rename_s, settle_s)
        self._empty_s = max(empty_s, settle_s)
        self._entries: dict[str, _Entry] = {}
        self._heap: list[tuple[float, str]] = []  # holds outdated lines too; an entry's look_at is the truth

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def announce(self, path: str, *, renamed: bool, now: float) -> None:
        """Note that an event or a listing saw the path: it is due now, and its signature decides the rest."""
        entry = self._entries.setdefault(path, _Entry())
        if renamed:
            entry.is_renamed = entry.rename_unseen = True
        if entry.look_at is None or now < entry.look_at:
            self._plan(path, entry, now)

    def restart(self, path: str, signature: Signature, now: float) -> None:
        """Begin the wait of a settled file anew, without the fast path: somebody is still busy with it."""
        entry = self._entries.setdefault(path, _Entry())
        entry.signature, entry.since = signature, now
        entry.is_renamed = entry.rename_unseen = False
        self._plan(path, entry, now + self._wait_s(entry, signature))

    def next_look_at(self) -> float | None:
        """Return the time of the earliest look due, None when nothing waits for one."""
        while self._heap:
            look_at, path = self._heap[0]
            if self._is_current(look_at, path):
                return look_at
            heapq.heappop(self._heap)
        return None

    def due(self, now: float) -> list[str]:
        """Take out the paths to stat now, earliest first."""
        paths = []
        while self._heap and self._heap[0][0] <= now:
            look_at, path = heapq.heappop(self._heap)
            if self._is_current(look_at, path):
                self._entries[path].look_at = None
                paths.append(path)
        return paths

    def look(
        self, path: str, signature: Signature | None, now: float, *, taken_by: float | None = None
    ) -> Verdict:
        """Judge a path by its signature, None when it is gone.

        `now` is when the stat began, `taken_by` when it had ended (`now` if not given): a thread that was
        held up between the two must not count that time as time in which the file stood still.
        """
        entry = self._entries[path]
        if signature is None:
            del self._entries[path]
            return Verdict.VANISHED
        if signature != entry.signature:
            entry.signature = signature
            entry.since = now if taken_by is None else taken_by
            entry.is_renamed = entry.rename_unseen
        entry.rename_unseen = False
        complete_at = entry.since + self._wait_s(entry, signature)
        if now < complete_at:
            self._plan(path, entry, complete_at)
            return Verdict.WAIT
        del self._entries[path]
        return Verdict.SETTLED if signature.size else Verdict.EMPTY

    def _wait_s(self, entry: _Entry, signature: Signature) -> float:
        if signature.size == 0:
            return self._empty_s
        return self._rename_s if entry.is_renamed else self._settle_s

    def _plan(self, path: str, entry: _Entry, look_at: float) -> None:
        entry.look_at = look_at
        heapq.heappush(self._heap, (look_at, path))

    def _is_current(self, look_at: float, path: str) -> bool:
        entry = self._entries.get(path)
        return entry is not None and entry.look_at == look_at
