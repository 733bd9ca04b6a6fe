"""Has somebody a file open for writing? Asked of the kernel with a read lease, on Linux only."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Final

from hotfolder.watchers.mounts import load_mounts

if sys.platform == "linux":
    import fcntl

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


def is_changing(path: Path, *, settle_s: float, now_s: float) -> bool:
    """Say whether the file changed in the last moment by the wall clock, is gone, or is open for writing."""
    try:
        age_s = now_s - path.stat().st_ctime
    except OSError:
        return True
    return age_s < settle_s or is_open_for_writing(path)


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
    return False  # the lease ends when the descriptor is closed


def _refuses_without_a_writer(descriptor: int) -> bool:
    """Whether EAGAIN says nothing here: these file systems need a promise of their server for a lease."""
    try:
        return load_mounts().file_system_of(os.fstat(descriptor).st_dev) in _REFUSE_WITHOUT_A_WRITER
    except OSError:
        return False
