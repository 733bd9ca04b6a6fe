"""Processes of the program that start in a twentieth of the time: forks of one that has imported it already.

`python forks.py` reads orders from stdin, one JSON object a line, and runs each in a fork of its own; it
writes the process id of each, and its exit code when it has ended. Most of what a short process of the
program costs is its imports, and the suite starts hundreds. A fork differs from a program of its own in its
command in /proc and in nothing that the product looks at; what it starts itself are whole programs.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

ROOT: Final = Path(__file__).parent.parent
START_LIMIT_S: Final = 30.0
HOTFOLDER: Final = "hotfolder.cli:run_command_line"
PYTHONPATH: Final = os.environ.get("PYTHONPATH")
IMPORTED: Final = ("hotfolder.cli", "hotfolder.webserver", "datasette.cli")


@dataclass(frozen=True, slots=True)
class Order:
    """A function `module:name` that takes the arguments and gives the exit code, and its surroundings."""

    function: str
    folder: str
    arguments: Sequence[str]
    env: Mapping[str, str]
    output: str
    errors: str
    has_group: bool


class Fork:
    """A running fork, with what tests need of `subprocess.Popen`."""

    def __init__(self, forks: Forks, pid: int, arguments: Sequence[str]) -> None:
        self._forks = forks
        self.pid = pid
        self.args = list(arguments)

    @property
    def returncode(self) -> int | None:
        """The exit code as it was last seen."""
        return self._forks.codes.get(self.pid)

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        self._forks.hear(0)
        return self.returncode

    def wait(self, timeout: float = START_LIMIT_S) -> int:
        """The exit code, at the end; raises TimeoutExpired."""
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise subprocess.TimeoutExpired(self.args, timeout)
            self._forks.hear(min(left_s, 0.2))
        return code

    def send_signal(self, number: int) -> None:
        """To the process, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


Process = subprocess.Popen[bytes] | Fork


class Forks:
    """The process that forks; there is one for all tests of a worker, started by the first that needs it."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._server: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._born: list[int] = []
        self.codes: dict[int, int] = {}

    def start(
        self,
        arguments: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        output: Path,
        errors: Path | None = None,
        function: str = HOTFOLDER,
        has_group: bool = False,
    ) -> Process:
        """Start a function, `hotfolder` itself unless told, here; its output is appended to files.

        With a process group of its own it is what a terminal starts. Where modules are to be found elsewhere
        it is a whole program, since a fork has imported them.
        """
        env = env or os.environ
        for each in (output, errors or output):
            each.touch()
        if env.get("PYTHONPATH") != PYTHONPATH:
            assert function == HOTFOLDER
            return start_whole(arguments, env, output, errors or output, has_group=has_group)
        streams = (str(output.absolute()), str((errors or output).absolute()))
        order = Order(
            function, str(Path.cwd()), list(arguments), dict(env or os.environ), *streams, has_group
        )
        with self._lock:
            server = self._server or self._open()
            assert server.stdin is not None
            server.stdin.write(json.dumps(asdict(order)).encode() + b"\n")
            server.stdin.flush()
            deadline = time.monotonic() + START_LIMIT_S
            while not self._born:
                assert time.monotonic() < deadline, "the process that forks does not answer"
                self.hear(1)
            return Fork(self, self._born.pop(), arguments)

    def hear(self, limit_s: float) -> None:
        """Read what the server has told, or wait for it so long."""
        with self._lock:
            assert self._server is not None
            assert self._server.stdout is not None
            ready, _, _ = select.select([self._server.stdout], [], [], limit_s)
            if not ready:
                return
            told = os.read(self._server.stdout.fileno(), 65536)
            assert told, "the process that forks has ended"
            *lines, self._rest = (self._rest + told).split(b"\n")
            for line in lines:
                pid, *code = map(int, line.split())
                if code:
                    self.codes[pid] = code[0]
                else:
                    self.codes.pop(pid, None)  # the number may have been another's before
                    self._born.append(pid)

    def _open(self) -> subprocess.Popen[bytes]:
        self._server = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": PYTHONPATH or ""},
            start_new_session=True,  # a Ctrl-C for the tests ends it by the end of its input
        )
        return self._server


def start_whole(
    arguments: Sequence[str], env: Mapping[str, str], output: Path, errors: Path, *, has_group: bool
) -> subprocess.Popen[bytes]:
    """The program as a user starts it."""
    with output.open("ab") as out, errors.open("ab") as err:
        return subprocess.Popen(
            [sys.executable, "-m", "hotfolder", *arguments],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            process_group=0 if has_group else None,
        )


forks: Final = Forks()


def run_command(
    arguments: Sequence[str], env: Mapping[str, str], limit_s: float = START_LIMIT_S
) -> subprocess.CompletedProcess[str]:
    """A command of the program to its end, as `subprocess.run` gives it; raises TimeoutExpired."""
    with tempfile.TemporaryDirectory() as folder:
        output, errors = Path(folder, "output"), Path(folder, "errors")
        process = forks.start(arguments, env=env, output=output, errors=errors)
        try:
            code = process.wait(limit_s)
        finally:
            process.kill()
        texts = (each.read_text(encoding="utf-8") for each in (output, errors))
        return subprocess.CompletedProcess(list(arguments), code, *texts)


def serve() -> None:
    """Fork for every line of stdin, and tell the end of every fork, until stdin ends."""
    sys.path.insert(0, str(ROOT))
    import_program()
    gc.collect()
    gc.freeze()
    woken, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(waker)
    rest = b""
    while True:
        ready, _, _ = select.select([0, woken], [], [])
        if woken in ready:
            os.read(woken, 65536)
            tell_ended()
        if 0 in ready:
            told = os.read(0, 65536)
            if not told:
                return
            *lines, rest = (rest + told).split(b"\n")
            for line in lines:
                order = Order(**json.loads(line))
                pid = os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.close(woken)
                    os.close(waker)
                    be(order)
                os.write(1, b"%d\n" % pid)


def import_program() -> None:
    """All that commands import when they are used."""
    from hotfolder.cli import VERBS

    for name in [*IMPORTED, *(f"hotfolder.cli.{place.partition(':')[0]}" for place in VERBS.values())]:
        importlib.import_module(name)


def tell_ended() -> None:
    """Of every fork that has ended: its number and its exit code."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        os.write(1, b"%d %d\n" % (pid, os.waitstatus_to_exitcode(status)))


def be(order: Order) -> NoReturn:
    """Become the process of an order."""
    code = 3
    try:
        if order.has_group:
            os.setpgid(0, 0)
        os.environ.clear()
        os.environ.update(order.env)
        time.tzset()
        os.chdir(order.folder)
        output, errors = (
            os.open(each, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for each in (order.output, order.errors)
        )
        for here, there in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (errors, 2)):
            os.dup2(here, there)
            os.close(here)
        sys.argv = ["hotfolder", *order.arguments]
        module, _, name = order.function.partition(":")
        function: Any = getattr(importlib.import_module(module), name)
        code = function(list(order.arguments))
        threading._shutdown()  # type: ignore[attr-defined]  # as at the end of every program
    except BaseException:  # noqa: BLE001 - nothing of it may return into the server's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve()
