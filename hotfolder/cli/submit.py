"""hotfolder submit and validate: a job file on its way into the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from hotfolder.app import Library
from hotfolder.cli.following import follow
from hotfolder.cli.opening import opened
from hotfolder.cli.output import format_problem, json_option, print_json, problem_object
from hotfolder.clock import new_id
from hotfolder.domain.document import decode_text, format_of
from hotfolder.errors import ConfigError, JobFileError, Problem
from hotfolder.files.names import free_name
from hotfolder.files.storage import write_atomic
from hotfolder.generation.service import Checked
from hotfolder.generation.submission import build_submission

_FILES = click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
)


@click.command()
@_FILES
@json_option
@click.pass_context
def validate(context: click.Context, files: Sequence[Path], as_json: bool) -> int:
    """Print all problems of job files; exit 1 if there are any."""
    with opened(context) as library:
        found = {file: _find_problems(library, file) for file in files}
    if as_json:
        print_json(
            [
                {"file": str(file), "problems": [problem_object(each) for each in problems]}
                for file, problems in found.items()
            ]
        )
    else:
        for file, problems in found.items():
            for problem in problems:
                click.echo(format_problem(problem, str(file)))
            if not problems:
                click.echo(f"{file}: sound")
    return 1 if any(found.values()) else 0


@click.command()
@_FILES
@click.option("--wait", is_flag=True, help="Follow until the jobs have ended, with progress.")
@click.option(
    "--timeout", "timeout_s", type=float, default=3600.0, show_default=True, help="Longest wait in seconds."
)
@json_option
@click.pass_context
def submit(context: click.Context, files: Sequence[Path], wait: bool, timeout_s: float, as_json: bool) -> int:
    """Check job files, then drop them into the inbox; local references go with them."""
    with opened(context) as library:
        checked = {file: _check(library, file) for file in files}
        ids = [job_id for file, each in checked.items() for job_id in _drop(library, file, each)]
        library.nudge()
        if wait:
            return follow(library, ids, timeout_s=timeout_s, as_json=as_json)
    if as_json:
        print_json([{"jobId": each} for each in ids])
    else:
        for each in ids:
            click.echo(each)
    return 0


def _find_problems(library: Library, file: Path) -> list[Problem]:
    try:
        _check(library, file)
    except JobFileError as error:
        return error.problems
    return []


def _check(library: Library, file: Path) -> Checked:
    """A sound job file; raises JobFileError with every problem, those of references included."""
    document_format = format_of(file.name)
    if document_format is None:
        raise ConfigError(f"{file} is no job file.", hint="Job files end in .yaml, .yml, .json or .jsonl.")
    checked = library.service.check(file.read_bytes(), document_format)
    problems = checked.problems or library.service.check_references(checked, file.parent)
    if problems:
        raise JobFileError(problems)
    return checked


def _drop(library: Library, file: Path, checked: Checked) -> list[str]:
    """Write the job into the inbox under a free name, all at once; gives the ids of its jobs."""
    text = decode_text(file.read_bytes())
    submission = build_submission(text, checked.nodes, file.parent, library.paths, new_id)
    inbox = library.paths.inbox
    name = free_name(inbox, file.name, lambda path: path.exists())
    write_atomic(inbox / name, submission.text.encode())
    return submission.ids
