"""hotfolder engine check: what any program does that is asked in the engine's protocol."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hotfolder.cli.opening import opened
from hotfolder.cli.output import json_option, print_json, print_table, say
from hotfolder.engine.conformance import CheckLimits, Finding, examine
from hotfolder.engine.kinds import CN_ENGINE
from hotfolder.engine.manager import EngineCommand
from hotfolder.engine.messages import LoadParams
from hotfolder.engines import build_model_sets
from hotfolder.errors import ConfigError


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--set", "set_name", metavar="NAME", help="Load this model set of the settings.")
@json_option
@click.argument("program", metavar="COMMAND...", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def check(context: click.Context, set_name: str | None, as_json: bool, program: tuple[str, ...]) -> int:
    """Drive a program through the engine's protocol. Tells what it does.

    Ends with exit code 1 when something differs that hotfolder needs. Write -- in front of a program with
    options of its own.
    """
    model, limits, env = _find_model(context, set_name)
    with tempfile.TemporaryDirectory(prefix="hotfolder-check-") as folder:
        findings = list(examine(EngineCommand(CN_ENGINE, program, env), model, Path(folder), limits))
    usable = not any(each.hinders for each in findings)
    if as_json:
        print_json({"command": program, "usable": usable, "checks": [_to_object(each) for each in findings]})
    else:
        _print(findings, usable)
    return 0 if usable else 1


def _find_model(
    context: click.Context, set_name: str | None
) -> tuple[LoadParams, CheckLimits, Mapping[str, str]]:
    """No library is needed unless a model set of its settings is named."""
    if set_name is None:
        return LoadParams(), CheckLimits(), {}
    with opened(context) as library:
        sets, settings = build_model_sets(library), library.settings.engine
    if set_name not in sets:
        known = ", ".join(sorted(sets)) or "none"
        raise ConfigError(f"The settings name no model set `{set_name}`.", hint=f"models.sets has: {known}.")
    limits = CheckLimits(
        load_s=settings.load_timeout_s, generate_s=settings.generate_timeout_s, stall_s=settings.stall_s
    )
    return sets[set_name], limits, settings.env


def _print(findings: Sequence[Finding], usable: bool) -> None:
    rows = [
        (each.name, each.verdict + (" (needed)" if each.hinders else ""), each.detail) for each in findings
    ]
    print_table(("Check", "Verdict", "Found"), rows)
    counts = Counter(each.verdict for each in findings)
    say(", ".join(f"{counts[each]} {each}" for each in ("passed", "differs", "not possible")) + ".")
    say("Nothing differs that hotfolder needs." if usable else "hotfolder cannot work with this program.")


def _to_object(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.name,
        "verdict": finding.verdict,
        "detail": finding.detail,
        "needed": finding.needed,
        "tookMs": round(finding.took_ms, 1),
    }
