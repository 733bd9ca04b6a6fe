"""The web process as a child: started on our socket, started again when it ends, gone when we are."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hotfolder.engine.process import build_child_environment, guarded

log = logging.getLogger(__name__)

PAUSE_S: Final = 0.5
PAUSE_MAX_S: Final = 30.0
LONG_LIFE_S: Final = 60.0
"""A child that lived so long did not fail at its start: the next one comes without a longer pause."""
TERMINATE_S: Final = 4.0
"""So long may it take to end by itself; its own limit for requests in hand is shorter."""
ONE_HEAP: Final = {"MALLOC_ARENA_MAX": "1"}
"""glibc would give each thread a heap of its own, and they hold on to what was once used: 11 MB of 120."""


class WebChild:
    """One thread starts the child and waits for it; Linux ends the child with that thread.

    The socket is the parent's and stays open: while a new child starts, browsers wait instead of failing.
    """

    def __init__(self, root: Path, listener: socket.socket, options: Sequence[str] = ()) -> None:
        self._listener = listener
        command = [sys.executable, "-m", "hotfolder", "serve", str(root), "--socket", str(listener.fileno())]
        self._command = [*command, *options]
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()  # guards the child
        self._thread = threading.Thread(target=self._run, name="web-child", daemon=True)

    @property
    def pid(self) -> int | None:
        """The process id of the child that runs now."""
        with self._lock:
            return self._child.pid if self._child else None

    def start(self) -> None:
        """Start the child, and keep one running until `stop`."""
        self._thread.start()

    def begin_stop(self) -> None:
        """Ask the child to end; it does so while others are stopped."""
        self._stopping.set()
        with self._lock:
            if self._child is not None:
                self._child.terminate()

    def stop(self) -> None:
        """Wait until the child has ended, by force after TERMINATE_S; then close the socket."""
        self.begin_stop()
        if self._thread.ident is not None:
            self._thread.join(TERMINATE_S)
            if self._thread.is_alive():
                self._kill()
                self._thread.join(TERMINATE_S)
        self._listener.close()

    def _run(self) -> None:
        pause_s = PAUSE_S
        while not self._stopping.is_set():
            began_at_s = time.monotonic()
            code = self._run_one()
            if self._stopping.is_set():
                return
            lived_s = time.monotonic() - began_at_s
            pause_s = PAUSE_S if lived_s > LONG_LIFE_S else min(pause_s * 2, PAUSE_MAX_S)
            log.warning("the web process ended (code %s); the next one starts in %g s", code, pause_s)
            self._stopping.wait(pause_s)

    def _run_one(self) -> int | str:
        try:
            with self._lock:
                if self._stopping.is_set():
                    return 0
                child = subprocess.Popen(
                    guarded(self._command),
                    stdin=subprocess.DEVNULL,
                    pass_fds=[self._listener.fileno()],
                    start_new_session=True,  # Ctrl-C is for us; we tell the child
                    env=build_child_environment({**ONE_HEAP, **os.environ}, {}),  # no page needs the secrets
                )
                self._child = child
        except OSError as error:
            return str(error)
        code = child.wait()
        with self._lock:
            self._child = None
        return code

    def _kill(self) -> None:
        with self._lock:
            if self._child is not None:
                log.warning("the web process did not end by itself within %g s", TERMINATE_S)
                self._child.kill()
