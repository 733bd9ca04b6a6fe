"""Keeps one engine ready: starts it, loads the wanted model, gives it one command at a time, ends it."""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from hotfolder.engine import failures
from hotfolder.engine.conversation import LOOK_S, Conversation, EngineCommand, EngineTimeouts
from hotfolder.engine.memory import find_shortage, forget_peak, read_peak_mb
from hotfolder.engine.messages import (
    GenerateOutcome,
    GenerateParams,
    LoadParams,
    StepProgress,
    UpscaleOutcome,
    UpscaleParams,
    parse_load,
    parse_outcome,
    parse_upscale,
)
from hotfolder.engine.process import ProcessExit
from hotfolder.engine.session import Failed, Finished
from hotfolder.engine.supervision import AT_ONCE, BackOff, RestartPolicy
from hotfolder.errors import EngineBusy, EngineCancelled, EngineCrashed, EngineError, EngineTimeout

__all__ = ["EngineCommand", "EngineManager", "EngineStatus", "EngineTimeouts", "State"]

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
class _Call:
    """One caller: what interrupts it, and whom to tell of progress."""

    stops_seen: int
    cancel: threading.Event | None = None
    on_progress: Callable[[StepProgress], None] | None = None
    is_patient: bool = False
    """Waits while the engine rests after a failure, and for another start when one has failed."""


