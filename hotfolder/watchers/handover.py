"""Settled files on their way to the handler: given, left in their place, or to be tried again."""

from __future__ import annotations

import logging
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from hotfolder.watchers.settle import Signature

logger = logging.getLogger(__name__)

FIRST_RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class SettledFile:
    """A file that stopped changing; `empty` says that it stayed without content."""

    path: Path
    relative: PurePosixPath
    signature: Signature
    empty: bool


@dataclass(frozen=True, slots=True)
class _Try:
    file: SettledFile
    failures: int
    again_at: float


class HandOver:
    """Calls the handler and remembers what it left. One thread only.

    A file that is still there, unchanged, after a call that returned is not given again; after a call that
    raised it is, alone, so that one bad file does not hold up the others of its batch.
    """

    def __init__(
        self, on_settled: Callable[[list[SettledFile]], None], *, clock: Callable[[], float]
    ) -> None:
        self._on_settled = on_settled
        self._clock = clock
        self._left: dict[Path, Signature] = {}
        self._tries: dict[Path, _Try] = {}

    def __len__(self) -> int:
        """Count the files that wait for another try."""
        return len(self._tries)

    def has(self, path: Path) -> bool:
        """Say whether the path was given and is unchanged since; one that changed is forgotten."""
        known = self._signature_given(path)
        if known is None:
            return False
        if read_signature(path) == known:
            return True
        self._forget(path)
        return False

    def keep_only(self, paths: Iterable[Path]) -> None:
        """Forget what was left in places that a complete listing did not show."""
        self._left = {path: self._left[path] for path in paths if path in self._left}

    def next_try_at(self) -> float | None:
        """Return when the next file is to be tried again."""
        return min((each.again_at for each in self._tries.values()), default=None)

    def due(self, now: float) -> list[SettledFile]:
        """List the files to try again now."""
        return [each.file for each in self._tries.values() if each.again_at <= now]

    def give(self, files: list[SettledFile]) -> list[Path]:
        """Call the handler; return the paths that changed meanwhile and have to settle once more."""
        failed = not self._call(files)
        changed = []
        for file in files:
            before = self._tries.pop(file.path, None)
            signature = read_signature(file.path)
            if signature is None:
                continue
            if signature != file.signature:
                changed.append(file.path)
            elif failed:
                self._tries[file.path] = self._next_try(file, before)
            else:
                self._left[file.path] = signature
        return changed

    def _call(self, files: list[SettledFile]) -> bool:
        try:
            self._on_settled(files)
        except Exception:  # a border: whatever a handler does, the folder stays watched
            if any(file.path not in self._tries for file in files):  # once a streak, not at each try
                logger.exception("%d file(s), first %r, not taken; trying again", len(files), files[0].path)
            return False
        return True

    def _next_try(self, file: SettledFile, before: _Try | None) -> _Try:
        failures = before.failures + 1 if before else 1
        return _Try(file, failures, self._clock() + retry_delay_s(failures))

    def _signature_given(self, path: Path) -> Signature | None:
        if path in self._tries:
            return self._tries[path].file.signature
        return self._left.get(path)

    def _forget(self, path: Path) -> None:
        self._left.pop(path, None)
        self._tries.pop(path, None)


def retry_delay_s(failures: int) -> float:
    """Return the wait after so many failures in a row: doubled each time, up to a minute."""
    return min(FIRST_RETRY_S * 2.0 ** min(failures - 1, 10), LONGEST_RETRY_S)


def read_signature(path: Path) -> Signature | None:
    """Stat a path without following a link; None unless it is a plain file that can be reached."""
    try:
        status = path.lstat()
    except OSError:
        return None  # a passing fault too: the next listing finds the file again
    return Signature.of(status) if stat.S_ISREG(status.st_mode) else None
