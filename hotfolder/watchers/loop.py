"""Doorbell and rescans in, settled files out: one thread that serves one folder."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

from hotfolder.watchers.doorbell import Doorbell
from hotfolder.watchers.giving import Giving
from hotfolder.watchers.handover import HandOver, SettledFile
from hotfolder.watchers.listing import list_tree
from hotfolder.watchers.observer import RootObserver
from hotfolder.watchers.rootwatch import Mode, RootWatch
from hotfolder.watchers.screen import Screen
from hotfolder.watchers.settle import SettleBook, Signature
from hotfolder.watchers.sightings import Sightings
from hotfolder.watchers.signatures import read_signature

__all__ = ["SWITCH_S", "SettledFile", "WatchLoop", "WatchReport"]

logger = logging.getLogger(__name__)

SETTLE_S: Final = 0.5
SETTLE_SILENT_S: Final = 5.0
"""On file systems that do not tell what others change."""
SWITCH_S: Final = 0.0001
"""For sys.setswitchinterval in a process that watches: a thread that asks the disk about many files gives the
interpreter away at each question, and waits for it that long while another one computes. With Python's own
5 ms, 30,000 files take minutes instead of seconds on an idle machine (benchmarks/bench_intake)."""
IN_DEPTH_S: Final = 300.0
"""So often does a listing of a root whose events are heard ask about every file again."""
_REST: Final = 20.0  # a root that is polled rests so many times as long as its listing took,
_LONGEST_REST_S: Final = 60.0  # up to this
_EXAMPLES: Final = 10
_FAULT_PAUSE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class WatchReport:
    """How a root is watched, and what waits in it; `reason` says why events do not do, or not alone.

    `pending` counts what was seen and is not settled, not complete or not taken. `strange` are links, pipes,
    sockets and devices with names that would be taken. Of both some are named, absolute.
    """

    root: Path
    mode: Mode
    reason: str | None
    missed: int
    pending: int
    examples: tuple[Path, ...]
    strange: tuple[Path, ...]


class WatchLoop:
    """Watches a folder tree and hands its settled files to one handler.

    Events are a doorbell, the listing is the truth. `accepts` gets the path relative to the root; temporary
    names and symbolic links are left out, and a file that somebody has open for writing waits. `on_settled`
    runs in the loop's own thread, `watch-<name>`, with at most 500 files at a time, ordered by time and
    natural name, and is expected to move them away. A file that it leaves is given again only when it has
    changed or the handler raised (then alone, with growing pauses).

    `accepts` is asked about a name once, then again when it rings, in `request_rescan()`, and every 300 s.
    `is_complete` may keep a settled file waiting; it is asked again with pauses up to 10 s, and when the file
    or the removal of its `.wait` neighbour rings. A folder with a name that `is_unit` knows is one thing, if
    `accepts` wants it too; no path in it is handed over. `settle_s` None stands for 0.5 s, and 5 s on file
    systems that do not tell what others change. Without an `observer` the loop has one of its own.
    """

    def __init__(
        self,
        root: Path,
        *,
        accepts: Callable[[PurePath], bool],
        on_settled: Callable[[list[SettledFile]], None],
        settle_s: float | None = None,
        rescan_s: float = 10.0,
        poll_s: float = 2.0,
        is_complete: Callable[[SettledFile], bool] = lambda _: True,
        is_unit: Callable[[str], bool] = lambda _: False,
        observer: RootObserver | None = None,
        clock: Callable[[], float] = time.monotonic,
        name: str = "inbox",
    ) -> None:
        self._root = root.absolute()
        self._settle_s = settle_s
        self._rescan_s = rescan_s
        self._poll_s = min(poll_s, rescan_s)
        self._is_unit = is_unit
        self._clock = clock
        self._doorbell = Doorbell()
        path = os.fspath(self._root)
        used = observer or RootObserver(name=f"watch-{name}")
        self._own_observer = used if observer is None else None
        self._watch = RootWatch(path, self._doorbell, used, name, clock=clock)
        screen = Screen(path, accepts, is_unit)
        self._book = SettleBook(settle_s=self._settle_s_of)
        self._hand_over = HandOver(on_settled, read=self._read, clock=clock)
        self._sightings = Sightings(screen, self._book, self._hand_over, clock=clock)
        self._giving = Giving(
            screen, self._book, self._hand_over, is_complete=is_complete, read=self._read, clock=clock
        )
        self._thread = threading.Thread(target=self._run, name=f"watch-{name}", daemon=True)
        self._stop = threading.Event()
        self._scan_at = self._depth_at = clock()
        self._closed: set[str] = set()  # folders that the log was told about
        self._news = threading.Condition()  # guards the rest, which other threads read
        self._report = WatchReport(self._root, "missing", self._watch.reason, 0, 0, (), ())
        self._is_busy = False  # something that was seen has to settle, or to be taken
        self._scans_started = 0
        self._scan_found_news = False
        self._quiet_scan = 0  # the last scan that found nothing to do, while nothing else was to do

    def start(self) -> None:
        """Begin; a disk that hangs holds up the loop's own thread alone."""
        if self._stop.is_set():
            return
        if self._own_observer is not None:
            self._own_observer.start()
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Stop and join all threads of the loop; a handler that is running is waited for."""
        deadline = time.monotonic() + timeout_s
        self._stop.set()
        self._doorbell.wake()
        with self._news:
            self._news.notify_all()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)
        if self._thread.is_alive():
            logger.warning("%s is still in its handler after %.1f s", self._thread.name, timeout_s)
        self._watch.close()
        if self._own_observer is not None:
            self._own_observer.stop(max(0.0, deadline - time.monotonic()))

    def request_rescan(self) -> None:
        """Ask for a listing now instead of at its time."""
        self._doorbell.request_rescan()

    def give_again(self, folder: Path) -> None:
        """Ask that what the handler left below a folder is given once more, as if it had just come."""
        self._doorbell.request_again(os.fspath(self._root / folder))

    def pending(self) -> int:
        """Count what was seen and is not yet settled, not complete, or not yet taken by the handler."""
        return self.report().pending

    def report(self) -> WatchReport:
        """Say how the root is watched and what waits in it. Any thread; costs nothing."""
        with self._news:
            return self._report

    def wait_until_quiet(self, timeout_s: float) -> bool:
        """Wait for a complete scan, begun after this call, that found nothing to do while nothing settled.

        What stands still and is not complete by `is_complete` is nothing to do. False when the time is over
        or the loop was stopped. A root that cannot be listed is not quiet.
        """
        deadline = time.monotonic() + timeout_s
        with self._news:
            first = self._scans_started + 1
            self._doorbell.request_rescan()
            while self._quiet_scan < first:
                remaining_s = deadline - time.monotonic()
                if remaining_s <= 0 or self._stop.is_set():
                    return False
                if self._scan_found_news and not self._is_busy:
                    self._scan_found_news = False
                    self._doorbell.request_rescan()
                self._news.wait(remaining_s)
        return True

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._turn()
            except Exception:  # a border: a fault in one look must not leave the folder unwatched
                logger.exception("One look at %r failed; the next listing repeats it", os.fspath(self._root))
                self._stop.wait(_FAULT_PAUSE_S)
            self._doorbell.wait(self._idle_s())

    def _turn(self) -> None:
        rung = self._doorbell.take()
        for folder in rung.anew:
            self._hand_over.forget_below(folder)
        scan = None
        if rung.wants_rescan or self._clock() >= self._scan_at or self._is_watch_lost():
            scan = self._scan(asked_for=rung.wants_rescan)
        self._sightings.hear(rung)
        self._count_misses()
        self._publish(None)
        self._giving.give_settled()
        self._try_again()
        self._publish(scan)

    def _is_watch_lost(self) -> bool:
        """Now and then: is the root still the folder that is watched? It may have been made anew."""
        return self._clock() >= self._watch.check_at and not self._watch.is_current()

    def _scan(self, *, asked_for: bool) -> _Scan:
        began_at = self._clock()
        with self._news:
            self._scans_started += 1
            number = self._scans_started
        # Watch first, then list: what comes between the two is seen twice, not never.
        is_new_watch = self._watch.renew()
        is_polled = self._watch.mode != "events"
        in_depth = is_new_watch or is_polled or asked_for or began_at >= self._depth_at
        listing = list_tree(os.fspath(self._root), self._is_unit)
        found_news = self._sightings.see(
            listing, in_depth=in_depth, is_watched=not (is_new_watch or is_polled or asked_for)
        )
        self._tell_closed(listing.closed - {listing.root})
        self._plan_next(began_at, in_depth=in_depth, is_polled=is_polled)
        return _Scan(number, found_news=found_news, root_was_read=listing.root_was_read)

    def _plan_next(self, began_at: float, *, in_depth: bool, is_polled: bool) -> None:
        now = self._clock()
        rest_s = min((now - began_at) * _REST, _LONGEST_REST_S)
        self._scan_at = now + max(self._poll_s if is_polled else self._rescan_s, rest_s)
        if in_depth:
            self._depth_at = now + IN_DEPTH_S

    def _tell_closed(self, folders: set[str]) -> None:
        for folder in sorted(folders - self._closed):
            logger.warning("Nothing is taken from %r: it cannot be read", folder)
        self._closed = folders

    def _count_misses(self) -> None:
        misses = self._sightings.misses
        misses.confirm(self._watch.heard_until())
        if misses.are_too_many():
            self._watch.poll_too("some files came of which no event told")

    def _try_again(self) -> None:
        for file in self._hand_over.due(self._clock()):
            path = os.fspath(file.path)
            if self._hand_over.has(path):
                self._giving.give([file])
            else:
                self._book.announce(path, renamed=False, now=self._clock())

    def _publish(self, scan: _Scan | None) -> None:
        waiting = len(self._book) + len(self._hand_over)
        report = WatchReport(
            self._root,
            self._watch.mode,
            self._watch.reason,
            self._sightings.misses.count,
            waiting,
            tuple(map(Path, self._book.first(_EXAMPLES))),
            tuple(map(Path, self._sightings.strange)),
        )
        with self._news:
            self._report = report
            self._is_busy = waiting > self._book.count_held()
            if scan and scan.root_was_read:
                self._scan_found_news = scan.found_news or self._is_busy or not self._doorbell.is_silent()
                if not self._scan_found_news:
                    self._quiet_scan = scan.number
            self._news.notify_all()

    def _idle_s(self) -> float:
        if self._giving.has_more():
            return 0.0
        times = (
            self._scan_at,
            self._watch.check_at,
            self._book.next_look_at(),
            self._hand_over.next_try_at(),
        )
        return max(0.0, min(at for at in times if at is not None) - self._clock())

    def _settle_s_of(self, path: str) -> float:
        if self._settle_s is not None:
            return self._settle_s
        return SETTLE_SILENT_S if self._watch.is_silent(path) else SETTLE_S

    def _read(self, path: str) -> Signature | None:
        return read_signature(path, self._is_unit)


@dataclass(frozen=True, slots=True)
class _Scan:
    number: int
    found_news: bool  # a file in it is not done with
    root_was_read: bool
