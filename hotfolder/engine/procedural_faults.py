"""Faults that the embedded engine commits on request, so that callers can be tested against them.

A fault is the text in the environment variable HOTFOLDER_PROCEDURAL_FAULT, or the param `fault` of one
command (which wins; `none` switches the environment's fault off for that command):

    crash           exit code 3 in the middle of sampling
    abort           SIGABRT in the middle of sampling
    type-error      SIGABRT before any reply, as after a value of the wrong JSON type
    hang            no further line, in the middle of sampling (ends when the parent is gone)
    slow            every step takes the step time below, 200 ms when none is given
    error:CODE      that error code instead of the work; `error:` alone is an error without a code
    bars            progress bars on stdout in front of the replies, the newline only after the last bar
    glued-error     a progress bar that stops half-way, with an error reply on the same line
    garbage-stdout  bytes that are no protocol in front of the replies: no UTF-8, no JSON, no reply's JSON
    long-line       a line of 10 MB of bars; the last reply hangs on its end
    stderr-flood    20 MB of log on stderr, then the work
    wrong-id        every reply carries an id that nobody gave
    late-result     the work is done, the result comes after the late time below
    garbage-output  success, but the output file holds text
    half-output     success, but the output file ends half-way
    missing-output  success, but no output file is written
    other-size      success, but the picture is half as wide as it was asked for

From the environment a fault acts on generate and upscale; `bars` and `glued-error` also on load, where the
real engine prints bars. `crash@load`, `hang@ping` and so on name one command instead; a command without
sampling is struck at its start. A wrong JSON type needs no fault: it always aborts.

    HOTFOLDER_PROCEDURAL_FAULT_ONCE  a fault acts only while this file exists, and removes it: the fault that
                                     the file holds, else the environment's
    HOTFOLDER_PROCEDURAL_STEP_MS     added to every step, with or without a fault; or the param `slow_ms`
    HOTFOLDER_PROCEDURAL_LATE_MS     the delay of `late-result`, 5000 when not given; or the param `late_ms`
"""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Never

from hotfolder.engine.child_request import Params

VARIABLE = "HOTFOLDER_PROCEDURAL_FAULT"
CRASH_EXIT_CODE = 3
DEFAULT_STEP_MS = 200.0
DEFAULT_LATE_MS = 5000.0

_WORK = frozenset({"generate", "upscale"})
_WORK_AND_LOAD = _WORK | {"load"}
_TARGETS = {
    "none": frozenset[str](),
    **dict.fromkeys(("crash", "abort", "type-error", "hang", "slow", "error"), _WORK),
    **dict.fromkeys(("bars", "glued-error"), _WORK_AND_LOAD),
    **dict.fromkeys(("garbage-stdout", "long-line", "stderr-flood", "wrong-id", "late-result"), _WORK),
    **dict.fromkeys(("garbage-output", "half-output", "missing-output", "other-size"), _WORK),
}
LONG_LINE_BYTES = 10_000_000
FLOOD_BYTES = 20_000_000
GARBAGE = b'\xff\xfe\x00{\n[[[[\n{}\nnull\n{"id":7,"type":"ok"}\n\x1b[2J\xc3\x28\n{"cmd":"ping"}\n'
_GLUED_CODES = {"load": "CTX_CREATION_FAILED", "generate": "GENERATION_FAILED", "upscale": "UPSCALE_FAILED"}
_ORPHAN_CHECK_S = 0.2


