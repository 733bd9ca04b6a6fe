"""Doorbell and rescans in, settled files out: one thread that serves one folder."""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Final

from hotfolder.watchers.doorbell import Doorbell, RootWatch
from hotfolder.watchers.handover import HandOver, SettledFile, read_signature
from hotfolder.watchers.ignore import is_ignored, is_ignored_folder
from hotfolder.watchers.lease import is_open_for_writing
from hotfolder.watchers.settle import SettleBook, Verdict

__all__ = ["SettledFile", "WatchLoop"]

logger = logging.getLogger(__name__)

_BATCH_FILES: Final = 500
_CHECK_S: Final = 10.0


class WatchLoop:
    """Watches a folder tree and hands its settled files to one handler.

    Events are a doorbell, the listing is the truth. `accepts` gets the path relative to the root; temporary
    names and symbolic links are left out, and a file that somebody has open for writing waits. `on_settled`
    runs in the loop's own thread, `watch-<name>`, with at most 500 files at a time, ordered by time and
    natural name, and is expected to move them away. A file that it leaves is given again only when it has
    changed or the handler raised (then alone, with growing pauses).
    """

    def __init__(
        self,
        root: Path,
        *,
        accepts: Callable[[PurePath], bool],
        on_settled: Callable[[list[SettledFile]], None],
        settle_s: float,
        rescan_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
        name: str = "inbox",
    ) -> None:
        self._root = root.absolute()
        self._accepts = accepts
        self._rescan_s = rescan_s
        self._clock = clock
        self._doorbell = Doorbell()
        self._watch = RootWatch(os.fspath(self._root), self._doorbell, name)
        self._book = SettleBook(settle_s=settle_s)
        self._hand_over = HandOver(on_settled, clock=clock)
        self._thread = threading.Thread(target=self._run, name=f"watch-{name}", daemon=True)
        self._stop = threading.Event()
        self._scan_at = clock()
        self._check_at = clock() + _CHECK_S
        self._closed: set[str] = set()  # folders that the log was told about
        self._news = threading.Condition()  # guards the rest, which other threads read
        self._pending = 0
        self._scans_started = 0
        self._scan_found_news = False
        self._quiet_scan = 0  # the last scan that found nothing to do, while nothing else was to do

    def start(self) -> None:
        """Watch first, then list: what comes between the two is seen twice, not never."""
        if self._stop.is_set():
            return
        self._watch.start()
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
        self._watch.stop(max(0.0, deadline - time.monotonic()))

    def request_rescan(self) -> None:
        """Ask for a listing now instead of at its time."""
        self._doorbell.request_rescan()

    def pending(self) -> int:
        """Count the files that were seen and are not yet settled, or not yet taken by the handler."""
        with self._news:
            return self._pending

    def wait_until_quiet(self, timeout_s: float) -> bool:
        """Wait for a complete scan, begun after this call, that found nothing to do while nothing settled.

        False when the time is over or the loop was stopped. A root that cannot be listed is not quiet.
        """
        deadline = time.monotonic() + timeout_s
        with self._news:
            first = self._scans_started + 1
            self._doorbell.request_rescan()
            while self._quiet_scan < first:
                remaining_s = deadline - time.monotonic()
                if remaining_s <= 0 or self._stop.is_set():
                    return False
                if self._scan_found_news and self._pending == 0:
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
            self._doorbell.wait(self._idle_s())

    def _turn(self) -> None:
        rung = self._doorbell.take()
        scan = None
        if rung.wants_rescan or self._clock() >= self._scan_at or self._is_watch_lost():
            scan = self._scan()
        for path, renamed in rung.paths.items():
            self._notice(path, renamed=renamed)
        self._publish(None)
        self._give(self._settled())
        self._try_again()
        self._publish(scan)

    def _is_watch_lost(self) -> bool:
        """Now and then: is the root still the folder that is watched? It may have been made anew."""
        if self._clock() < self._check_at:
            return False
        self._check_at = self._clock() + _CHECK_S
        return not self._watch.is_current()

    def _scan(self) -> _Scan:
        self._scan_at = self._clock() + self._rescan_s
        with self._news:
            self._scans_started += 1
            number = self._scans_started
        self._watch.renew()
        root = os.fspath(self._root)
        files, closed = _list_files(root)
        news = [path for path in files if self._notice(path, renamed=False)]
        if not closed:
            self._hand_over.keep_only(map(Path, files))
        self._tell_closed(closed - {root})
        return _Scan(number, found_news=bool(news), root_was_read=root not in closed)

    def _tell_closed(self, folders: set[str]) -> None:
        for folder in sorted(folders - self._closed):
            logger.warning("Nothing is taken from %r: it cannot be read", folder)
        self._closed = folders

    def _notice(self, path: str, *, renamed: bool) -> bool:
        """Announce a path that an event or a listing named; say whether there is something to do about it."""
        relative = self._relative(path)
        if relative is None or not self._is_wanted(relative) or self._hand_over.has(Path(path)):
            return False
        self._book.announce(path, renamed=renamed, now=self._clock())
        return True

    def _relative(self, path: str) -> PurePosixPath | None:
        try:
            return PurePosixPath(PurePath(path).relative_to(self._root).as_posix())
        except ValueError:
            return None

    def _is_wanted(self, relative: PurePosixPath) -> bool:
        *folders, name = relative.parts or ("",)
        if is_ignored(name) or any(is_ignored_folder(folder) for folder in folders):
            return False
        try:
            return self._accepts(relative)
        except Exception:  # a border: one name that the rule fails on must not hide the others
            logger.exception("The rule for %r failed; it is left where it is", os.fspath(relative))
            return False

    def _settled(self) -> list[SettledFile]:
        began_at = self._clock()
        signatures = {path: read_signature(Path(path)) for path in self._book.due(began_at)}
        taken_by = (
            self._clock()
        )  # one time for all, so that what was seen together settles together, in order
        settled = []
        for path, signature in signatures.items():
            verdict = self._book.look(path, signature, began_at, taken_by=taken_by)
            relative = self._relative(path)
            if signature is None or relative is None or verdict is Verdict.WAIT:
                continue
            file = SettledFile(Path(path), relative, signature, empty=verdict is Verdict.EMPTY)
            if _is_in_use(file):
                self._book.restart(path, signature, self._clock())
            else:
                settled.append(file)
        return sorted(settled, key=_order)

    def _give(self, files: list[SettledFile]) -> None:
        for start in range(0, len(files), _BATCH_FILES):
            if self._stop.is_set():
                return
            for path in self._hand_over.give(files[start : start + _BATCH_FILES]):
                self._book.announce(os.fspath(path), renamed=False, now=self._clock())

    def _try_again(self) -> None:
        for file in self._hand_over.due(self._clock()):
            if self._hand_over.has(file.path):
                self._give([file])
            else:
                self._notice(os.fspath(file.path), renamed=False)

    def _publish(self, scan: _Scan | None) -> None:
        with self._news:
            self._pending = len(self._book) + len(self._hand_over)
            if scan and scan.root_was_read:
                self._scan_found_news = scan.found_news or self._pending > 0 or not self._doorbell.is_silent()
                if not self._scan_found_news:
                    self._quiet_scan = scan.number
            self._news.notify_all()

    def _idle_s(self) -> float:
        times = (self._scan_at, self._check_at, self._book.next_look_at(), self._hand_over.next_try_at())
        return max(0.0, min(at for at in times if at is not None) - self._clock())


