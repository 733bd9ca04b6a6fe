"""A datagram on the loopback interface that tells the sidecar to look at its database now."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

_LOOPBACK = "127.0.0.1"
_RECEIVE_TIMEOUT_S = 1.0
_DATAGRAM_MAX_BYTES = 65_535  # on Windows a longer datagram than asked for is an error


class NudgeListener:
    """Listens on a free loopback port, writes its number to `port_file`, and rings for each datagram."""

    def __init__(self, port_file: Path, ring: Callable[[], None]) -> None:
        self._port_file = port_file
        self._ring = ring
        self._stop = threading.Event()
        self._socket: socket.socket | None = None
        self._thread = threading.Thread(target=self._listen, name="nudge", daemon=True)

    def start(self) -> None:
        """Open the port and start listening."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((_LOOPBACK, 0))
        self._socket.settimeout(_RECEIVE_TIMEOUT_S)
        self._port_file.write_text(str(self._socket.getsockname()[1]), encoding="ascii")
        self._thread.start()

    def stop(self) -> None:
        """Stop listening and remove the port file."""
        self._stop.set()
        if self._thread.ident is not None:
            send_nudge(self._port_file)
            self._thread.join(2 * _RECEIVE_TIMEOUT_S)
            self._port_file.unlink(missing_ok=True)
        if self._socket is not None:
            self._socket.close()

    def _listen(self) -> None:
        assert self._socket is not None  # opened by start
        while not self._stop.is_set():
            with contextlib.suppress(TimeoutError, ConnectionError):
                self._socket.recv(_DATAGRAM_MAX_BYTES)
                self._ring()


def send_nudge(port_file: Path) -> None:
    """Wake the sidecar, if one runs; its polling is the backstop for a datagram that is lost."""
    broken = (OSError, ValueError, OverflowError)  # no file, no number in it, no port of that number
    with contextlib.suppress(*broken), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(b"1", (_LOOPBACK, _read_port(port_file)))


def _read_port(port_file: Path) -> int:
    descriptor = os.open(port_file, os.O_RDONLY)  # a file object would cost as much as all the rest
    try:
        return int(os.read(descriptor, 32))
    finally:
        os.close(descriptor)
