"""A snapshot of the pictures that fit a filter, in an order, read by place."""

from __future__ import annotations

import threading
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pyroaring import BitMap


class Listing(Protocol):
    """Numbers of pictures by place, from 0; what has left the library since is still there."""

    def __len__(self) -> int: ...

    @property
    def listed(self) -> int:
        """How many numbers it keeps one by one, four bytes each; sets take next to nothing."""

    def read(self, offset: int, limit: int) -> Sequence[int]:
        """The numbers from a place on, fewer at the end."""

    def place_of(self, number: int) -> int | None:
        """The place of a picture, or None."""


@dataclass(frozen=True)
class Segments:
    """Pictures by date, within groups that follow each other: ratings, or a single group of all."""

    groups: Sequence[BitMap]
    is_ascending: bool = False

    def __len__(self) -> int:
        return sum(map(len, self.groups))

    @property
    def listed(self) -> int:
        """None: these are sets."""
        return 0

    def read(self, offset: int, limit: int) -> Sequence[int]:
        """The numbers from a place on, fewer at the end."""
        found = array("I")
        for group in self.groups:
            if offset < len(group) and len(found) < limit:
                found.extend(self._cut(group, offset, limit - len(found)))
            offset = max(0, offset - len(group))
        return found

    def place_of(self, number: int) -> int | None:
        """The place of a picture, or None."""
        before = 0
        for group in self.groups:
            if number in group:
                rank = group.rank(number)
                return before + (rank - 1 if self.is_ascending else len(group) - rank)
            before += len(group)
        return None

    def _cut(self, group: BitMap, offset: int, limit: int) -> Sequence[int]:
        if self.is_ascending:
            return array("I", group[offset : offset + limit])
        end = len(group) - offset
        return array("I", reversed(group[max(0, end - limit) : end]))


class Sorted:
    """Pictures in an order that is known only by going along it, as far as somebody has looked."""

    def __init__(self, numbers: BitMap, along: Iterator[Sequence[int]]) -> None:
        self._left = numbers.copy()
        self._total = len(numbers)
        self._along = along
        self._listed = array("I")
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return self._total

    @property
    def listed(self) -> int:
        """As many as somebody has looked at."""
        return len(self._listed)

    def read(self, offset: int, limit: int) -> Sequence[int]:
        """The numbers from a place on, fewer at the end."""
        with self._lock:
            while len(self._listed) < offset + limit and self._go_on():
                pass
            return self._listed[offset : offset + limit]

    def place_of(self, number: int) -> int | None:
        """The place of a picture, or None."""
        with self._lock:
            while number in self._left and self._go_on():
                pass
            try:
                return self._listed.index(number)
            except ValueError:
                return None

    def _go_on(self) -> bool:
        """What the order does not name, since it changed meanwhile, comes last."""
        if not self._left:
            return False
        chunk = next(self._along, None)
        found = self._left if chunk is None else [each for each in chunk if each in self._left]
        self._listed.extend(found)
        self._left = self._left - BitMap(found)
        return True
