"""One program under examination: lines to it, lines from it, and no wait without a limit."""

from __future__ import annotations

import itertools
import queue
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hotfolder.engine.conversation import EngineCommand
from hotfolder.engine.failures import describe_exit
from hotfolder.engine.messages import Failure, Message, Ok, Progress, Result, encode_command, parse_line
from hotfolder.engine.process import EngineProcess, ProcessExit
from hotfolder.errors import EngineTimeout

MESSAGES_KEPT: Final = 10_000
SHOWN_CHARACTERS: Final = 80


@dataclass(frozen=True, slots=True)
class CheckLimits:
    """How long each thing may take, in seconds."""

    start_s: float = 5.0
    reply_s: float = 5.0
    load_s: float = 300.0
    generate_s: float = 600.0
    stall_s: float = 120.0
    cancel_s: float = 1.0
    end_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """How a command ended, what came before, and how long it took."""

    end: Ok | Result | Failure
    progress: tuple[Progress, ...]
    took_s: float


@dataclass(slots=True)
class Chatter:
    """What stood on stdout and was no message."""

    lines: int = 0
    first: str = ""

    def note(self, line: bytes) -> None:
        """Count a line, and keep the first that says anything."""
        self.lines += 1
        self.first = self.first or _shown(line)


class NoAnswer(Exception):
    """What happened instead of an answer; the program is not asked again."""


class Talk:
    """One process of the program, for one thread; `say` sends what no sidecar would."""

    def __init__(self, command: EngineCommand, limits: CheckLimits, chatter: Chatter) -> None:
        self._limits = limits
        self._chatter = chatter
        self._numbers = itertools.count(1)
        # Bounded: a program that never stops talking must not fill the memory.
        self._heard: queue.Queue[Message | ProcessExit] = queue.Queue(MESSAGES_KEPT)
        self._ended: ProcessExit | None = None
        self._owes = False
        self.loaded = False
        self.process = EngineProcess(
            command.argv, env=command.env, cwd=command.cwd, on_line=self._on_line, on_exit=self._on_exit
        )

    @property
    def usable(self) -> bool:
        """Whether the program lives and owes no answer."""
        return self.process.alive and not self._owes

    def start(self) -> float:
        """Spawn the program and await its first pong; gives the milliseconds that it took."""
        spawned_at = time.monotonic()
        try:
            self.process.start(self._limits.start_s)
        except (OSError, EngineTimeout) as error:
            raise NoAnswer(str(error)) from error
        answer = self.ask("ping", limit_s=self._limits.start_s)
        if not isinstance(answer.end, Ok):
            raise NoAnswer(f"it answered a ping with {describe(answer.end)}")
        return (time.monotonic() - spawned_at) * 1000

    def ask(
        self, cmd: str, params: Mapping[str, Any] | None = None, *, limit_s: float | None = None
    ) -> Answer:
        """Send a command as a sidecar does and await its end."""
        command_id = self.send(cmd, params)
        return self.hear(command_id, self._limits.reply_s if limit_s is None else limit_s)

    def send(self, cmd: str, params: Mapping[str, Any] | None = None) -> str:
        """Send a command as a sidecar does; gives its id."""
        command_id = f"{cmd}-{next(self._numbers)}"
        self.say(encode_command(command_id, cmd, params))
        return command_id

    def say(self, line: bytes) -> None:
        """Send bytes, whatever they are."""
        try:
            self.process.send(line, timeout_s=self._limits.reply_s)
        except EngineTimeout as error:
            self._owes = True
            raise NoAnswer("it does not read its commands") from error

    def hear(self, command_id: str, limit_s: float) -> Answer:
        """The answer to the command with this id; NoAnswer when it does not come in time."""
        self._owes, started_at = True, time.monotonic()
        progress: list[Progress] = []
        foreign: Message | None = None
        while message := self._next(started_at, limit_s):
            if message.id != command_id:
                foreign = message
            elif isinstance(message, Progress):
                progress += [message] if len(progress) < MESSAGES_KEPT else []
            else:
                self._owes = False
                return Answer(message, tuple(progress), time.monotonic() - started_at)
        raise NoAnswer(self._describe_silence(time.monotonic() - started_at, foreign))

    def hear_any(self, limit_s: float) -> Message | None:
        """The next message of any id; NoAnswer when the program ends, None when it says nothing."""
        return self._next(time.monotonic(), limit_s)

    def close(self) -> None:
        """End the program."""
        self.process.kill()

    def _next(self, started_at: float, limit_s: float) -> Message | None:
        while self._ended is None:
            silent_at = max(started_at, self.process.heard_at) + self._limits.stall_s
            left_s = min(started_at + limit_s, silent_at) - time.monotonic()
            if left_s <= 0:
                return None
            try:
                heard = self._heard.get(timeout=left_s)
            except queue.Empty:
                continue  # it may have written something that is no message
            if not isinstance(heard, ProcessExit):
                return heard
            self._ended = heard
        raise NoAnswer(describe_end(self._ended))

    def _describe_silence(self, waited_s: float, foreign: Message | None) -> str:
        silence = f"no answer within {waited_s:.1f} s"
        if foreign is not None:
            return f"{silence}, but one with the id {foreign.id[:SHOWN_CHARACTERS]!r}"
        return f"{silence}; it wrote: {self._chatter.first}" if self._chatter.first else silence

    def _on_line(self, line: bytes) -> None:
        message = parse_line(line)
        if message is None:
            self._chatter.note(line)
            return
        try:
            self._heard.put_nowait(message)
        except queue.Full:
            self._chatter.note(line)

    def _on_exit(self, ended: ProcessExit) -> None:
        try:
            self._heard.put_nowait(ended)
        except queue.Full:
            self._heard.get_nowait()
            self._heard.put_nowait(ended)


@dataclass(slots=True)
class Bench:
    """The program as the checks get it: a process that answers, fresh where the last one is spent."""

    command: EngineCommand
    limits: CheckLimits
    chatter: Chatter = field(default_factory=Chatter)
    _talk: Talk | None = None

    def talk(self) -> Talk:
        """A process that lives and owes no answer."""
        return self._talk if self._talk is not None and self._talk.usable else self.fresh()

    def fresh(self) -> Talk:
        """A process of its own, which has answered a ping."""
        self.start()
        assert self._talk is not None
        return self._talk

    def start(self) -> float:
        """End the process and spawn the next one; gives the milliseconds until its pong."""
        self.close()
        self._talk = Talk(self.command, self.limits, self.chatter)
        return self._talk.start()

    def close(self) -> None:
        """End the process."""
        if self._talk is not None:
            self._talk.close()
            self._talk = None


def describe(message: Message) -> str:
    """A message in a few words."""
    if isinstance(message, Failure):
        return f"{message.code or 'an error without a code'}: {message.message[:SHOWN_CHARACTERS]}"
    return f"{type(message).__name__.lower()} {str(dict(message.data))[:SHOWN_CHARACTERS]}"


def describe_end(ended: ProcessExit) -> str:
    """How the program ended, with its last words."""
    words = f": {ended.stderr_tail[-1][:SHOWN_CHARACTERS]}" if ended.stderr_tail else ""
    return f"the program ended ({describe_exit(ended.returncode)}){words}"


def _shown(line: bytes) -> str:
    text = line[-4 * SHOWN_CHARACTERS :].decode("utf-8", "replace").rpartition("\r")[2]
    return " ".join(text.replace("\x1b[K", "").split())[:SHOWN_CHARACTERS]
