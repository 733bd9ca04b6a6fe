"""Jobs that wait for references, and when each is worth another look (no row is changed here)."""

from __future__ import annotations

import heapq
import threading
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from hotfolder.generation.claimed import Waiting
from hotfolder.watchers.claiming import Claim

LOOK_S: Final = 10.0
"""So often is a waiting job looked at though nothing was heard: references lie outside the inbox too."""
LOOK_S_PER_JOB: Final = 0.05
"""Many that wait are looked at less often: each look opens a job file again."""
SOON_S: Final = 0.25


@dataclass(slots=True)
class _Guest:
    claim: Claim
    waiting: Waiting
    look_at_s: float
    lacks: frozenset[str]
    names: frozenset[str]


class WaitingRoom:
    """Claims by the names that they lack. An arrival makes those due that wait for such a name."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guests: dict[str, _Guest] = {}
        self._lacking: dict[str, set[str]] = {}
        self._naming: Counter[str] = Counter()
        self._heap: list[tuple[float, str]] = []
        self._heard: set[str] = set()  # what arrived while a claim is at the door
        self._in_hand: frozenset[str] = frozenset()  # what the guest at the door names
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._guests)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._guests

    def listen(self) -> None:
        """A claim goes to the door: what arrives from now on may be what it is about to wait for."""
        with self._lock:
            self._heard.clear()

    def let_go(self) -> None:
        """The guest at the door has all that it named."""
        with self._lock:
            self._in_hand = frozenset()

    def enter(self, claim: Claim, waiting: Waiting) -> None:
        """A job begins to wait, or goes on."""
        lacks, names = _all_folded(waiting.lacks), _all_folded(waiting.names)
        now_s = self._clock()
        until_s = now_s + max(0.0, waiting.remaining_s)
        with self._lock:
            self._in_hand = frozenset()
            if claim.job_id in self._guests:  # another file stands for the same job
                self._remove(claim.job_id, self._guests[claim.job_id])
            pause_s = max(LOOK_S, len(self._guests) * LOOK_S_PER_JOB)
            look_at_s = min(now_s + (SOON_S if waiting.is_arriving else pause_s), until_s)
            if lacks & self._heard:
                look_at_s = now_s
            self._guests[claim.job_id] = _Guest(claim, waiting, look_at_s, lacks, names)
            for name in lacks:
                self._lacking.setdefault(name, set()).add(claim.job_id)
            self._naming.update(names)
            heapq.heappush(self._heap, (look_at_s, claim.job_id))

    def announce(self, path: PurePath) -> bool:
        """A file has arrived; says whether somebody waits for one of that name."""
        with self._lock:
            self._heard.add(_folded(path.name))
            job_ids = self._lacking.get(_folded(path.name), ())
            for job_id in job_ids:
                self._guests[job_id].look_at_s = 0.0
                heapq.heappush(self._heap, (0.0, job_id))
            return bool(job_ids)

    def names(self, path: PurePath) -> bool:
        """Whether a job that waits names a file of this name among all its references."""
        with self._lock:
            name = _folded(path.name)
            return self._naming[name] > 0 or name in self._in_hand

    def next_due(self, now_s: float) -> Claim | None:
        """Take out the next claim that is to go through the door again."""
        with self._lock:
            while self._heap and self._heap[0][0] <= now_s:
                look_at_s, job_id = heapq.heappop(self._heap)
                guest = self._guests.get(job_id)
                if guest is not None and guest.look_at_s == look_at_s:
                    self._remove(job_id, guest)
                    self._in_hand = guest.names
                    return guest.claim
            self._in_hand = frozenset()
        return None

    def is_due(self, now_s: float) -> bool:
        """Whether a claim waits for no more than its turn, or for a file that is just being written."""
        with self._lock:
            return any(
                guest.look_at_s <= now_s or guest.waiting.is_arriving for guest in self._guests.values()
            )

    def pause_s(self, now_s: float, longest_s: float) -> float:
        """How long until the next look."""
        with self._lock:
            return min(longest_s, max(0.0, self._heap[0][0] - now_s)) if self._heap else longest_s

    def _remove(self, job_id: str, guest: _Guest) -> None:
        del self._guests[job_id]
        self._naming.subtract(guest.names)
        for name in guest.lacks:
            self._lacking[name].discard(job_id)
            if not self._lacking[name]:
                del self._lacking[name]


def _all_folded(names: Iterable[str]) -> frozenset[str]:
    return frozenset(_folded(each) for each in names)


def _folded(name: str) -> str:
    """The last part of a name, so that those that look alike are alike."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", last).casefold())
