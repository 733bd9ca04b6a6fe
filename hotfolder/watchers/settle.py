"""Has a file stopped changing? Decided from what others saw: the clock and the stat are passed in."""

from __future__ import annotations

import heapq
import itertools
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

LONGEST_PAUSE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Signature:
    """What tells two states of a path apart without reading the file; `contents` is for a folder alone.

    Of a folder that counts as one thing, size and times are those of the files in it, and `contents` stands
    for the state of each of them. It is not the same number in another process.
    """

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    contents: int | None = None

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Take the signature from a stat."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Verdict(Enum):
    """What one look found. A settled path stays in the book until done(), hold() or restart()."""

    SETTLED = "settled"
    WAIT = "wait"
    VANISHED = "vanished"


@dataclass(slots=True)
class _Entry:
    signature: Signature | None = None
    since: float = 0.0  # when `signature` was first seen
    look_at: float | None = None  # None: it was given out, and a look is owed; endless: it has settled
    is_renamed: bool = False  # the fast path holds
    rename_unseen: bool = False  # renamed after the last look, which explains one change
    pause_s: float = 0.0  # more than nothing: it stood still, but was found not to be complete


class SettleBook:
    """Paths that were seen and may still change, or are not complete.

    A path is announced, comes out of due() (at once, for its first signature), is looked at, and again when
    its time is up. Each path from due() must be given to look(). One thread only.
    """

    def __init__(
        self, *, settle_s: Callable[[str], float], rename_s: float = 0.05, empty_s: float = 10.0
    ) -> None:
        self._settle_s = settle_s
        self._rename_s = rename_s
        self._empty_s = empty_s
        self._entries: dict[str, _Entry] = {}
        self._held: set[str] = set()
        self._heap: list[tuple[float, str]] = []  # holds outdated lines too; an entry's look_at is the truth

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, path: object) -> bool:
        return path in self._entries

    def count_held(self) -> int:
        """Count the paths that stand still and wait for something else, by hold()."""
        return len(self._held)

    def is_held(self, path: str) -> bool:
        """Say whether the path stood still at the last look and was found not to be complete."""
        return path in self._held

    def first(self, count: int) -> list[str]:
        """List some of the paths."""
        return list(itertools.islice(self._entries, count))

    def announce(self, path: str, *, renamed: bool, now: float) -> None:
        """Note that an event or a listing saw the path: it is due now, and its signature decides the rest."""
        entry = self._entries.setdefault(path, _Entry())
        if renamed:
            entry.is_renamed = entry.rename_unseen = True
        if entry.look_at is None or now < entry.look_at:
            self._plan(path, entry, now)

    def remember(self, path: str, now: float) -> None:
        """Note that the path is still there: a look is due now, unless one is planned."""
        entry = self._entries.setdefault(path, _Entry())
        if entry.look_at is None:
            self._plan(path, entry, now)

    def announce_dear(self, path: str, now: float) -> None:
        """Note an event of a path that is dear to look at: due in its settle time, however many come."""
        entry = self._entries.setdefault(path, _Entry())
        look_at = now + self._settle_s(path) if entry.signature and not entry.pause_s else now
        if entry.look_at is None or look_at < entry.look_at:
            self._plan(path, entry, look_at)

    def done(self, path: str) -> None:
        """Forget a path that was taken."""
        self._entries.pop(path, None)
        self._held.discard(path)

    def hold(self, path: str, signature: Signature, now: float) -> None:
        """Keep a settled path that is not complete: looked at after its settle time, then ever less often."""
        entry = self._entries.setdefault(path, _Entry(signature))
        entry.pause_s = min(entry.pause_s * 2 or self._settle_s(path), LONGEST_PAUSE_S)
        self._held.add(path)
        self._plan(path, entry, now + entry.pause_s)

    def restart(self, path: str, signature: Signature, now: float) -> None:
        """Begin the wait of a settled path anew, without the fast path: somebody is still busy with it."""
        self._held.discard(path)
        entry = self._entries[path] = _Entry(signature, since=now)
        self._plan(path, entry, now + self._wait_s(path, entry, signature))

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
            self.done(path)
            return Verdict.VANISHED
        if signature != entry.signature:
            self._begin(path, entry, signature, now if taken_by is None else taken_by)
        entry.rename_unseen = False
        complete_at = entry.since + self._wait_s(path, entry, signature)
        if now < complete_at:
            self._plan(path, entry, complete_at)
            return Verdict.WAIT
        entry.look_at = math.inf
        return Verdict.SETTLED

    def _begin(self, path: str, entry: _Entry, signature: Signature, now: float) -> None:
        entry.signature, entry.since = signature, now
        entry.is_renamed = entry.rename_unseen
        entry.pause_s = 0.0
        self._held.discard(path)

    def _wait_s(self, path: str, entry: _Entry, signature: Signature) -> float:
        settle_s = self._settle_s(path)
        if signature.size == 0:
            return max(self._empty_s, settle_s)
        return min(self._rename_s, settle_s) if entry.is_renamed else settle_s

    def _plan(self, path: str, entry: _Entry, look_at: float) -> None:
        entry.look_at = look_at
        heapq.heappush(self._heap, (look_at, path))

    def _is_current(self, look_at: float, path: str) -> bool:
        entry = self._entries.get(path)
        return entry is not None and entry.look_at == look_at
