"""The engine as others use it: it has the wanted model loaded, and does one thing at a time for them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from hotfolder.engine import failures
from hotfolder.engine.conversation import LOOK_S, Conversation, EngineCommand, EngineTimeouts
from hotfolder.engine.made import EnlargedPicture, Files, MadePicture, build_enlarged, build_made
from hotfolder.engine.memory import forget_peak, read_peak_mb
from hotfolder.engine.messages import (
    GenerateParams,
    LoadParams,
    StepProgress,
    UpscaleParams,
    parse_load,
    parse_outcome,
    parse_upscale,
)
from hotfolder.engine.model_checks import find_missing, look_at, require_memory
from hotfolder.engine.model_sets import named_files
from hotfolder.engine.session import Failed
from hotfolder.engine.supervised import Call, EngineStatus, State, SupervisedEngine
from hotfolder.engine.supervision import AT_ONCE, JOBS_IN_A_ROW, Breaker, RestartPolicy
from hotfolder.errors import EngineBusy, EngineCrashed, EngineError, EngineTimeout

__all__ = ["EngineCommand", "EngineManager", "EngineStatus", "EngineTimeouts", "State"]

_log = logging.getLogger(__name__)


class EngineManager:
    """One engine for any number of threads, one command at a time.

    After a failure it rests as `restarts` says; who wants a picture waits meanwhile. Where starts are not
    counted, and one job after the other fails, these failures cost the jobs nothing (`EngineBusy`).

    `on_status` runs on the thread that caused the change, must be quick and must not raise.
    """

    def __init__(
        self,
        command: EngineCommand,
        timeouts: EngineTimeouts,
        on_status: Callable[[EngineStatus], None] | None = None,
        restarts: RestartPolicy = AT_ONCE,
    ) -> None:
        self._engine = SupervisedEngine(command, timeouts, on_status, restarts)
        self._breaker = Breaker(JOBS_IN_A_ROW if restarts.starts is None else None)
        self._command = command
        self._timeouts = timeouts
        self._command_lock = threading.Lock()

    def generate(
        self,
        model: LoadParams,
        params: GenerateParams,
        *,
        on_progress: Callable[[StepProgress], None],
        cancel: threading.Event,
        job: str | None = None,
    ) -> MadePicture:
        """Make one picture with this model; EngineCancelled soon after `cancel` is set or `stop` called.

        `job` is whose failure it will be.
        """
        call = self._engine.call(cancel, on_progress, is_patient=True)
        with self._exclusive(call), self._counted(job):
            process = self._with_model(model, call)
            name, files = self._engine.memory.info, self._list_read(named_files(model))
            self._engine.announce("busy")
            forget_peak(process.pid or 0)
            ended = self._engine.run(process, "generate", params.as_params(), self._timeouts.generate_s, call)
            if isinstance(ended, Failed) and ended.failure.means_no_model:
                self._engine.memory.forget_model()  # the engine lost it: the next job loads it again
            self._rest()
            if isinstance(ended, Failed):
                raise failures.build_refused(ended.failure, process.stderr_tail())
            return build_made(parse_outcome(ended.reply.data), read_peak_mb(process.pid or 0), name, files)

    def upscale(
        self,
        params: UpscaleParams,
        *,
        on_progress: Callable[[StepProgress], None],
        cancel: threading.Event,
        job: str | None = None,
    ) -> EnlargedPicture:
        """Enlarge one picture, whatever model is loaded; it stays so. Ends early as `generate` does."""
        call = self._engine.call(cancel, on_progress, is_patient=True)
        with self._exclusive(call), self._counted(job):
            process = self._with_upscaler(params.model, call)
            files = self._list_read({"upscale_model": params.model} if params.model else {})
            self._engine.announce("busy")
            forget_peak(process.pid or 0)
            ended = self._engine.run(process, "upscale", params.as_params(), self._timeouts.generate_s, call)
            self._rest()
            if isinstance(ended, Failed):
                raise failures.build_refused(ended.failure)
            return build_enlarged(parse_upscale(ended.reply.data), read_peak_mb(process.pid or 0), files)

    def load(
        self,
        model: LoadParams,
        *,
        on_progress: Callable[[StepProgress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> None:
        """Have this model loaded before the first job needs it; waits for no engine that rests."""
        call = self._engine.call(cancel, on_progress)
        with self._exclusive(call):
            self._with_model(model, call)

    def unload(self) -> None:
        """Give the memory of the model back; nothing happens without one."""
        call = self._engine.call()
        with self._exclusive(call):
            self._engine.kept = None
            process = self._engine.usable
            if process and self._engine.memory.model:
                ended = self._engine.run(process, "unload", None, self._timeouts.start_s, call)
                self._engine.memory.forget_model()
                self._engine.announce("idle")
                if isinstance(ended, Failed):
                    raise failures.build_refused(ended.failure)

    def check_health(self) -> None:
        """Ping an engine that has nothing to do, if it runs; one that does not answer is ended."""
        if not self._command_lock.acquire(blocking=False):
            return
        try:
            if process := self._engine.usable:
                self._engine.run(process, "ping", None, self._timeouts.start_s, self._engine.call())
        except EngineError as error:
            _log.warning("the idle engine does not answer and is ended: %s", error)
        finally:
            self._command_lock.release()

    def ping(self) -> float:
        """Milliseconds to the engine and back; starts it if need be."""
        call = self._engine.call()
        with self._exclusive(call):
            process = self._engine.started(call)
            sent_at = time.perf_counter()
            ended = self._engine.run(process, "ping", None, self._timeouts.start_s, call)
            if isinstance(ended, Failed):
                raise failures.build_refused(ended.failure)
            return (time.perf_counter() - sent_at) * 1000

    def status(self) -> EngineStatus:
        """The latest status; never waits."""
        return self._engine.status

    def tell(self, problem: str) -> None:
        """Have a problem announced with the state that the engine is in."""
        self._engine.announce_problem(problem)

    @property
    def model_info(self) -> str | None:
        """The engine's own name for the loaded model, None while there is none."""
        return self._engine.memory.info

    @property
    def rests(self) -> bool:
        """Whether it has failed, and no picture may start it yet."""
        return self._engine.back_off.remaining_s() > 0

    @property
    def lost_model(self) -> LoadParams | None:
        """The model that went with an engine that crashed or was cancelled."""
        return None if self._engine.usable else self._engine.kept

    def close(self) -> None:
        """Whoever waits for an engine that rests waits no longer: the service stops. For good."""
        self._engine.close()

    def stop(self, timeout_s: float | None = None) -> None:
        """End the engine: at once if it works (its caller gets EngineCancelled), else quit, terminate, kill.

        Every call that was made before is interrupted; a later one starts the engine afresh.
        """
        limit_s = self._timeouts.quit_s if timeout_s is None else timeout_s
        self._engine.interrupt()
        self._engine.kept = None
        if self._command_lock.acquire(timeout=limit_s):
            try:
                self._engine.quit(limit_s)
            finally:
                self._command_lock.release()
        else:
            self._engine.kill()  # its caller is held up outside the engine

    @contextmanager
    def _exclusive(self, call: Call) -> Iterator[None]:
        give_up_at = time.monotonic() + self._timeouts.busy_s
        while not self._command_lock.acquire(timeout=LOOK_S):
            self._engine.raise_if_interrupted(call)
            if time.monotonic() >= give_up_at:
                raise EngineBusy(
                    "the engine is at work on another command", hint="Try again when it has ended."
                )
        try:
            self._engine.raise_if_interrupted(call)
            yield
        finally:
            self._command_lock.release()

    @contextmanager
    def _counted(self, job: str | None) -> Iterator[None]:
        """Whether an engine that dies or hangs is the job's fault; when not, that spends no attempt."""
        if job is not None and self._breaker.gives_way(job):
            raise EngineBusy(f"others go first: {self._engine.status.problem}")
        was_open = self._breaker.is_open
        try:
            yield
        except (EngineCrashed, EngineTimeout) as error:
            if job is not None and error.spends_attempt:
                self._breaker.failed(job)
            if self._breaker.is_open:
                problem = f"one job after the other fails, so they wait: {error.message}"
                self._engine.announce_error(problem)
                if was_open:
                    raise EngineBusy(problem, hint=error.hint) from error
            raise
        self._breaker.worked()

    def _rest(self) -> None:
        """A job has its answer, be it a refusal."""
        self._engine.back_off.worked()
        self._engine.announce_rest()

    def _with_model(self, model: LoadParams, call: Call) -> Conversation:
        memory, found = self._engine.memory, look_at(self._command, model.files())
        is_loaded = self._engine.usable and memory.model == model and found.items() <= memory.files.items()
        if not is_loaded and (missing := find_missing(self._command, model)):
            if model == self._engine.kept:
                self._engine.kept = None  # it cannot be brought back
            raise failures.build_model_missing(missing)
        process = self._engine.started(call)
        if not is_loaded:
            self._load(process, model, call)
        return process

    def _with_upscaler(self, model: str | None, call: Call) -> Conversation:
        """An engine keeps the model for enlarging, too: where its file has changed, it starts anew."""
        found = look_at(self._command, [model] if model else [])
        if any(self._engine.memory.files.get(path, key) != key for path, key in found.items()):
            self._engine.quit(self._timeouts.quit_s)
        process = self._engine.started(call)
        self._engine.memory.files.update(found)
        return process

    def _list_read(self, named: Mapping[str, str]) -> Files:
        """Files by role as they were when the engine read them."""
        read = self._engine.memory.files
        return {role: key for role, path in named.items() if (key := read.get(path)) is not None}

    def _load(self, process: Conversation, model: LoadParams, call: Call) -> None:
        if call.on_progress:
            call.on_progress(StepProgress("loading"))
        require_memory(self._command, model, process.pid or 0)
        memory = self._engine.memory
        memory.forget_model()  # the engine frees the old model first, whatever comes then
        memory.files.update(look_at(self._command, model.files()))
        self._engine.announce("loading")
        ended = self._engine.run(process, "load", model.as_params(), self._timeouts.load_s, call)
        if isinstance(ended, Failed):
            error = failures.build_load_failed(ended.failure, process.stderr_tail())
            self._engine.announce("idle", str(error))
            raise error
        outcome = parse_load(ended.reply.data)
        memory.model, memory.info = model, outcome.model_info
        self._engine.kept = model
        self._engine.announce("ready")
        _log.info("engine loaded %s in %s ms", outcome.model_info, outcome.load_time_ms)
