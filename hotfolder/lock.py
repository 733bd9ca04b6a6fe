"""The library lock: one sidecar at a time, released by the system however it ends."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import IO

from hotfolder.clock import utc_now
from hotfolder.domain.instants import format_instant
from hotfolder.errors import LibraryError

PROBE_LIMIT_S = 0.5
"""So long does `acquire` try again: somebody who only asks who holds the lock lets it go at once."""
_PROBE_PAUSE_S = 0.01


class LibraryLock:
    """`run/lock`: held as long as the file is open; its text says who holds it, for people."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[str] | None = None

    def acquire(self) -> None:
        """Take the lock; raises LibraryError when another sidecar has it."""
        file = self._path.open("a+", encoding="utf-8")
        if not _wait_for_lock(file):
            file.close()
            raise LibraryError(
                f"Another hotfolder runs on this library already ({self.describe_holder()}).",
                code="library.locked",
                hint="Stop it first, or use another library.",
            )
        file.truncate(0)
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": format_instant(utc_now())}
        file.write(json.dumps(holder))
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

    def _read_holder(self) -> dict[str, str] | None:
        try:
            holder = json.loads(self._path.read_text(encoding="utf-8"))
            return {key: str(holder[key]) for key in ("pid", "host", "since")}
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _wait_for_lock(file: IO[str]) -> bool:
    deadline = time.monotonic() + PROBE_LIMIT_S
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
