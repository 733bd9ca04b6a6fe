"""The embedded engine: a child process that speaks cn-engine's lines and draws pictures without any AI model.

`python -m hotfolder.engine.procedural` reads one JSON object a line on stdin and replies on stdout; stderr is
a log. It ends on quit, at the end of stdin (after the command in hand) and at once on SIGTERM. A value of the
wrong JSON type aborts it, as it does the real engine. Extra params of generate: `caption` (default true) and
the faults of `procedural_faults`. Upscaling is Lanczos, always loaded. Nothing here pretends to be a model.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from hotfolder.engine.child_reply import Refused, Reply, log
from hotfolder.engine.child_request import (
    Params,
    ParseFailed,
    Request,
    WrongType,
    check_load,
    parse_request,
    read_generate_job,
    read_upscale_job,
)
from hotfolder.engine.procedural_faults import (
    GARBAGE,
    Fault,
    FaultPlan,
    UnknownFault,
    abort_process,
    flood_stderr,
    glued_code,
    long_line,
    plan_faults,
    progress_bars,
)

if TYPE_CHECKING:
    # Pillow is imported by the first command that needs it, so that a ping is answered early.
    from hotfolder.engine.procedural_work import Studio

MODEL_INFO = "procedural (no AI model)"
UPSCALER_MODEL = "lanczos (no AI model)"

_UPSCALER = {"upscaler_loaded": True, "upscaler_model": UPSCALER_MODEL}
_WORK = frozenset({"generate", "upscale"})

Answer = tuple[str, dict[str, Any]]


class Engine:
    """What lives between two commands, and the handler of each."""

    def __init__(
        self, out: BinaryIO, faults: FaultPlan, now: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._out = out
        self._faults = faults
        self._now = now
        self._sleep = sleep
        self._studio: Studio | None = None
        self._loaded_at_s = 0.0
        self._handlers: dict[str, Callable[[Params | None, Reply, Fault], Answer]] = {
            "ping": self._ping,
            "status": self._status,
            "load": self._load,
            "generate": self._generate,
            "upscale": self._upscale,
            "unload": self._unload,
            "quit": self._quit,
        }

    def serve(self, lines: BinaryIO) -> None:
        """Answer lines until quit or the end of the input; raises WrongType where the real one aborts."""
        for line in lines:
            if line.strip() and self._answer(line) == "quit":
                return

    def _answer(self, line: bytes) -> str:
        try:
            request = parse_request(line)
        except ParseFailed as error:
            Reply(self._out, "").refuse(Refused(f"not JSON: {error}", "PARSE_ERROR"))
            return ""
        reply = Reply(self._out, request.request_id)
        try:
            self._run(request, reply)
        except Refused as refusal:
            reply.refuse(refusal)
            log("ERROR", f"{request.command or 'no command'}: {refusal.message}")
        return request.command

    def _run(self, request: Request, reply: Reply) -> None:
        handler = self._handlers.get(request.command)
        if not request.command:
            raise Refused("a request needs a 'cmd'")
        if handler is None:
            raise Refused(f"there is no command {request.command!r}", "UNKNOWN_CMD")
        fault = self._choose_fault(request)
        if request.command == "load" and request.params is not None:
            self._studio = None  # a load that fails leaves no model, not the old one
        if fault.kind == "wrong-id":
            reply = Reply(self._out, f"not-{request.request_id}")
        _commit_at_start(fault, request.command, reply)
        kind, data = handler(request.params, reply, fault)
        self._sleep(fault.late_ms / 1000)
        if fault.kind == "long-line":
            reply.send_raw(long_line())
        reply.send(kind, data)

    def _choose_fault(self, request: Request) -> Fault:
        try:
            return self._faults.choose(request.command, request.params)
        except UnknownFault as error:
            raise Refused(str(error)) from error

    def _ping(self, _params: Params | None, _reply: Reply, _fault: Fault) -> Answer:
        return "ok", {"status": "pong"}

    def _status(self, _params: Params | None, _reply: Reply, _fault: Fault) -> Answer:
        if self._studio is None:
            return "ok", {"model_loaded": False, **_UPSCALER}
        uptime_s = int(self._now() - self._loaded_at_s)
        return "ok", {"model_loaded": True, "model_info": MODEL_INFO, "uptime_s": uptime_s, **_UPSCALER}

    def _load(self, params: Params | None, _reply: Reply, _fault: Fault) -> Answer:
        start = self._now()
        check_load(_needed(params, "load"))
        from hotfolder.engine.procedural_work import Clock, Studio

        self._studio = Studio(Clock(self._now, self._sleep))
        self._loaded_at_s = self._now()
        load_time_ms = round((self._loaded_at_s - start) * 1000)
        log("INFO", f"loaded: {MODEL_INFO}")
        return "ok", {
            "status": "model_loaded",
            "model_info": MODEL_INFO,
            "load_time_ms": load_time_ms,
            **_UPSCALER,
        }

    def _generate(self, params: Params | None, reply: Reply, fault: Fault) -> Answer:
        if self._studio is None:
            raise Refused("no model is loaded, send 'load' first", "NO_MODEL")
        job = read_generate_job(_needed(params, "generate"))
        log("INFO", f"generate {job.width_px} x {job.height_px}, {job.steps} steps, seed {job.seed}")
        return "result", self._studio.generate(job, reply, fault)

    def _upscale(self, params: Params | None, reply: Reply, fault: Fault) -> Answer:
        job = read_upscale_job(_needed(params, "upscale"))
        from hotfolder.engine.procedural_work import Clock, upscale

        log("INFO", f"upscale x{job.factor}, {job.repeats} times, {UPSCALER_MODEL}")
        data = upscale(job, Clock(self._now, self._sleep), reply, fault)
        return "result", {**data, "model_info": UPSCALER_MODEL}

    def _unload(self, _params: Params | None, _reply: Reply, _fault: Fault) -> Answer:
        self._studio = None
        return "ok", {"status": "model_unloaded"}

    def _quit(self, _params: Params | None, _reply: Reply, _fault: Fault) -> Answer:
        return "ok", {"status": "quitting"}


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Run the child on the process's own pipes; return its exit code."""
    if arguments[:1] == ["--version"]:
        sys.stdout.write(f"procedural {_version()} (no AI model)\n")
        return 0
    # A reader that went away, or Ctrl-C, ends this process without a traceback, as it ends the real engine.
    for number in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    try:
        faults = plan_faults(environment)
    except ValueError as error:
        log("ERROR", str(error))
        return 2
    log("INFO", f"{MODEL_INFO} started, waiting for commands on stdin")
    try:
        Engine(sys.stdout.buffer, faults, time.monotonic, time.sleep).serve(sys.stdin.buffer)
    except WrongType as error:
        log("ERROR", str(error))
        abort_process()
    log("INFO", "the engine ends")
    return 0


def _commit_at_start(fault: Fault, command: str, reply: Reply) -> None:
    if fault.kind == "type-error":
        raise WrongType("a wrong JSON type that was asked for")
    if fault.kind == "bars":
        reply.send_raw(progress_bars(300) + b"\n")
    if fault.kind == "garbage-stdout":
        reply.send_raw(GARBAGE)
    if fault.kind == "stderr-flood":
        flood_stderr()
    if fault.kind == "glued-error":
        reply.send_raw(progress_bars(150))
        raise Refused("the work ended half-way (a fault that was asked for)", glued_code(command))
    if fault.kind == "error":
        raise Refused("an error that was asked for", fault.code)
    if command not in _WORK:
        fault.strike()


def _needed(params: Params | None, command: str) -> Params:
    if params is None:
        raise Refused(f"{command} needs a 'params' object")
    return params


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("hotfolder")
    except PackageNotFoundError:
        return "unknown"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
