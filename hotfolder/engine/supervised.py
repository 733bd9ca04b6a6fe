"""One engine program kept at work: started when it is wanted, anew after failures; tells what it does."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from hotfolder.domain.model_file import ModelFileKey
from hotfolder.engine import failures
from hotfolder.engine.conversation import LOOK_S, Conversation, EngineCommand, EngineTimeouts
from hotfolder.engine.messages import LoadParams, StepProgress
from hotfolder.engine.process import ProcessExit
from hotfolder.engine.session import Failed, Finished
from hotfolder.engine.supervision import BackOff, RestartPolicy
from hotfolder.errors import EngineBusy, EngineCancelled, EngineCrashed, EngineError, EngineTimeout

State = Literal["stopped", "starting", "idle", "loading", "ready", "busy", "error"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineStatus:
    """What the engine does, since when, and after an error why."""

    state: State
    kind: str
    model_info: str | None
    pid: int | None
    since: datetime
    problem: str | None = None
    retry_at: datetime | None = None
    """When an engine that failed is started again, if somebody wants it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One caller: what interrupts it, and whom to tell of progress."""

    stops_seen: int
    cancel: threading.Event | None = None
    on_progress: Callable[[StepProgress], None] | None = None
    is_patient: bool = False
    """Waits while the engine rests after a failure, and for another start when one has failed."""


@dataclass(slots=True)
class Memory:
    """What the process has in memory: a model, the engine's name of it, each file as it was when read."""

    model: LoadParams | None = None
    info: str | None = None
    files: dict[str, ModelFileKey | None] = field(default_factory=dict)

    def forget_model(self) -> None:
        """The engine has none any more."""
        self.model = self.info = None


