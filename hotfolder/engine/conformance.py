"""Drives any program through the engine's protocol and reports what it does; it always comes to an end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from hotfolder.engine.conformance_ends import list_end_checks
from hotfolder.engine.conformance_findings import Check, Differs, Finding, NotPossible, Verdict
from hotfolder.engine.conformance_lines import list_line_checks, list_type_checks
from hotfolder.engine.conformance_pictures import Studio
from hotfolder.engine.conformance_talk import Bench, CheckLimits, NoAnswer
from hotfolder.engine.conversation import EngineCommand
from hotfolder.engine.messages import LoadParams
from hotfolder.errors import EngineProtocolError

__all__ = ["CheckLimits", "Finding", "examine"]


def examine(
    command: EngineCommand, model: LoadParams, folder: Path, limits: CheckLimits
) -> Iterator[Finding]:
    """What each check finds, one after the other; pictures are written to the folder."""
    bench = Bench(command, limits)
    studio = Studio(bench, model, folder)
    try:
        start = _find(Check("start", lambda: f"pong after {bench.start():.0f} ms", needed=True))
        yield start
        checks = [*list_line_checks(bench, folder), *studio.checks(), Check("stdout", lambda: _stdout(bench))]
        checks += [*list_type_checks(bench), *list_end_checks(bench, studio)]
        for each in checks:
            if start.verdict == "passed":
                yield _find(each)
            else:
                yield Finding(each.name, "not possible", "it does not answer a ping", each.needed, 0.0)
    finally:
        bench.close()


def _find(check: Check) -> Finding:
    started_at = time.monotonic()
    verdict: Verdict = "passed"
    try:
        detail = check.run()
    except (Differs, NoAnswer) as difference:
        verdict, detail = "differs", str(difference)
    except EngineProtocolError as error:
        verdict, detail = "differs", error.message
    except NotPossible as reason:
        verdict, detail = "not possible", str(reason)
    return Finding(check.name, verdict, detail, check.needed, (time.monotonic() - started_at) * 1000)


def _stdout(bench: Bench) -> str:
    if not bench.chatter.lines:
        return "nothing but messages"
    return f"{bench.chatter.lines} lines that are no messages are passed over: {bench.chatter.first}"
