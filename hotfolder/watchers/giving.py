"""Settled files on their last way: asked whether they are complete and unused, then given in order."""

from __future__ import annotations

import itertools
import logging
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hotfolder.watchers.handover import HandOver, SettledFile
from hotfolder.watchers.lease import is_open_for_writing
from hotfolder.watchers.screen import Screen
from hotfolder.watchers.settle import SettleBook, Signature, Verdict
from hotfolder.watchers.signatures import iter_files

logger = logging.getLogger(__name__)

_BATCH_FILES: Final = 500
_DIGITS: Final = re.compile("([0-9]+)")

_Settled = tuple[str, Signature]


class Giving:
    """Takes from the book what has settled and gives it to the handler, in batches. One thread only."""

    def __init__(
        self,
        screen: Screen,
        book: SettleBook,
        hand_over: HandOver,
        *,
        is_complete: Callable[[SettledFile], bool],
        read: Callable[[str], Signature | None],
        clock: Callable[[], float],
    ) -> None:
        self._screen = screen
        self._book = book
        self._hand_over = hand_over
        self._is_complete = is_complete
        self._read = read
        self._clock = clock
        self._ready: dict[str, Signature] = {}  # settled, in the order in which they will be given

    def has_more(self) -> bool:
        """Say whether something settled that was not given yet."""
        return bool(self._ready)

    def give_settled(self) -> None:
        """Give a batch of what has settled by now: what comes during many of them is heard between them."""
        self._ready.update(sorted(self._take_settled(), key=_order))
        batch = list(itertools.islice(self._ready.items(), _BATCH_FILES))
        # Asked right before they are given: during many batches much may have changed since the look.
        files = [file for each in batch if (file := self._check(*each)) is not None]
        if files:
            self.give(files)
        for path, _ in batch:
            del self._ready[path]

    def give(self, files: list[SettledFile]) -> None:
        """Give these; what changed meanwhile has to settle again."""
        changed = self._hand_over.give(files)
        for file in files:
            self._book.done(os.fspath(file.path))
        for path in changed:
            self._book.announce(path, renamed=False, now=self._clock())

    def _take_settled(self) -> list[_Settled]:
        began_at = self._clock()
        signatures = {path: self._read(path) for path in self._book.due(began_at)}
        # One time for all, so that what was seen together settles together, in order.
        taken_by = self._clock()
        return [
            (path, signature)
            for path, signature in signatures.items()
            if self._book.look(path, signature, began_at, taken_by=taken_by) is Verdict.SETTLED
            and signature is not None
        ]

    def _check(self, path: str, signature: Signature) -> SettledFile | None:
        file = SettledFile(
            Path(path),
            self._screen.relative(path),
            signature,
            empty=signature.size == 0,
            is_folder=signature.contents is not None,
        )
        is_open = _is_open(file)
        now_there = self._read(path)  # after it: a writer that closed the file changed it before
        if now_there is None:
            self._book.done(path)
        elif is_open or now_there != signature:
            self._book.restart(path, now_there, self._clock())
        elif not self._is_said_complete(file):
            self._book.hold(path, signature, self._clock())
        else:
            return file
        return None

    def _is_said_complete(self, file: SettledFile) -> bool:
        try:
            return self._is_complete(file)
        except Exception:  # a border: one file that the question fails on must not hold up the others
            logger.exception("Is %r complete? That could not be told; asking again", os.fspath(file.relative))
            return False


def _is_open(file: SettledFile) -> bool:
    if not file.is_folder:
        return is_open_for_writing(file.path)
    return any(is_open_for_writing(Path(each.path)) for each in iter_files(os.fspath(file.path)))


def _order(settled: _Settled) -> tuple[int, list[str | int]]:
    path, signature = settled
    return signature.mtime_ns, _natural(path)


def _natural(name: str) -> list[str | int]:
    """Split so that `job-2` sorts before `job-10`; words and numbers alternate, so like meets like."""
    return [int(part) if index % 2 else part for index, part in enumerate(_DIGITS.split(name.casefold()))]
