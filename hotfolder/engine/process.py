"""The engine's child process: start it, hear it, end it; it knows bytes and signals, and no protocol."""

from __future__ import annotations

import logging
import os
import select
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

from hotfolder.errors import EngineTimeout

LINE_LIMIT_BYTES: Final = 1 << 20
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
            del self._rest[
                : -self._limit_bytes // 2
            ]  # by halves: a trim at every chunk would copy it all each time
        return lines


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

    @property
    def pid(self) -> int | None:
        """The child's process id, also after its end; None before `start`."""
        return self._child.pid if self._child else None

    @property
    def alive(self) -> bool:
        """Whether the child has been started and its end has not been told yet."""
        return self._child is not None and not self._gone.is_set()

    @property
    def heard_at(self) -> float:
        """When the child last wrote anything at all, on the monotonic clock; a progress bar counts."""
        return self._heard_at

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

    def send(self, line: bytes, *, timeout_s: float) -> None:
        """Write one line; a dead child is not an error here, its exit says more and comes at once."""
        with self._stdin_lock, suppress(BrokenPipeError):
            if self._child and self._child.stdin and not self._child.stdin.closed:
                _write_all(self._child.stdin, line, time.monotonic() + timeout_s)

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
        try:
            self._child = child = self._spawn()
        except OSError as error:
            self._spawn_error = error
            self._gone.set()
            self._spawned.set()
            return
        readers = [
            threading.Thread(
                target=self._read_stdout, args=(child.stdout,), name="engine-stdout", daemon=True
            ),
            threading.Thread(
                target=self._drain_stderr, args=(child.stderr,), name="engine-stderr", daemon=True
            ),
        ]
        for reader in readers:
            reader.start()
        self._spawned.set()
        if self._abandoned:
            self._signal_group(signal.SIGKILL)
        self._finish(child.wait(), readers)

    def _finish(self, returncode: int, readers: Sequence[threading.Thread]) -> None:
        self._signal_group(signal.SIGKILL)  # helpers that the engine left behind hold its pipes open
        for reader in readers:
            reader.join(DRAIN_S)
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
        os.set_blocking(
            child.stdin.fileno(), False
        )  # an engine that reads nothing must not hold a thread of ours
        os.set_blocking(child.stderr.fileno(), False)  # two threads may take turns in reading it
        return child

    def _read_stdout(self, stdout: IO[bytes]) -> None:
        splitter = LineSplitter()
        with stdout:
            while chunk := os.read(stdout.fileno(), CHUNK_BYTES):
                self._heard_at = time.monotonic()
                for line in splitter.feed(chunk):
                    self._on_line(line)
        if splitter.rest:
            self._on_line(splitter.rest)

    def _drain_stderr(self, stderr: IO[bytes]) -> None:
        poller = select.poll()
        poller.register(stderr.fileno(), select.POLLIN)
        with stderr:
            while not self._stderr_ended:
                poller.poll()
                with self._tail_lock:
                    self._read_stderr()

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


def _is_secret(name: str) -> bool:
    return name.startswith("HOTFOLDER_SECRETS__") or name.endswith(_SECRET_ENDINGS) or name == "FAL_KEY"


def _write_all(stdin: IO[bytes], line: bytes, deadline: float) -> None:
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


def _shown(line: bytes) -> str:
    """A log line as a person would see it: of a redrawn bar the last state."""
    text = line.decode("utf-8", "replace").rstrip()
    return text.rpartition("\r")[2][:TAIL_LINE_CHARACTERS]
