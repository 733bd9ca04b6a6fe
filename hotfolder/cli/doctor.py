"""hotfolder doctor: every check with what to do about it."""

from __future__ import annotations

import click

from hotfolder.cli.opening import opened
from hotfolder.cli.output import json_option, print_json
from hotfolder.diagnosis import run_checks

_MARKS = {"ok": "ok  ", "warning": "warn", "failure": "FAIL"}


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, as_json: bool) -> int:
    """Check the library, the engine and the machine; exit 1 on a failure."""
    with opened(context) as library:
        checks = run_checks(library)
    if as_json:
        print_json(
            [
                {"name": each.name, "state": each.state, "found": each.found, "hint": each.hint}
                for each in checks
            ]
        )
    else:
        for each in checks:
            click.echo(f"{_MARKS[each.state]}  {each.name}: {each.found}")
            if each.hint and each.state != "ok":
                click.echo(f"      {each.hint}")
    return 1 if any(each.state == "failure" for each in checks) else 0
