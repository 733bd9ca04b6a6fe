"""The pipes between us and an engine: lines out of them, lines into them, and no wait without an end."""

from __future__ import annotations

import os
import select
import time
from contextlib import suppress
from typing import IO, Final

from hotfolder.errors import EngineTimeout

LINE_LIMIT_BYTES: Final = 1 << 20


class LineSplitter:
    """Bytes in, whole lines out; of a line beyond the limit the end is kept, where a message may hang."""

    def __init__(self, limit_bytes: int = LINE_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._rest = bytearray()

    @property
    def rest(self) -> bytes:
        """What has come since the last newline."""
        return bytes(self._rest)

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that this chunk completes, without their newlines."""
        *ended, rest = chunk.split(b"\n")
        lines = []
        for piece in ended:
            lines.append(bytes(self._rest + piece)[-self._limit_bytes :])
            self._rest.clear()
        self._rest += rest
        if len(self._rest) > self._limit_bytes:
            # By halves: a trim at every chunk would copy it all each time.
            del self._rest[: -self._limit_bytes // 2]
        return lines


def wait_for_bytes(stream: IO[bytes], over: int) -> bool:
    """Wait until there is something to read, or its end; False when only `over`, another pipe, has ended."""
    poller = select.poll()
    poller.register(stream.fileno(), select.POLLIN)
    poller.register(over, select.POLLIN)
    return stream.fileno() in dict(poller.poll())


def close_pipe(*descriptors: int) -> None:
    """Close what is open of these."""
    for each in descriptors:
        with suppress(OSError):
            os.close(each)


def write_all(stdin: IO[bytes], line: bytes, deadline: float) -> None:
    """Write to a pipe that does not block; EngineTimeout when it stays full until the deadline."""
    left = memoryview(line)
    while left:
        written = stdin.write(left) or 0  # None: the pipe is full
        left = left[written:]
        if left and not _writable(stdin, deadline - time.monotonic()):
            raise EngineTimeout("the engine does not read its commands")


def _writable(stdin: IO[bytes], timeout_s: float) -> bool:
    poller = select.poll()
    poller.register(stdin.fileno(), select.POLLOUT)
    return timeout_s > 0 and bool(poller.poll(timeout_s * 1000))
