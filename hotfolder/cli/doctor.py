"""hotfolder doctor: every check with what to do about it."""

from __future__ import annotations

import os

import click

from hotfolder.cli.opening import find_root
from hotfolder.cli.output import json_option, print_json, say
from hotfolder.diagnosis import examine

_MARKS = {"ok": "ok  ", "warning": "warn", "failure": "FAIL"}


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> int:
    """Check the library, the engine and the machine. Exit 1 on a failure."""
    checks = examine(find_root(context), os.environ)
    if as_json:
        print_json(
            [
                {"name": each.name, "state": each.state, "found": each.found, "hint": each.hint}
                for each in checks
            ]
        )
    else:
        for each in checks:
            say(f"{_MARKS[each.state]}  {each.name}: {each.found}")
            if each.hint:
                say("\n".join(f"      {line}" for line in each.hint.splitlines()))
    return 1 if any(each.state == "failure" for each in checks) else 0