class UnknownFault(ValueError):
    """A fault that is not in the table; a misspelt one must not look like a passed test."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, the commands it acts on, and the times that belong to it."""

    kind: str
    commands: frozenset[str]
    code: str = ""
    step_ms: float = 0.0
    late_ms: float = 0.0

    def strike(self) -> None:
        """Crash, abort or hang if that is the fault."""
        if self.kind == "crash":
            os._exit(CRASH_EXIT_CODE)
        if self.kind == "abort":
            abort_process()
        if self.kind == "hang":
            _hang_while_parent_lives()

    def resize(self, width_px: int, height_px: int) -> tuple[int, int]:
        """Return the size in which to save a picture of this size."""
        return (max(1, width_px // 2), height_px) if self.kind == "other-size" else (width_px, height_px)

    def spoil(self, encoded: bytes) -> bytes | None:
        """Return what to write in place of the encoded picture; None is no file at all."""
        if self.kind == "missing-output":
            return None
        if self.kind == "half-output":
            return encoded[: len(encoded) // 2]
        return b"this is not a picture\n" if self.kind == "garbage-output" else encoded


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """What the environment asks for."""

    text: str
    once: Path | None
    step_ms: float
    late_ms: float

    def choose(self, command: str, params: Params | None) -> Fault:
        """Return the fault for one command; UnknownFault when the param or the file names none."""
        params = params or Params({})
        named = params.text("fault")
        fault = _parse_param(named, command) if named else self._take_armed(command)
        step_ms = params.number("slow_ms", self.step_ms) or (DEFAULT_STEP_MS if fault.kind == "slow" else 0.0)
        late_ms = params.number("late_ms", self.late_ms) if fault.kind == "late-result" else 0.0
        return Fault(fault.kind, fault.commands, fault.code, step_ms, late_ms)

    def _take_armed(self, command: str) -> Fault:
        if self.once is None:
            fault = parse_fault(self.text)
            return fault if command in fault.commands else parse_fault("none")
        try:
            fault = parse_fault(self.once.read_text("utf-8", "replace").strip() or self.text)
            if command not in fault.commands:
                return parse_fault("none")
            self.once.unlink()
        except FileNotFoundError:
            return parse_fault("none")
        return fault


def plan_faults(environment: Mapping[str, str]) -> FaultPlan:
    """Return the plan of a process; an unknown fault or a time that is no number raises ValueError."""
    text = environment.get(VARIABLE, "")
    parse_fault(text)
    once = environment.get("HOTFOLDER_PROCEDURAL_FAULT_ONCE")
    return FaultPlan(
        text=text,
        once=Path(once) if once else None,
        step_ms=float(environment.get("HOTFOLDER_PROCEDURAL_STEP_MS") or 0.0),
        late_ms=float(environment.get("HOTFOLDER_PROCEDURAL_LATE_MS") or DEFAULT_LATE_MS),
    )


def parse_fault(text: str) -> Fault:
    """Return the fault that a text of the table names."""
    named, _, command = (text or "none").partition("@")
    kind, colon, code = named.partition(":")
    if kind not in _TARGETS or bool(colon) != (kind == "error"):
        raise UnknownFault(f"unknown fault {text!r}; one of: {', '.join(sorted(_TARGETS))} (error:CODE)")
    return Fault(kind, frozenset({command}) if command else _TARGETS[kind], code)


def _parse_param(text: str, command: str) -> Fault:
    fault = parse_fault(text)
    return fault if "@" not in text or command in fault.commands else parse_fault("none")


def glued_code(command: str) -> str:
    """Return the code that the error behind a broken bar carries."""
    return _GLUED_CODES.get(command, "")


def progress_bars(last: int, total: int = 300) -> bytes:
    """Return the bars that the real engine's library prints, up to step `last`, without a newline."""
    bars = []
    for step in range(12, last + 1, 24):
        filled = "=" * (step * 50 // total) + ">"
        bars.append(f"\r  |{filled:<51}| {step}/{total} - 1.20it/s\x1b[K")
    return "".join(bars).encode()


def long_line() -> bytes:
    """Return the bars of a work that was redrawn for very long, without a newline."""
    bars = progress_bars(300)
    return bars * (LONG_LINE_BYTES // len(bars) + 1)


def flood_stderr() -> None:
    """Write more log than any pipe holds: who does not drain it stops this process."""
    line = b"[DEBUG] ggml_extend.hpp:1234 - " + b"x" * 96 + b"\n"
    sys.stderr.flush()
    for _ in range(FLOOD_BYTES // (512 * len(line)) + 1):
        sys.stderr.buffer.write(line * 512)
    sys.stderr.buffer.flush()


def abort_process() -> Never:
    """End with SIGABRT, as a C++ program does on an uncaught exception; a core file would help nobody."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.abort()


def _hang_while_parent_lives() -> Never:
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(_ORPHAN_CHECK_S)
    os._exit(1)
