"""Settled files on their way to the handler: given, left in their place, or to be tried again."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from hotfolder.watchers.settle import Signature

logger = logging.getLogger(__name__)

FIRST_RETRY_S: Final = 0.5
LONGEST_RETRY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class SettledFile:
    """A file that stopped changing; `empty` says that it stayed without content.

    With `is_folder` it is a folder that counts as one thing.
    """

    path: Path
    relative: PurePosixPath
    signature: Signature
    empty: bool
    is_folder: bool = False


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
        self,
        on_settled: Callable[[list[SettledFile]], None],
        *,
        read: Callable[[str], Signature | None],
        clock: Callable[[], float],
    ) -> None:
        self._on_settled = on_settled
        self._read = read
        self._clock = clock
        self._left: dict[str, int] = {}  # a number for the signature: there may be very many
        self._tries: dict[str, _Try] = {}

    def __len__(self) -> int:
        """Count the files that wait for another try."""
        return len(self._tries)

    def knows(self, path: str) -> bool:
        """Say whether the path was given and not taken, without a look at the disk."""
        return path in self._left or path in self._tries

    def has(self, path: str) -> bool:
        """Say whether the path was given and is unchanged since; one that changed is forgotten."""
        if not self.knows(path):
            return False
        if hash(self._read(path)) == self._number_given(path):
            return True
        self._forget(path)
        return False

    def keep_only(self, paths: set[str]) -> None:
        """Forget what was left in places that a complete listing did not show."""
        for path in self._left.keys() - paths:
            del self._left[path]

    def forget_below(self, folder: str) -> None:
        """Forget what was left below a folder: it is given again."""
        inside = os.path.join(folder, "")  # noqa: PTH118 - names are text here
        for path in [each for each in self._left if each.startswith(inside)]:
            del self._left[path]

    def next_try_at(self) -> float | None:
        """Return when the next file is to be tried again."""
        return min((each.again_at for each in self._tries.values()), default=None)

    def due(self, now: float) -> list[SettledFile]:
        """List the files to try again now."""
        return [each.file for each in self._tries.values() if each.again_at <= now]

    def give(self, files: list[SettledFile]) -> list[str]:
        """Call the handler; return the paths that changed meanwhile and have to settle once more."""
        failed = not self._call(files)
        changed = []
        for file in files:
            path = os.fspath(file.path)
            before = self._tries.pop(path, None)
            signature = self._read(path)
            if signature is None:
                continue
            if signature != file.signature:
                changed.append(path)
            elif failed:
                self._tries[path] = self._next_try(file, before)
            else:
                self._left[path] = hash(signature)
        return changed

    def _call(self, files: list[SettledFile]) -> bool:
        try:
            self._on_settled(files)
        except Exception:  # a border: whatever a handler does, the folder stays watched
            if any(
                os.fspath(file.path) not in self._tries for file in files
            ):  # once a streak, not at each try
                logger.exception("%d file(s), first %r, not taken; trying again", len(files), files[0].path)
            return False
        return True

    def _next_try(self, file: SettledFile, before: _Try | None) -> _Try:
        failures = before.failures + 1 if before else 1
        return _Try(file, failures, self._clock() + retry_delay_s(failures))

    def _number_given(self, path: str) -> int:
        return hash(self._tries[path].file.signature) if path in self._tries else self._left[path]

    def _forget(self, path: str) -> None:
        self._left.pop(path, None)
        self._tries.pop(path, None)


def retry_delay_s(failures: int) -> float:
    """Return the wait after so many failures in a row: doubled each time, up to a minute."""
    return min(FIRST_RETRY_S * 2.0 ** min(failures - 1, 10), LONGEST_RETRY_S)
