"""One engine process from start to end: a command in, its outcome out, and after any doubt nothing more."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from hotfolder.engine import failures
from hotfolder.engine.inbox import Inbox
from hotfolder.engine.messages import StepProgress, parse_line, parse_step_progress
from hotfolder.engine.process import EngineProcess, ProcessExit
from hotfolder.engine.session import Failed, Finished, Session
from hotfolder.errors import EngineCrashed

LOGGED_CHARACTERS: Final = 2000
LOOK_S: Final = 0.05  # an event of the caller cannot be waited for together with the engine's messages
PICTURES: Final = frozenset({"generate", "upscale"})

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineCommand:
    """Which engine to run: `kind` is "cn-engine" or "procedural"."""

    kind: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path | None = None


@dataclass(frozen=True, slots=True)
class EngineTimeouts:
    """How long each thing may take, in seconds.

    `start_s` is for the system to start a program, and for what an engine answers at once; the first ping has
    `first_pong_s`, since a driver may be slow to come up.
    """

    start_s: float = 15.0
    first_pong_s: float = 60.0
    load_s: float = 300.0
    generate_s: float = 600.0
    stall_s: float = 120.0
    quit_s: float = 5.0
    terminate_s: float = 0.3
    send_s: float = 5.0
    busy_s: float = 5.0


class Conversation:
    """A process, its session and the inbox between them; used by one thread at a time but for `kill`.

    `numbers` gives the command ids; `on_idle_exit` runs when the process ends with nothing in flight.
    """

    def __init__(
        self,
        command: EngineCommand,
        timeouts: EngineTimeouts,
        numbers: Iterator[int],
        on_idle_exit: Callable[[Conversation, ProcessExit], None],
    ) -> None:
        self._timeouts = timeouts
        self._on_idle_exit = on_idle_exit
        self._session = Session(numbers)
        self._inbox = Inbox()
        self._answered: set[str] = set()
        self._prompt = ""
        self._process = EngineProcess(
            (_find_program(command), *command.argv[1:]),
            env=command.env,
            cwd=command.cwd,
            on_line=self._on_line,
            on_exit=self._on_exit,
        )

    @property
    def usable(self) -> bool:
        """Whether the next command may be sent: the process lives and owes no answer."""
        return self._process.alive and self._session.idle

    @property
    def pid(self) -> int | None:
        """The process id, None before the start."""
        return self._process.pid

    def stderr_tail(self) -> tuple[str, ...]:
        """What the engine logged during the latest command, its last lines; without those that quote prompts.

        What it logged from its start belongs to its first ping.
        """
        return failures.drop_quotes(self._process.stderr_tail(), self._prompt)

    def start(self) -> None:
        """Spawn the process; whether it is an engine, a first ping must tell."""
        try:
            self._process.start(self._timeouts.start_s)
        except OSError as error:
            raise failures.build_start_failed(str(error)) from error

    def run(
        self,
        cmd: str,
        params: Mapping[str, Any] | None,
        *,
        total_s: float,
        look: Callable[[], None],
        on_progress: Callable[[StepProgress], None] | None,
    ) -> Finished | Failed:
        """One command to its end; `look` raises to interrupt; a command left open ends the process."""
        is_first = not self._answered
        if not is_first:
            self._process.forget_log()
        self._prompt = str((params or {}).get("prompt", ""))
        stall_s = self._timeouts.stall_s
        if is_first and cmd == "ping":
            total_s = stall_s = self._timeouts.first_pong_s
        try:
            line = self._session.begin(cmd, params, now=time.monotonic(), total_s=total_s, stall_s=stall_s)
            self._inbox.open(self._session.in_flight, time.monotonic())
            was_read = self._process.send(line, timeout_s=self._timeouts.send_s)
            ended = self._await_end(was_read, look, on_progress)
        except BaseException:
            if not self._session.idle:
                self._session.close()
                self._process.terminate(self._timeouts.terminate_s)
            raise
        finally:
            self._inbox.open(None, time.monotonic())
        self._answered.add(cmd)
        return ended

    def quit(self, timeout_s: float) -> None:
        """Ask the engine to go, and see to it that it goes."""
        if not self._session.idle:
            self._process.kill()
            return
        farewell = self._session.begin(
            "quit", None, now=time.monotonic(), total_s=timeout_s, stall_s=timeout_s
        )
        self._process.quit(farewell, timeout_s=timeout_s, terminate_s=self._timeouts.terminate_s)

    def kill(self) -> None:
        """End the process at once, from any thread."""
        self._process.kill()

    def _await_end(
        self, was_read: bool, look: Callable[[], None], on_progress: Callable[[StepProgress], None] | None
    ) -> Finished | Failed:
        while True:
            look()
            deadline = self._session.deadline(self._process.heard_at) or 0.0
            event = self._inbox.take(max(0.0, min(LOOK_S, deadline - time.monotonic())))
            if isinstance(event, ProcessExit):
                raise self._build_ended(event, was_read)
            meaning = self._session.receive(event) if event else None
            if isinstance(meaning, Finished | Failed):
                return meaning
            step = parse_step_progress(meaning) if meaning else None
            if step and on_progress:
                on_progress(step)
            now = time.monotonic()
            heard_at = now if event else self._process.heard_at  # what waited in the inbox was said in time
            if timed_out := self._session.expire(now=now, heard_at=heard_at):
                raise failures.build_timed_out(timed_out, self.stderr_tail())

    def _build_ended(self, ended: ProcessExit, was_read: bool) -> EngineCrashed:
        """An engine that has made pictures, and died before it read the command, did not die of it."""
        if not was_read and self._answered & PICTURES:
            return failures.build_gone(ended)
        told = replace(ended, stderr_tail=self.stderr_tail())
        return failures.build_crashed(self._session.in_flight or "a command", told)

    def _on_line(self, line: bytes) -> None:
        if message := parse_line(line):
            self._inbox.put(message, self._process.said_at)
        elif text := line.decode("utf-8", "replace").rpartition("\r")[2].strip():
            _log.debug("engine output: %s", text[:LOGGED_CHARACTERS])

    def _on_exit(self, ended: ProcessExit) -> None:
        if self._session.idle:
            self._on_idle_exit(self, ended)
        self._inbox.end(ended)  # last: who hears of it may start the next engine at once


def _find_program(command: EngineCommand) -> str:
    name = command.argv[0]
    is_path = Path(name).name != name
    where = str(Path(command.cwd or "", name).absolute()) if is_path else name
    found = shutil.which(where, path=command.env.get("PATH"))
    if found is None:
        raise failures.build_not_found(name)
    return found
