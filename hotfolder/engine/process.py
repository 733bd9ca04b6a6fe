"""The engine's child process: start it, hear it, end it; it knows bytes and signals, and no protocol."""

from __future__ import annotations

import logging
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from hotfolder.engine.pipes import LineSplitter, close_pipe, wait_for_bytes, write_all
from hotfolder.errors import EngineTimeout

TAIL_LINES: Final = 60
TAIL_LINE_CHARACTERS: Final = 2000
CHUNK_BYTES: Final = 1 << 16
KILL_WAIT_S: Final = 1.0  # a killed process that is still there after this hangs in its driver
DRAIN_S: Final = 1.0
_SECRET_ENDINGS: Final = ("_API_KEY", "_API_TOKEN")
_CHILD_DEFAULTS: Final = {"GGML_NO_BACKTRACE": "1", "OMP_WAIT_POLICY": "passive"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ProcessExit:
    """How the child ended: negative return codes are signals."""

    returncode: int
    stderr_tail: tuple[str, ...]


def build_child_environment(inherited: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Our defaults, then what is inherited without the secrets, then what the user gives the engine."""
    kept = {name: value for name, value in inherited.items() if not _is_secret(name.upper())}
    return {**_CHILD_DEFAULTS, **kept, **given}


class EngineProcess:
    """One child in a process group of its own. Every method may be called from any thread.

    `on_line` runs on the thread that reads stdout; `on_exit` once, after the last line, before `wait` ends.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: Path | None,
        on_line: Callable[[bytes], None],
        on_exit: Callable[[ProcessExit], None],
    ) -> None:
        self._argv = guarded(argv)
        self._env = build_child_environment(os.environ, env)
        self._cwd = cwd
        self._on_line = on_line
        self._on_exit = on_exit
        self._child: subprocess.Popen[bytes] | None = None
        self._spawn_error: OSError | None = None
        self._abandoned = False
        self._spawned = threading.Event()
        self._gone = threading.Event()
        self._exit: ProcessExit | None = None
        self._stdin_lock = threading.Lock()
        self._tail_lock = threading.Lock()
        self._tail: deque[str] = deque(maxlen=TAIL_LINES)
        self._stderr_ended = False
        self._stderr_splitter = LineSplitter(CHUNK_BYTES)
        self._heard_at = time.monotonic()
        self._said_at = self._heard_at
        self._read_until = math.inf

    @property
    def pid(self) -> int | None:
        """The child's process id, also after its end; None before `start`."""
        return self._child.pid if self._child else None

    @property
    def alive(self) -> bool:
        """Whether the child has been started and has not ended."""
        return self._child is not None and not self._gone.is_set() and not _has_ended(self._child.pid)

    @property
    def heard_at(self) -> float:
        """When the child last wrote anything at all, on the monotonic clock; a progress bar counts."""
        return self._heard_at

    @property
    def said_at(self) -> float:
        """When the line was read that `on_line` has in hand."""
        return self._said_at

    def start(self, timeout_s: float) -> None:
        """Spawn the child; OSError when the system refuses."""
        # To Linux the parent is the spawning thread, not the program: this one lives as long as the child.
        threading.Thread(target=self._own_child, name="engine-child", daemon=True).start()
        if not self._spawned.wait(timeout_s):
            self._abandoned = True
            self._signal_group(signal.SIGKILL)
            raise EngineTimeout(f"the system did not start the engine within {timeout_s:g} s")
        if self._spawn_error:
            raise self._spawn_error

    def send(self, line: bytes, *, timeout_s: float) -> bool:
        """Write one line; False when nobody reads it: a dead child's exit says more and comes at once."""
        with self._stdin_lock, suppress(BrokenPipeError):
            if self._child and self._child.stdin and not self._child.stdin.closed:
                write_all(self._child.stdin, line, time.monotonic() + timeout_s)
                return True
        return False

    def wait(self, timeout_s: float) -> ProcessExit | None:
        """How the child ended, or None when it is still there after the time."""
        self._gone.wait(timeout_s)
        return self._exit if self._gone.is_set() else None

    def stderr_tail(self) -> tuple[str, ...]:
        """The last lines of the child's log, including all it wrote before its latest line on stdout."""
        with self._tail_lock:
            for _ in range(16):  # a pipe holds no more, and the child may never pause
                self._read_stderr()
            unfinished = _shown(self._stderr_splitter.rest)
            return (*self._tail, unfinished) if unfinished else tuple(self._tail)

    def forget_log(self) -> None:
        """Have the tail begin anew."""
        self.stderr_tail()  # what waits in the pipe is old as well
        with self._tail_lock:
            self._tail.clear()

    def quit(self, farewell: bytes, *, timeout_s: float, terminate_s: float) -> ProcessExit | None:
        """Ask the child to go, then terminate it, then kill it."""
        if self.alive:
            with suppress(EngineTimeout):
                self.send(farewell, timeout_s=timeout_s)
            self._close_stdin()
        return self.wait(timeout_s) or self.terminate(terminate_s)

    def terminate(self, grace_s: float) -> ProcessExit | None:
        """Terminate the child and its group, and kill what is left after the grace."""
        self._signal_group(signal.SIGTERM)
        return self.wait(grace_s) or self.kill()

    def kill(self) -> ProcessExit | None:
        """Kill the child and its group; None when even that did not end it within a second."""
        self._signal_group(signal.SIGKILL)
        return self.wait(KILL_WAIT_S)

    def _own_child(self) -> None:
        over = is_over = -1  # a pipe to wake the readers: helpers outside the group keep the child's own open
        try:
            over, is_over = os.pipe()
            self._child = child = self._spawn()
        except OSError as error:
            close_pipe(over, is_over)
            self._spawn_error = error
            self._gone.set()
            self._spawned.set()
            return
        readers = [
            threading.Thread(target=read, args=(stream, over), name=f"engine-{name}", daemon=True)
            for read, stream, name in (
                (self._read_stdout, child.stdout, "stdout"),
                (self._drain_stderr, child.stderr, "stderr"),
            )
        ]
        for reader in readers:
            reader.start()
        self._spawned.set()
        if self._abandoned:
            self._signal_group(signal.SIGKILL)
        returncode = child.wait()
        self._signal_group(signal.SIGKILL)  # helpers that the engine left behind
        self._read_until = time.monotonic() + DRAIN_S
        close_pipe(is_over)
        for reader in readers:
            reader.join(2 * DRAIN_S)
        close_pipe(over)
        self._finish(returncode)

    def _finish(self, returncode: int) -> None:
        self._close_stdin()
        self._exit = ProcessExit(returncode, self.stderr_tail())
        try:
            self._on_exit(self._exit)
        finally:
            self._gone.set()

    def _spawn(self) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            self._argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=self._cwd,
            env=self._env,
            start_new_session=True,
        )
        assert child.stdin and child.stderr  # noqa: PT018  (narrows both)
        # An engine that reads nothing must not hold a thread of ours.
        os.set_blocking(child.stdin.fileno(), False)
        os.set_blocking(child.stderr.fileno(), False)  # two threads may take turns in reading it
        return child

    def _read_stdout(self, stdout: IO[bytes], over: int) -> None:
        splitter = LineSplitter()
        with stdout:
            while self._can_read(stdout, over) and (chunk := os.read(stdout.fileno(), CHUNK_BYTES)):
                self._heard_at = self._said_at = time.monotonic()
                for line in splitter.feed(chunk):
                    self._on_line(line)
        if splitter.rest:
            self._on_line(splitter.rest)

    def _drain_stderr(self, stderr: IO[bytes], over: int) -> None:
        with stderr:
            while not self._stderr_ended and self._can_read(stderr, over):
                with self._tail_lock:
                    self._read_stderr()
            with self._tail_lock:
                self._stderr_ended = True

    def _can_read(self, stream: IO[bytes], over: int) -> bool:
        """Wait for the next bytes; False once the child is gone and what it left has been read."""
        return wait_for_bytes(stream, over) and time.monotonic() < self._read_until

    def _read_stderr(self) -> bool:
        """Take one chunk if there is one; the tail lock is held."""
        if self._stderr_ended or not self._child or not self._child.stderr:
            return False
        try:
            chunk = os.read(self._child.stderr.fileno(), CHUNK_BYTES)
        except BlockingIOError:
            return False
        if not chunk:
            self._stderr_ended = True
            return False
        self._heard_at = time.monotonic()
        for line in self._stderr_splitter.feed(chunk):
            self._tail.append(_shown(line))
            _log.debug("engine log: %s", self._tail[-1])
        return True

    def _signal_group(self, signal_number: signal.Signals) -> None:
        if self._child and not self._gone.is_set():
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._child.pid, signal_number)

    def _close_stdin(self) -> None:
        with self._stdin_lock, suppress(OSError):
            if self._child and self._child.stdin:
                self._child.stdin.close()


def guarded(argv: Sequence[str]) -> list[str]:
    """The command behind guard.py, which ties it to the life of this process where the system can."""
    if sys.platform != "linux":
        return list(argv)
    guard = Path(__file__).with_name("guard.py")
    return [sys.executable, "-I", "-S", str(guard), str(os.getpid()), *argv]


def _has_ended(pid: int) -> bool:
    """Whether our child is dead, also before the thread that waits for it has noticed."""
    if not hasattr(os, "waitid"):
        return False
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


def _is_secret(name: str) -> bool:
    return name.startswith("HOTFOLDER_SECRETS__") or name.endswith(_SECRET_ENDINGS) or name == "FAL_KEY"


def _shown(line: bytes) -> str:
    """A log line as a person would see it: of a redrawn bar the last state."""
    text = line.decode("utf-8", "replace").rstrip()
    return text.rpartition("\r")[2][:TAIL_LINE_CHARACTERS]