class EngineManager:
    """One engine for any number of threads, one command at a time.

    After a failure it rests as `restarts` says; who wants a picture waits meanwhile.

    `on_status` runs on the thread that caused the change, must be quick and must not raise.
    """

    def __init__(
        self,
        command: EngineCommand,
        timeouts: EngineTimeouts,
        on_status: Callable[[EngineStatus], None] | None = None,
        restarts: RestartPolicy = AT_ONCE,
    ) -> None:
        self._back_off = BackOff(restarts)
        self._command = command
        self._timeouts = timeouts
        self._on_status = on_status
        self._command_lock = threading.Lock()
        self._announce_lock = threading.RLock()
        self._numbers = itertools.count(1)
        self._stops = itertools.count(1)
        self._stops_seen = 0
        self._closed = threading.Event()
        self._engine: Conversation | None = None
        self._loaded: LoadParams | None = None
        self._kept: LoadParams | None = None  # what was loaded last, unless somebody unloaded it
        self._model_info: str | None = None
        self._status = EngineStatus("stopped", command.kind, None, None, datetime.now(UTC))

    def generate(
        self,
        model: LoadParams,
        params: GenerateParams,
        *,
        on_progress: Callable[[StepProgress], None],
        cancel: threading.Event,
    ) -> GenerateOutcome:
        """Make one picture with this model; EngineCancelled soon after `cancel` is set or `stop` called."""
        with self._exclusive(_Call(self._stops_seen, cancel, on_progress, is_patient=True)) as call:
            engine = self._with_model(model, call)
            self._announce("busy")
            forget_peak(engine.pid or 0)
            ended = self._run(engine, "generate", params.as_params(), self._timeouts.generate_s, call)
            if isinstance(ended, Failed) and ended.failure.means_no_model:
                self._loaded = self._model_info = None  # the engine lost it: the next job loads it again
            self._back_off.worked()
            self._announce("ready" if self._loaded else "idle")
            if isinstance(ended, Failed):
                raise failures.build_refused(ended.failure, engine.stderr_tail())
            return replace(parse_outcome(ended.reply.data), peak_memory_mb=read_peak_mb(engine.pid or 0))

    def upscale(
        self,
        params: UpscaleParams,
        *,
        on_progress: Callable[[StepProgress], None],
        cancel: threading.Event,
    ) -> UpscaleOutcome:
        """Enlarge one picture, whatever model is loaded; it stays so. Ends early as `generate` does."""
        with self._exclusive(_Call(self._stops_seen, cancel, on_progress, is_patient=True)) as call:
            engine = self._started(call)
            self._announce("busy")
            ended = self._run(engine, "upscale", params.as_params(), self._timeouts.generate_s, call)
            self._back_off.worked()
            self._announce("ready" if self._loaded else "idle")
            if isinstance(ended, Failed):
                raise failures.build_refused(ended.failure)
            return parse_upscale(ended.reply.data)

    def load(
        self,
        model: LoadParams,
        *,
        on_progress: Callable[[StepProgress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        """Have this model loaded before the first job needs it; waits for no engine that rests."""
        with self._exclusive(_Call(self._stops_seen, cancel, on_progress)) as call:
            self._with_model(model, call)

    def unload(self) -> None:
        """Give the memory of the model back; nothing happens without one."""
        with self._exclusive(_Call(self._stops_seen)) as call:
            self._kept = None
            if self._engine and self._engine.usable and self._loaded:
                ended = self._run(self._engine, "unload", None, self._timeouts.start_s, call)
                self._loaded = self._model_info = None
                self._announce("idle")
                if isinstance(ended, Failed):
                    raise failures.build_refused(ended.failure)

    def check_health(self) -> None:
        """Ping an engine that has nothing to do, if it runs; one that does not answer is ended."""
        if not self._command_lock.acquire(blocking=False):
            return
        try:
            if self._engine and self._engine.usable:
                self._run(self._engine, "ping", None, self._timeouts.start_s, _Call(self._stops_seen))
        except EngineError as error:
            _log.warning("the idle engine does not answer and is ended: %s", error)
        finally:
            self._command_lock.release()

    def ping(self) -> float:
        """Milliseconds to the engine and back; starts it if need be."""
        with self._exclusive(_Call(self._stops_seen)) as call:
            engine = self._started(call)
            sent_at = time.perf_counter()
            ended = self._run(engine, "ping", None, self._timeouts.start_s, call)
            if isinstance(ended, Failed):
                raise failures.build_refused(ended.failure)
            return (time.perf_counter() - sent_at) * 1000

    def status(self) -> EngineStatus:
        """The latest status; never waits."""
        return self._status

    @property
    def model_info(self) -> str | None:
        """The engine's own name for the loaded model, None while there is none."""
        return self._model_info

    @property
    def rests(self) -> bool:
        """Whether it has failed, and no picture may start it yet."""
        return self._back_off.remaining_s() > 0

    @property
    def lost_model(self) -> LoadParams | None:
        """The model that went with an engine that crashed or was cancelled."""
        engine = self._engine
        return None if engine is not None and engine.usable else self._kept

    def close(self) -> None:
        """Whoever waits for an engine that rests waits no longer: the service stops. For good."""
        self._closed.set()

    def stop(self, timeout_s: float | None = None) -> None:
        """End the engine: at once if it works (its caller gets EngineCancelled), else quit, terminate, kill.

        Every call that was made before is interrupted; a later one starts the engine afresh.
        """
        limit_s = self._timeouts.quit_s if timeout_s is None else timeout_s
        self._stops_seen = next(self._stops)
        self._kept = None
        if self._command_lock.acquire(timeout=limit_s):
            try:
                self._quit(limit_s)
            finally:
                self._command_lock.release()
        elif engine := self._engine:
            engine.kill()  # its caller is held up outside the engine and learns of it later

    def _quit(self, timeout_s: float) -> None:
        engine = self._engine
        if engine is None and self._status.state in ("stopped", "error"):
            return
        self._forget()
        if engine:
            engine.quit(timeout_s)
        self._announce("stopped")

    @contextmanager
    def _exclusive(self, call: _Call) -> Iterator[_Call]:
        give_up_at = time.monotonic() + self._timeouts.busy_s
        while not self._command_lock.acquire(timeout=LOOK_S):
            self._raise_if_interrupted(call)
            if time.monotonic() >= give_up_at:
                raise EngineBusy(
                    "the engine is at work on another command", hint="Try again when it has ended."
                )
        try:
            self._raise_if_interrupted(call)
            yield call
        finally:
            self._command_lock.release()

    def _raise_if_interrupted(self, call: _Call) -> None:
        if self._stops_seen != call.stops_seen or (call.cancel is not None and call.cancel.is_set()):
            raise EngineCancelled("the engine was stopped on request")

    def _with_model(self, model: LoadParams, call: _Call) -> Conversation:
        if self._loaded != model or not (self._engine and self._engine.usable):
            self._require_files(model)
        engine = self._started(call)
        if self._loaded != model:
            self._load(engine, model, call)
        return engine

    def _require_files(self, model: LoadParams) -> None:
        """The engine gives one error for every cause: the commonest is found before it is asked."""
        if self._command.kind != "cn-engine":
            return
        for path in model.files():
            if not (self._command.cwd or Path()).joinpath(path).is_file():
                if model == self._kept:
                    self._kept = None  # it cannot be brought back
                raise failures.build_model_missing(path)

    def _require_memory(self, engine: Conversation, model: LoadParams) -> None:
        """Where the weights stay in main memory; how much a graphics card has, only the engine knows."""
        if self._command.kind != "sdcpp" and not model.flags.get("offload_to_cpu"):
            return
        shortage = find_shortage(model.files(), engine.pid or 0)
        if shortage is not None:
            raise failures.build_too_large(shortage)

    def _started(self, call: _Call) -> Conversation:
        if self._engine and self._engine.usable:
            return self._engine
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

    def _rest(self, call: _Call) -> None:
        """Wait, as long as the last failure asks for; who only asks how the engine is does not wait."""
        rest_s = self._back_off.remaining_s() if call.is_patient else 0.0
        if rest_s <= 0:
            return
        _log.warning("the engine rests for %.0f s: %s", rest_s, self._status.problem)
        while (remaining_s := self._back_off.remaining_s()) > 0:
            self._raise_if_interrupted(call)
            if self._closed.wait(min(LOOK_S, remaining_s)):  # it spends no attempt
                raise EngineBusy("the service stops")

    def _is_worth_another(self, call: _Call, error: EngineError, failed_starts: int) -> bool:
        is_start = error.code == "engine.start_failed"
        return is_start and call.is_patient and self._back_off.is_worth_another(failed_starts)

    def _start(self, call: _Call) -> Conversation:
        engine = Conversation(self._command, self._timeouts, self._numbers, self._on_idle_exit)
        self._announce("starting")
        self._engine = engine
        try:
            engine.start()
            ended = self._ask(engine, "ping", None, self._timeouts.start_s, call)
        except (EngineCrashed, EngineTimeout) as error:
            raise failures.build_start_failed(f"{error.message}\n{error.hint or ''}".strip()) from error
        if isinstance(ended, Failed):
            engine.kill()
            raise failures.build_start_failed(ended.failure.message)
        self._announce("idle")
        _log.info("engine started: %s, process %s", self._command.argv[0], engine.pid)
        return engine

    def _load(self, engine: Conversation, model: LoadParams, call: _Call) -> None:
        if call.on_progress:
            call.on_progress(StepProgress("loading"))
        self._require_memory(engine, model)
        self._loaded = self._model_info = None  # the engine frees the old model first, whatever comes then
        self._announce("loading")
        ended = self._run(engine, "load", model.as_params(), self._timeouts.load_s, call)
        if isinstance(ended, Failed):
            error = failures.build_load_failed(ended.failure, engine.stderr_tail())
            self._announce("idle", str(error))
            raise error
        outcome = parse_load(ended.reply.data)
        self._loaded, self._model_info = model, outcome.model_info
        self._kept = model
        self._announce("ready")
        _log.info("engine loaded %s in %s ms", outcome.model_info, outcome.load_time_ms)

    def _run(
        self, engine: Conversation, cmd: str, params: Mapping[str, Any] | None, total_s: float, call: _Call
    ) -> Finished | Failed:
        try:
            return self._ask(engine, cmd, params, total_s, call)
        except BaseException as error:
            if engine.usable:  # the command was never sent
                self._announce("ready" if self._loaded else "idle")
            else:
                self._lose(error)
            raise

    def _ask(
        self, engine: Conversation, cmd: str, params: Mapping[str, Any] | None, total_s: float, call: _Call
    ) -> Finished | Failed:
        return engine.run(
            cmd,
            params,
            total_s=total_s,
            look=lambda: self._raise_if_interrupted(call),
            on_progress=call.on_progress,
        )

    def _lose(self, error: BaseException) -> None:
        """The engine is gone with its model: on request, or because of an error."""
        self._forget()
        if isinstance(error, EngineCancelled):
            self._announce("stopped")
            return
        if isinstance(error, EngineError) and not error.retryable:
            self._kept = None  # no program, say: a rest mends nothing, and nobody can bring the model back
        else:
            self._back_off.failed()
        self._announce_error(str(error))

    def _forget(self) -> None:
        self._engine = self._loaded = self._model_info = None

    def _on_idle_exit(self, engine: Conversation, ended: ProcessExit) -> None:
        if self._engine is engine:
            self._model_info = None
            problem = (
                f"the engine ended ({failures.describe_exit(ended.returncode)}) while it had nothing to do"
            )
            self._back_off.failed()
            self._announce_error(problem)

    def _announce_error(self, problem: str) -> None:
        rest_s = self._back_off.remaining_s()
        self._announce("error", problem, datetime.now(UTC) + timedelta(seconds=rest_s) if rest_s else None)

    def _announce(self, state: State, problem: str | None = None, retry_at: datetime | None = None) -> None:
        """The only place that changes the status."""
        with self._announce_lock:
            engine = self._engine
            self._status = EngineStatus(
                state=state,
                kind=self._command.kind,
                model_info=self._model_info,
                pid=engine.pid if engine else None,
                since=datetime.now(UTC),
                problem=problem,
                retry_at=retry_at,
            )
            if self._on_status:
                self._on_status(self._status)
