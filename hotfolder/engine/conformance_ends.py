"""Checks of ends: whether a program goes when it is asked to, and how soon."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from hotfolder.engine.conformance_findings import Check, Differs, NotPossible
from hotfolder.engine.conformance_pictures import Studio
from hotfolder.engine.conformance_talk import Bench, NoAnswer, describe, describe_end
from hotfolder.engine.messages import Ok, Progress

_BY_FORCE = (-signal.SIGTERM, -signal.SIGKILL)
_MANY_STEPS = 50
_LARGE_PX = 512


def list_end_checks(bench: Bench, studio: Studio) -> list[Check]:
    """The checks that end the process, each its own."""
    return [
        Check("cancel by SIGTERM", lambda: _cancel(bench, studio)),
        Check("end at the end of input", lambda: _end_of_input(bench), needed=True),
        Check("quit", lambda: _quit(bench)),
    ]


def _cancel(bench: Bench, studio: Studio) -> str:
    talk = studio.loaded()
    output = studio.folder / "cancelled.png"
    talk.send("generate", studio.params(output, width=_LARGE_PX, height=_LARGE_PX, steps=_MANY_STEPS))
    sign = talk.hear_any(studio.limit_s)
    if not isinstance(sign, Progress):
        raise NotPossible(f"no work to end: {describe(sign) if sign else 'no sign of any'}")
    asked_at = time.monotonic()
    ended = talk.process.terminate(bench.limits.cancel_s)
    took_s = time.monotonic() - asked_at
    if ended is None or ended.returncode == -signal.SIGKILL:
        raise Differs(f"still there after {bench.limits.cancel_s:g} s, and killed")
    return f"ended in {took_s * 1000:.0f} ms, {_describe_rest(output)}"


def _describe_rest(output: Path) -> str:
    return "with an output" if output.exists() else "without an output"


def _end_of_input(bench: Bench) -> str:
    process, asked_at = bench.fresh().process, time.monotonic()
    ended = process.quit(b"", timeout_s=bench.limits.end_s, terminate_s=bench.limits.cancel_s)
    took_s = time.monotonic() - asked_at
    if ended is None or ended.returncode in _BY_FORCE:
        raise Differs(f"still there {bench.limits.end_s:g} s after its input ended")
    return f"ended in {took_s * 1000:.0f} ms"


def _quit(bench: Bench) -> str:
    talk = bench.fresh()
    try:
        answer = talk.ask("quit")
    except NoAnswer as silence:
        raise Differs(f"{silence}, to a quit") from silence
    if not isinstance(answer.end, Ok):
        raise Differs(describe(answer.end))
    ended = talk.process.wait(bench.limits.end_s)
    if ended is None:
        raise Differs(f"still there {bench.limits.end_s:g} s after it took its leave")
    if ended.returncode != 0:
        raise Differs(describe_end(ended))
    return "took its leave and ended with exit code 0"
