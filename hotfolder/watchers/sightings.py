"""Events and listings made into announcements: which paths are new, which are known, which no event named."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from hotfolder.watchers.doorbell import Rung
from hotfolder.watchers.handover import HandOver
from hotfolder.watchers.listing import Listing
from hotfolder.watchers.misses import Misses
from hotfolder.watchers.screen import Screen, Target
from hotfolder.watchers.settle import SettleBook

STRANGE_SHOWN: Final = 10


class Sightings:
    """Announces to the book what is to settle. One thread only.

    A listing in depth asks about every path again. The others pass over what was not wanted or was left by
    the handler: where events are heard, its change would have rung.
    """

    def __init__(
        self, screen: Screen, book: SettleBook, hand_over: HandOver, *, clock: Callable[[], float]
    ) -> None:
        self._screen = screen
        self._book = book
        self._hand_over = hand_over
        self._clock = clock
        self._refused: set[str] = set()
        self.misses = Misses()
        self.strange: tuple[str, ...] = ()

    def hear(self, rung: Rung) -> None:
        """Announce what rang."""
        if rung.wants_rescan:
            self.misses.clear_all()
        for path in rung.withdrawn:
            if (target := self._screen.find(path)) is not None:
                self.misses.clear(target.path)
        for path, renamed in rung.paths.items():
            self._hear(path, renamed=renamed)

    def see(self, listing: Listing, *, in_depth: bool, is_watched: bool) -> bool:
        """Announce what a listing shows; say whether there is something to do about any of it.

        `is_watched` says that events came all the time since the listing before.
        """
        refused_before = self._refused
        if in_depth:
            self._refused = set()
        if not listing.closed:
            self._forget_all_but(set(listing.things))
        self.strange = tuple(filter(self._screen.is_wanted, listing.strange))[:STRANGE_SHOWN]
        refused, knows = self._refused, self._hand_over.knows
        paths = [path for path in listing.things if path not in refused and (in_depth or not knows(path))]
        if is_watched:
            self._suspect([path for path in paths if path not in refused_before])
        return sum(map(self._see, paths)) > 0  # each of them, not the first alone

    def announce(self, target: Target, *, renamed: bool) -> bool:
        """Let a path settle unless it was given, left and is unchanged since; say whether it has to."""
        path, now = target.path, self._clock()
        if self._hand_over.has(path):
            return False
        if target.is_unit:
            self._book.announce_dear(path, now)
        else:
            self._book.announce(path, renamed=renamed, now=now)
        return True

    def _hear(self, path: str, *, renamed: bool) -> None:
        target = self._screen.find(path)
        if target is None:
            self._refused.add(path)
            return
        self._refused.discard(target.path)
        self.misses.clear(target.path)
        self.announce(target, renamed=renamed)

    def _suspect(self, paths: list[str]) -> None:
        seen_at = time.monotonic()
        for path in paths:
            if path not in self._book and not self._hand_over.knows(path) and self._screen.is_wanted(path):
                self.misses.suspect(path, seen_at)

    def _see(self, path: str) -> bool:
        if path in self._book:
            if self._book.is_held(path):
                return False
            self._book.remember(path, self._clock())
            return True
        target = self._screen.find(path)
        if target is None:
            self._refused.add(path)
            return False
        return self.announce(target, renamed=False)

    def _forget_all_but(self, present: set[str]) -> None:
        self._refused &= present
        self._hand_over.keep_only(present)