class SupervisedEngine:
    """The process that there is now, if there is one, and what is known of it.

    One thread at a time calls `started` and `run`; the rest may be called from any. `on_status` runs on the
    thread that caused the change, must be quick and must not raise.
    """

    def __init__(
        self,
        command: EngineCommand,
        timeouts: EngineTimeouts,
        on_status: Callable[[EngineStatus], None] | None,
        restarts: RestartPolicy,
    ) -> None:
        self.back_off = BackOff(restarts)
        self.memory = Memory()
        self.kept: LoadParams | None = None  # what was loaded last, unless somebody unloaded it
        self._command = command
        self._timeouts = timeouts
        self._on_status = on_status
        self._announce_lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._stops = itertools.count(1)
        self._stops_seen = 0
        self._closed = threading.Event()
        self._process: Conversation | None = None
        self._was_there = False
        with suppress(EngineError):
            self._build()
            self._was_there = True
        self.status = EngineStatus("stopped", command.kind, None, None, datetime.now(UTC))

    @property
    def usable(self) -> Conversation | None:
        """The process, if it may be spoken to."""
        process = self._process
        return process if process is not None and process.usable else None

    def call(
        self,
        cancel: threading.Event | None = None,
        on_progress: Callable[[StepProgress], None] | None = None,
        *,
        is_patient: bool = False,
    ) -> Call:
        """A caller that every later `interrupt` concerns."""
        return Call(self._stops_seen, cancel, on_progress, is_patient)

    def interrupt(self) -> None:
        """All who called before are to end with EngineCancelled."""
        self._stops_seen = next(self._stops)

    def raise_if_interrupted(self, call: Call) -> None:
        """EngineCancelled when the caller is to end."""
        if self._stops_seen != call.stops_seen or (call.cancel is not None and call.cancel.is_set()):
            raise EngineCancelled("the engine was stopped on request")

    def close(self) -> None:
        """Whoever waits for an engine that rests waits no longer. For good."""
        self._closed.set()

    def started(self, call: Call) -> Conversation:
        """A process that answers; who is patient waits for it, as long as rests and starts take."""
        if process := self.usable:
            return process
        self._forget()
        failed_starts = 0
        while True:
            self._rest(call)
            try:
                return self._start(call)
            except EngineError as error:
                self._lose(error)
                failed_starts += 1
                if not self._is_worth_another(call, error, failed_starts):
                    raise

    def run(
        self, process: Conversation, cmd: str, params: Mapping[str, Any] | None, total_s: float, call: Call
    ) -> Finished | Failed:
        """One command to its end; an engine that dies or hangs of it is gone, and the error is raised."""
        try:
            return self._ask(process, cmd, params, total_s, call)
        except BaseException as error:
            if process.usable:  # the command was never sent
                self.announce_rest()
            else:
                self._lose(error)
            raise

    def quit(self, timeout_s: float) -> None:
        """End the process: quit, terminate, kill."""
        process = self._process
        if process is None and self.status.state in ("stopped", "error"):
            return
        self._forget()
        if process:
            process.quit(timeout_s)
        self.announce("stopped")

    def kill(self) -> None:
        """End the process at once; who speaks to it learns of it later."""
        if process := self._process:
            process.kill()

    def announce_rest(self) -> None:
        """It has nothing to do."""
        self.announce("ready" if self.memory.model else "idle")

    def announce_error(self, problem: str) -> None:
        """It does not work, and why; it may rest because of that."""
        rest_s = self.back_off.remaining_s()
        self.announce("error", problem, datetime.now(UTC) + timedelta(seconds=rest_s) if rest_s else None)

    def announce_problem(self, problem: str) -> None:
        """Tell something of it that does not change what it does."""
        with self._announce_lock:
            self.announce(self.status.state, problem, self.status.retry_at)

    def announce(self, state: State, problem: str | None = None, retry_at: datetime | None = None) -> None:
        """The only place that changes the status."""
        with self._announce_lock:
            process = self._process
            self.status = EngineStatus(
                state=state,
                kind=self._command.kind,
                model_info=self.memory.info,
                pid=process.pid if process else None,
                since=datetime.now(UTC),
                problem=problem,
                retry_at=retry_at,
            )
            if self._on_status:
                self._on_status(self.status)

    def _rest(self, call: Call) -> None:
        """Wait, as long as the last failure asks for; who only asks how the engine is does not wait."""
        rest_s = self.back_off.remaining_s() if call.is_patient else 0.0
        if rest_s <= 0:
            return
        _log.warning("the engine rests for %.0f s: %s", rest_s, self.status.problem)
        while (remaining_s := self.back_off.remaining_s()) > 0:
            self.raise_if_interrupted(call)
            if self._closed.wait(min(LOOK_S, remaining_s)):  # it spends no attempt
                raise EngineBusy("the service stops")

    def _is_worth_another(self, call: Call, error: EngineError, failed_starts: int) -> bool:
        is_start = error.code == "engine.start_failed"
        return is_start and call.is_patient and self.back_off.is_worth_another(failed_starts)

    def _start(self, call: Call) -> Conversation:
        process = self._find()
        self.announce("starting")
        self._process = process
        try:
            process.start()
            ended = self._ask(process, "ping", None, self._timeouts.start_s, call)
        except (EngineCrashed, EngineTimeout) as error:
            raise failures.build_start_failed(f"{error.message}\n{error.hint or ''}".strip()) from error
        if isinstance(ended, Failed):
            process.kill()
            raise failures.build_start_failed(ended.failure.message)
        self.announce("idle")
        _log.info("engine started: %s, process %s", self._command.argv[0], process.pid)
        return process

    def _find(self) -> Conversation:
        """A program that was there before is being replaced: who waits for it need not fail."""
        try:
            return self._build()
        except EngineError as error:
            if self._was_there and error.code == "engine.not_found":
                raise failures.build_start_failed(f"{error.message} any more") from error
            raise

    def _build(self) -> Conversation:
        return Conversation(self._command, self._timeouts, self._numbers, self._on_idle_exit)

    def _ask(
        self, process: Conversation, cmd: str, params: Mapping[str, Any] | None, total_s: float, call: Call
    ) -> Finished | Failed:
        return process.run(
            cmd,
            params,
            total_s=total_s,
            look=lambda: self.raise_if_interrupted(call),
            on_progress=call.on_progress,
        )

    def _lose(self, error: BaseException) -> None:
        """The engine is gone with its model: on request, or because of an error."""
        self._forget()
        if isinstance(error, EngineCancelled):
            self.announce("stopped")
            return
        if isinstance(error, EngineError) and not error.retryable:
            self.kept = None  # no program, say: a rest mends nothing, and nobody can bring the model back
        else:
            self.back_off.failed()
        self.announce_error(str(error))

    def _forget(self) -> None:
        self._process, self.memory = None, Memory()

    def _on_idle_exit(self, process: Conversation, ended: ProcessExit) -> None:
        if self._process is process and self.status.state != "starting":  # whose failure `_start` tells
            self.memory.info = None
            problem = (
                f"the engine ended ({failures.describe_exit(ended.returncode)}) while it had nothing to do"
            )
            self.back_off.failed()
            self.announce_error(problem)
