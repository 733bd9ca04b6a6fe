"""The library lock: one sidecar at a time, released by the system however it ends."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
import time
from pathlib import Path
from typing import IO, Any

from hotfolder.clock import utc_now
from hotfolder.domain.instants import format_instant
from hotfolder.errors import LibraryError

log = logging.getLogger(__name__)

PROBE_LIMIT_S = 0.5
"""So long does `acquire` try again: somebody who only asks who holds the lock lets it go at once."""
_PROBE_PAUSE_S = 0.01
YIELD_LIMIT_S = 30.0
"""So long does a service wait for a command that works in its place: it ends the picture in hand."""


class LibraryLock:
    """`run/lock`: held as long as the file is open; its text says who holds it.

    A command that works for want of a service holds it as one that gives way. A service that finds such a one
    locks `run/lock.wanted` and waits; the command looks for that, and lets go.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self, *, gives_way: bool = False) -> None:
        """Take the lock; raises LibraryError when another has it who does not give way."""
        file = self._path.open("a+", encoding="utf-8")
        if not _wait_for_lock(file, PROBE_LIMIT_S) and (gives_way or not self._wait_for_way(file)):
            file.close()
            raise LibraryError(
                f"Another hotfolder runs on this library already ({self.describe_holder()}).",
                code="library.locked",
                hint="Stop it first, or use another library.",
            )
        file.truncate(0)
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": format_instant(utc_now())}
        file.write(json.dumps({**holder, "givesWay": gives_way}))
        file.flush()
        self._file = file

    def release(self) -> None:
        """Give the lock back."""
        if self._file is not None:
            self._file.truncate(0)
            self._file.close()
            self._file = None

    def is_held_by_another(self) -> bool:
        """Whether a sidecar runs on this library now."""
        try:
            with self._path.open("a+", encoding="utf-8") as file:
                return not _try_probe(file)
        except FileNotFoundError:
            return False

    def is_wanted(self) -> bool:
        """Whether a service waits for a holder that gives way."""
        return self._wish().is_held_by_another()

    def read_since(self) -> str | None:
        """Since when the holder has it, as it wrote down."""
        holder = self._read_holder()
        return holder["since"] if holder else None

    def describe_holder(self) -> str:
        """The holder as it wrote itself down."""
        holder = self._read_holder()
        if holder is None:
            return "its process is not known"
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"

    def _wait_for_way(self, file: IO[str]) -> bool:
        holder = self._read_holder()
        if holder is None or not holder["gives_way"]:
            return False
        log.info("waiting for an import to let the library go (%s)", self.describe_holder())
        wish = self._wish()
        try:
            wish.acquire()
        except LibraryError:  # another service waits already
            return False
        try:
            return _wait_for_lock(file, YIELD_LIMIT_S)
        finally:
            wish.release()

    def _wish(self) -> LibraryLock:
        return LibraryLock(self._path.with_name(f"{self._path.name}.wanted"))

    def _read_holder(self) -> dict[str, Any] | None:
        try:
            holder = json.loads(self._path.read_text(encoding="utf-8"))
            told = {key: str(holder[key]) for key in ("pid", "host", "since")}
            return {**told, "gives_way": holder.get("givesWay") is True}
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _wait_for_lock(file: IO[str], limit_s: float) -> bool:
    deadline = time.monotonic() + limit_s
    while not _try_lock(file):
        if time.monotonic() > deadline:
            return False
        time.sleep(_PROBE_PAUSE_S)
    return True


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[str]) -> bool:
        try:
            file.seek(1024)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    _try_probe = _try_lock
else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        return _try_flock(file, fcntl.LOCK_EX)

    def _try_probe(file: IO[str]) -> bool:
        """Shared, so that two who ask at the same time do not take each other for a sidecar."""
        return _try_flock(file, fcntl.LOCK_SH)

    def _try_flock(file: IO[str], kind: int) -> bool:
        try:
            fcntl.flock(file.fileno(), kind | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