@dataclass(frozen=True, slots=True)
class _Scan:
    number: int
    found_news: bool  # a file in it is not done with
    root_was_read: bool


def _list_files(root: str) -> tuple[list[str], set[str]]:
    """List the plain files of a tree that are not ignored, and the folders that could not be read."""
    files: list[str] = []
    closed: set[str] = set()
    folders = [root]
    for folder in folders:  # grows while it is walked
        try:
            _list_folder(folder, folders, files)
        except FileNotFoundError:
            if folder == root:
                closed.add(folder)
        except OSError:
            closed.add(folder)
    return files, closed


def _list_folder(folder: str, folders: list[str], files: list[str]) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                if not is_ignored_folder(entry.name):
                    folders.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                files.append(entry.path)


def _is_in_use(file: SettledFile) -> bool:
    """Whether a writer has the file open, or closed it with a last change after it was looked at."""
    return is_open_for_writing(file.path) or read_signature(file.path) != file.signature


def _order(file: SettledFile) -> tuple[int, list[str | int]]:
    return file.signature.mtime_ns, _natural(os.fspath(file.relative))


def _natural(name: str) -> list[str | int]:
    """Split so that `job-2` sorts before `job-10`; words and numbers alternate, so like meets like."""
    return [
        int(part) if index % 2 else part for index, part in enumerate(re.split("([0-9]+)", name.casefold()))
    ]
