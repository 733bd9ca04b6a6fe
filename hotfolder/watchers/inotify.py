"""One inotify queue of the kernel: folders watched, what happened in them read; on Linux only."""

from __future__ import annotations

import ctypes
import errno
import os
import select
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from watchdog.observers.inotify_c import inotify_add_watch, inotify_init, inotify_rm_watch

if TYPE_CHECKING:
    from watchdog.observers.inotify_c import WatchDescriptor

_READ_BYTES: Final = 256 * 1024
_LIMITS: Final = Path("/proc/sys/fs/inotify")
_LEAST_LIMITS: Final = {"max_user_watches": 524_288, "max_user_instances": 512}


class KernelEvent(NamedTuple):
    """What happened (a mask) in a watched folder, and to which name in it."""

    descriptor: int
    mask: int
    name: str


class Inotify:
    """One inotify instance, and a pipe that ends a read from another thread.

    An OSError at a limit of the system names the setting that would do.
    """

    def __init__(self) -> None:
        self._wake_read, self._wake_write = os.pipe()
        self._fd = inotify_init()
        if self._fd == -1:
            error = _kernel_error("max_user_instances")
            os.close(self._wake_read)
            os.close(self._wake_write)
            raise error
        os.set_inheritable(self._fd, False)
        os.set_blocking(self._fd, False)
        self._poll = select.poll()
        self._poll.register(self._fd, select.POLLIN)
        self._poll.register(self._wake_read, select.POLLIN)
        self._lock = threading.Lock()
        self._is_open = True

    def add(self, folder: str, mask: int) -> int:
        """Watch a folder; the same number for the same folder, whatever its name."""
        descriptor = cast("int", inotify_add_watch(self._fd, os.fsencode(folder), mask))
        if descriptor == -1:
            raise _kernel_error("max_user_watches", folder)
        return descriptor

    def remove(self, descriptor: int) -> None:
        """Watch it no longer."""
        inotify_rm_watch(self._fd, cast("WatchDescriptor", descriptor))  # fails when the folder is gone: fine

    def read(self, timeout_s: float) -> Iterator[KernelEvent]:
        """Wait for events; nothing when the time is over or wake() was called."""
        if not any(fd == self._fd for fd, _ in self._poll.poll(timeout_s * 1000)):
            return
        buffer = os.read(self._fd, _READ_BYTES)
        offset = 0
        while offset < len(buffer):
            descriptor, mask, _cookie, length = struct.unpack_from("iIII", buffer, offset)
            offset += 16 + length
            yield KernelEvent(descriptor, mask, os.fsdecode(buffer[offset - length : offset].rstrip(b"\0")))

    def wake(self) -> None:
        """End a read; from any thread."""
        with self._lock:  # else the number may already belong to another file
            if self._is_open:
                os.write(self._wake_write, b"!")

    def close(self) -> None:
        """Give the queue back to the kernel."""
        with self._lock:
            self._is_open = False
            for fd in (self._fd, self._wake_read, self._wake_write):
                os.close(fd)


def _kernel_error(limit: str, folder: str | None = None) -> OSError:
    number = ctypes.get_errno()
    text = os.strerror(number)
    if number in (errno.ENOSPC, errno.EMFILE):
        text = f"the inotify limit is reached: sudo sysctl fs.inotify.{limit}={_enough(limit)}"
    return OSError(number, text, folder)


def _enough(limit: str) -> int:
    try:
        now = int((_LIMITS / limit).read_text(encoding="ascii"))
    except (OSError, ValueError):
        now = 0
    return max(_LEAST_LIMITS[limit], 2 * now)
