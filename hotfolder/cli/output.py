"""How commands speak: tables and plain lines for people, JSON for programs."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import click

from hotfolder.domain.wording import STEERING, one_line, printable
from hotfolder.errors import HotfolderError, JobFileError, Problem

__all__ = [
    "format_problem",
    "json_option",
    "one_line",
    "print_json",
    "print_table",
    "printable",
    "problem_object",
    "report_error",
    "say",
]

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")

_PIPED_WIDTH = 10_000  # a pipe has no right margin: no line is broken


def say(text: str, *, err: bool = False) -> None:
    """Print lines for people, without anything that would steer their terminal."""
    click.echo(printable(text), err=err)


def print_json(value: Any) -> None:
    """Print a value as JSON; what would steer a terminal stands there as an escape."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    click.echo(STEERING.sub(lambda found: json.dumps(found.group())[1:-1], text))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], empty: str = "Nothing.") -> None:
    """Print a table, or a sentence when there are no rows."""
    if not rows:
        click.echo(empty)
        return
    from rich.console import Console  # its import costs as much as most commands take
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line("" if each is None else str(each))) for each in row))
    console = Console()
    if console.is_terminal:
        console.print(table)
        return
    piped = Console(file=io.StringIO(), width=_PIPED_WIDTH)
    with piped.capture() as captured:
        piped.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().splitlines()))


def report_error(error: HotfolderError) -> None:
    """Print an error with its hint to standard error."""
    if isinstance(error, JobFileError):
        for problem in error.problems:
            say(format_problem(problem), err=True)
        return
    say(f"Error: {error.message} [{error.code}]", err=True)
    if error.hint:
        say(error.hint, err=True)


def format_problem(problem: Problem, name: str = "") -> str:
    """A problem as `file:line:column: message [code]` with its hint below."""
    places = [one_line(name), *([problem.line, problem.column] if problem.line else [])]
    prefix = "".join(f"{each}:" for each in places if each)
    hint = f"\n    {printable(problem.hint)}" if problem.hint else ""
    return f"{prefix} {one_line(problem.message)} [{problem.code}]{hint}".lstrip()


def problem_object(problem: Problem) -> Mapping[str, Any]:
    """A problem as an object of result files."""
    return {
        "code": problem.code,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
        "hint": problem.hint,
    }
