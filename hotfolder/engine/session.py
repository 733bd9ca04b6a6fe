"""What is in flight on one engine process: ids, routing and deadlines; without I/O and without a clock."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hotfolder.engine.messages import Failure, Message, Ok, Progress, Result, encode_command
from hotfolder.errors import EngineBusy, EngineTimeout


@dataclass(frozen=True, slots=True)
class Finished:
    """The command in flight ended well."""

    reply: Ok | Result


@dataclass(frozen=True, slots=True)
class Failed:
    """The engine refused the command in flight, or failed at it; the engine lives."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class TimedOut:
    """The command in flight took too long, or nothing was heard for too long.

    `foreign_id` is that of the last answer to a command that was never sent, if there was one.
    """

    cmd: str
    silent: bool
    limit_s: float
    foreign_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Flight:
    command_id: str
    cmd: str
    started_at: float
    total_s: float
    stall_s: float


class Session:
    """One command at a time; all times are seconds of one clock of the caller's choice.

    Ids come from `numbers`: whoever restarts engines hands the same iterator to every session, so that no two
    processes ever share an id.
    """

    def __init__(self, numbers: Iterator[int] | None = None) -> None:
        self._numbers = itertools.count(1) if numbers is None else numbers
        self._flight: _Flight | None = None
        self._foreign_id: str | None = None
        self._closed = False

    @property
    def in_flight(self) -> str | None:
        """The id of the command that has not ended yet."""
        return self._flight.command_id if self._flight else None

    @property
    def idle(self) -> bool:
        """Whether the process waits for a command: nothing in flight, and no deadline ever missed."""
        return self._flight is None and not self._closed

    def begin(
        self, cmd: str, params: Mapping[str, Any] | None, *, now: float, total_s: float, stall_s: float
    ) -> bytes:
        """The line to send for a new command; EngineBusy while another one is in flight."""
        if self._closed:
            raise EngineTimeout("this engine process missed a deadline and is not used again")
        if self._flight:
            raise EngineBusy(f"the engine is at work on {self._flight.command_id}")
        command_id = f"{cmd}-{next(self._numbers)}"
        line = encode_command(command_id, cmd, params)
        self._flight = _Flight(command_id, cmd, now, total_s, stall_s)
        self._foreign_id = None
        return line

    def receive(self, message: Message) -> Progress | Finished | Failed | None:
        """What the message means for the command in flight; None for a late or foreign one."""
        if not self._flight:
            return None
        if not concerns(message, self._flight.command_id):
            self._foreign_id = message.id
            return None
        if isinstance(message, Progress):
            return message
        self._flight = None
        return Failed(message) if isinstance(message, Failure) else Finished(message)

    def deadline(self, heard_at: float) -> float | None:
        """The next moment at which `expire` may find a timeout; None with nothing in flight."""
        if not self._flight:
            return None
        flight = self._flight
        return min(flight.started_at + flight.total_s, max(flight.started_at, heard_at) + flight.stall_s)

    def expire(self, *, now: float, heard_at: float) -> TimedOut | None:
        """The timeout that has come, if one has; the session then takes no further command."""
        deadline = self.deadline(heard_at)
        if self._flight is None or deadline is None or now < deadline:
            return None
        flight = self._flight
        self.close()
        silent = now < flight.started_at + flight.total_s
        limit_s = flight.stall_s if silent else flight.total_s
        return TimedOut(flight.cmd, silent, limit_s, self._foreign_id)

    def close(self) -> None:
        """Take no further command: what was in flight may still be running in the process."""
        self._flight = None
        self._closed = True


def concerns(message: Message, command_id: str) -> bool:
    """Whether the message is about this command; an error without an id is about the only one there is."""
    # The engine cannot read an id from a line that it cannot parse.
    return message.id == command_id or (isinstance(message, Failure) and message.id == "")
