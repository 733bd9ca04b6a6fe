"""Has somebody a file open for writing? Asked of the kernel with a read lease, on Linux only."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Final

if sys.platform == "linux":
    import fcntl

_MOUNTS: Final = Path("/proc/self/mountinfo")
_REFUSE_WITHOUT_A_WRITER: Final = frozenset({"nfs", "nfs4", "cifs", "smb3"})


def is_open_for_writing(path: Path) -> bool:
    """Say whether a process of this machine has the file open for writing; False where nobody can tell.

    A file of another user cannot be asked about without CAP_LEASE, nor can one on a network file system.
    """
    if sys.platform != "linux":
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        return _is_lease_refused(descriptor) and not _refuses_without_a_writer(descriptor)
    finally:
        os.close(descriptor)


def _is_lease_refused(descriptor: int) -> bool:
    if sys.platform != "linux":
        return False
    try:
        # Who opens the file in this instant waits for us, and the kernel says so by a signal. The usual one,
        # SIGIO, would end this process; SIGURG is ignored unless somebody asks for it.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EWOULDBLOCK)
    fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    return False


def _refuses_without_a_writer(descriptor: int) -> bool:
    """Whether EAGAIN says nothing here: these file systems need a promise of their server for a lease."""
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="replace")
        return file_system_of(os.fstat(descriptor).st_dev, mounts) in _REFUSE_WITHOUT_A_WRITER
    except OSError:
        return False


def file_system_of(device: int, mounts: str) -> str | None:
    """Name the type of a mounted file system, from the lines of /proc/self/mountinfo."""
    number = f"{os.major(device)}:{os.minor(device)}"
    for line in mounts.splitlines():
        mount, _, source = line.partition(" - ")
        if source and mount.split(" ")[2] == number:
            return source.split(" ")[0]
    return None
