"""Every way in which the engine fails, as the error that its user reads."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable
from typing import Final

from hotfolder.engine.memory import Shortage, tells_of_too_little
from hotfolder.engine.messages import Failure
from hotfolder.engine.process import ProcessExit
from hotfolder.engine.session import TimedOut
from hotfolder.errors import EngineCrashed, EngineError, EngineTimeout

SHOWN_LOG_LINES: Final = 15
SHOWN_ID_CHARACTERS: Final = 40
OUT_OF_MEMORY: Final = "engine.out_of_memory"
_HINT_MEMORY: Final = (
    "Try a smaller size or fewer references, a model set of smaller (more quantised) files, `offload_to_cpu` "
    "or `vae_on_cpu` under its flags, or end other programs."
)
_HINT_AT_ONCE: Final = (
    "An engine answers this at once, whatever it does later: `hotfolder engine check COMMAND` tells where a "
    "program differs. The next job starts it again."
)
_SETTINGS: Final = {
    "load": "engine.load_timeout_s",
    "generate": "engine.generate_timeout_s",
    "upscale": "engine.generate_timeout_s",
}
"""Which limit a user can set for a command as a whole; the others have none."""
_CODE_CHARACTERS: Final = 40
_QUOTE_CHARACTERS: Final = 8
"""From so many equal characters on a line of the log is taken for a quote; shorter ones are common words."""
_PASSING: Final = frozenset({"NO_MODEL", "PARSE_ERROR"})
"""What a command that we had loaded the model for, and that was JSON, meets only once."""


class EngineGone(EngineCrashed):
    """The engine was gone before it could read the command: the work has not been tried."""

    spends_attempt = False


def build_not_found(program: str) -> EngineError:
    """The binary is not there, or not one that this user may run."""
    return EngineError(
        f"there is no engine program {program}",
        code="engine.not_found",
        hint="Set engine.path (or HOTFOLDER_ENGINE) to an executable cn-engine.",
    )


def build_start_failed(reason: str) -> EngineError:
    """The program is there, but does not answer as an engine; the reason has the engine's last words."""
    return EngineError(
        f"the engine did not start: {reason}",
        code="engine.start_failed",
        hint="Run `hotfolder engine ping`; the engine may lack a library or a driver of this machine.",
        retryable=True,
    )


def build_crashed(cmd_id: str, ended: ProcessExit) -> EngineCrashed:
    """The process ended with a command in flight: most often for lack of memory, which its log may tell."""
    message = f"the engine ended ({describe_exit(ended.returncode)}) during {cmd_id}"
    if tells_of_too_little(ended.stderr_tail):
        message += ": memory ran out"
        return EngineCrashed(message, code=OUT_OF_MEMORY, hint=_with_log(_HINT_MEMORY, ended.stderr_tail))
    hint = "The next job starts it again."
    if ended.returncode == -signal.SIGKILL:  # not by us: then nobody would read this
        hint += " The system may have ended it for lack of memory: " + _HINT_MEMORY
    return EngineCrashed(message, hint=_with_log(hint, ended.stderr_tail))


def build_gone(ended: ProcessExit) -> EngineGone:
    """An engine that had worked ended between two commands, and the second one came too soon to see it."""
    return EngineGone(
        f"the engine ended ({describe_exit(ended.returncode)}) while it had nothing to do",
        hint="The next job starts it again.",
    )


def build_timed_out(timed_out: TimedOut, stderr_tail: Iterable[str]) -> EngineTimeout:
    """A limit has passed; which setting it was."""
    if timed_out.silent:
        message = f"the engine said nothing for {timed_out.limit_s:g} s during {timed_out.cmd}"
    else:
        message = f"the engine did not end {timed_out.cmd} within {timed_out.limit_s:g} s"
    setting = _SETTINGS.get(timed_out.cmd)
    hint = f"If it only needs longer, raise {'engine.stall_s' if timed_out.silent else setting}."
    if timed_out.foreign_id is not None:
        message += f"; before, it answered {timed_out.foreign_id[:SHOWN_ID_CHARACTERS]!r}, which nobody asked"
    return EngineTimeout(message, hint=_with_log(hint if setting else _HINT_AT_ONCE, stderr_tail))


def build_refused(failure: Failure, stderr_tail: Iterable[str] = ()) -> EngineError:
    """The engine's own error under our prefix."""
    if tells_of_too_little([failure.message, *stderr_tail]):
        message = f"the engine had not enough memory: {failure.message}"
        return EngineError(message, code=OUT_OF_MEMORY, hint=_HINT_MEMORY, retryable=True)
    words = re.sub(r"[^a-z0-9]+", "_", (failure.code or "").lower()).strip("_")
    return EngineError(
        f"the engine refused: {failure.message}",
        code=f"engine.{words[:_CODE_CHARACTERS] or 'failed'}",
        retryable=failure.code in _PASSING,
    )


def build_load_failed(failure: Failure, stderr_tail: Iterable[str]) -> EngineError:
    """The engine gives one error for every cause of a failed load; the cause is in its log only."""
    stderr_tail = tuple(stderr_tail)
    if tells_of_too_little([failure.message, *stderr_tail]):
        message = f"there is not enough memory for the model: {failure.message}"
        hint = _with_log(_HINT_MEMORY, stderr_tail)
        return EngineError(message, code=OUT_OF_MEMORY, hint=hint, retryable=True)
    return EngineError(
        f"the engine could not load the model: {failure.message}",
        code="engine.load_failed",
        hint=_with_log("Check the files under models.sets and the free memory.", stderr_tail),
    )


def build_too_large(shortage: Shortage) -> EngineError:
    """Found before the engine is asked: it would take minutes to fail, and other programs with it."""
    needed, free = shortage.needed_mb / 1000, shortage.free_mb / 1000
    message = f"the model's files are {needed:.1f} GB, and {free:.1f} GB of memory are free"
    return EngineError(message, code=OUT_OF_MEMORY, hint=_HINT_MEMORY, retryable=True)


def build_model_missing(path: str) -> EngineError:
    """A model file that is named is not there."""
    return EngineError(
        f"the model file {path} is not there",
        code="engine.load_failed",
        hint="Correct its path under models.sets, or put the file there.",
    )


def describe_exit(returncode: int) -> str:
    """A return code in words: `signal SIGABRT` or `exit code 3`."""
    if returncode >= 0:
        return f"exit code {returncode}"
    try:
        return f"signal {signal.Signals(-returncode).name}"
    except ValueError:
        return f"signal {-returncode}"


def drop_quotes(log: Iterable[str], prompt: str) -> tuple[str, ...]:
    """The lines that show nothing of the prompt, which may itself have several lines."""
    starts = [line.strip()[:_QUOTE_CHARACTERS] for line in prompt.splitlines()]
    starts = [start for start in starts if len(start) == _QUOTE_CHARACTERS]
    return tuple(
        line
        for line in log
        if not any(start in line for start in starts) and line.strip(" \t\"'") not in prompt
    )


def _with_log(hint: str, stderr_tail: Iterable[str]) -> str:
    # The log may quote prompts; this text goes into a job's report.
    lines = [line for line in stderr_tail if "prompt" not in line.lower()][-SHOWN_LOG_LINES:]
    return "\n".join([hint, "The engine's log ends:", *lines]) if lines else hint
