"""What an engine has said and nobody has handled yet: a few messages at most, however much it says."""

from __future__ import annotations

import threading

from hotfolder.engine.messages import Message, Progress, Stage, find_stage
from hotfolder.engine.process import ProcessExit
from hotfolder.engine.session import concerns


class Inbox:
    """Of each stage the latest progress, the first answer, the latest foreign message, the process's end.

    Any thread puts, one takes. What was said before a command concerns it not, nor what is said while there
    is none. All times are of the monotonic clock.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._command_id: str | None = None
        self._opened_at = 0.0
        self._progress: dict[Stage, Progress] = {}
        self._answer: Message | None = None
        self._foreign: Message | None = None
        self._exit: ProcessExit | None = None

    def open(self, command_id: str | None, now: float) -> None:
        """From now on keep what concerns this command, and forget what came before; None closes it."""
        with self._changed:
            self._command_id, self._opened_at = command_id, now
            self._progress.clear()
            self._answer = self._foreign = None

    def put(self, message: Message, said_at: float) -> None:
        """Keep what the engine says, in place of what it has outdated."""
        with self._changed:
            if self._command_id is None or self._answer or said_at < self._opened_at:
                return
            if not concerns(message, self._command_id):
                self._foreign = message
            elif not isinstance(message, Progress):
                self._answer = message
            elif stage := find_stage(message):
                self._progress.pop(stage, None)  # to the end: what is said last is told last
                self._progress[stage] = message
            self._changed.notify()

    def end(self, ended: ProcessExit) -> None:
        """The process is gone: it says nothing more, to no command."""
        with self._changed:
            self._exit = ended
            self._changed.notify()

    def take(self, timeout_s: float) -> Message | ProcessExit | None:
        """What comes next, or None after the time; an answer after its progress, the end after the answer."""
        with self._changed:
            self._changed.wait_for(self._has_something, timeout_s)
            if self._progress:
                return self._progress.pop(next(iter(self._progress)))
            message, self._foreign = self._foreign, None
            if message is None:
                message, self._answer = self._answer, None
            return message or self._exit

    def _has_something(self) -> bool:
        return bool(self._progress or self._foreign or self._answer or self._exit)
