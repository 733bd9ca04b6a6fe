"""How commands speak: tables and plain lines for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hotfolder.errors import HotfolderError, JobFileError, Problem

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    click.echo(text.encode("utf-8", "backslashreplace").decode())


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], empty: str = "Nothing.") -> None:
    """Print a table, or a sentence when there are no rows."""
    if not rows:
        click.echo(empty)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable("" if each is None else str(each))) for each in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=200)
    console.print(table)


def printable(text: str) -> str:
    """Text without what would steer a terminal: control characters, and bytes that are no UTF-8."""
    visible = "".join(each if each.isprintable() or each in "\n\t" else "�" for each in text)
    return visible.encode("utf-8", "replace").decode()


def report_error(error: HotfolderError) -> None:
    """Print an error with its hint to standard error."""
    if isinstance(error, JobFileError):
        for problem in error.problems:
            click.echo(format_problem(problem), err=True)
        return
    click.echo(printable(f"Error: {error.message} [{error.code}]"), err=True)
    if error.hint:
        click.echo(printable(error.hint), err=True)


def format_problem(problem: Problem, name: str = "") -> str:
    """A problem as `file:line:column: message [code]` with its hint below."""
    place = f"{problem.line}:{problem.column}: " if problem.line else ""
    prefix = f"{name}:" if name else ""
    hint = f"\n    {problem.hint}" if problem.hint else ""
    return printable(f"{prefix}{place or ' '}{problem.message} [{problem.code}]{hint}")


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
