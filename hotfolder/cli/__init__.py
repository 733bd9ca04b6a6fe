"""The command line: one module a group of verbs; here errors become exit codes."""

from __future__ import annotations

import logging
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

import click

from hotfolder import __version__
from hotfolder.cli.accounts import login, logout, password, token
from hotfolder.cli.collections import collections
from hotfolder.cli.config import config
from hotfolder.cli.credits import credits_
from hotfolder.cli.demo import demo
from hotfolder.cli.doctor import doctor
from hotfolder.cli.endpoints import endpoints, schema
from hotfolder.cli.engine import engine
from hotfolder.cli.folders import folders
from hotfolder.cli.imports import import_
from hotfolder.cli.jobs import jobs
from hotfolder.cli.keywords import keywords
from hotfolder.cli.library import init, library, run
from hotfolder.cli.models import models
from hotfolder.cli.output import report_error, say
from hotfolder.cli.owners import owners
from hotfolder.cli.queue import queue
from hotfolder.cli.review import review
from hotfolder.cli.submit import submit, validate
from hotfolder.cli.web import serve, up
from hotfolder.errors import HotfolderError

EXIT_OK, EXIT_FAILURE, EXIT_USAGE, EXIT_UNEXPECTED, EXIT_INTERRUPTED = 0, 1, 2, 3, 130


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--library",
    "library_path",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="HOTFOLDER_LIBRARY",
    help="The library folder (default: the current folder if it holds hotfolder.yaml).",
)
@click.pass_context
def cli(context: click.Context, library_path: Path | None) -> None:
    """Folders as an image-generation service: drop a job file, get a finished picture."""
    context.obj = library_path


@click.command()
def version() -> None:
    """Print the version."""
    click.echo(f"hotfolder {__version__}")


for command in (
    init,
    up,
    run,
    serve,
    demo,
    submit,
    validate,
    jobs,
    queue,
    import_,
    folders,
    collections,
    keywords,
    library,
    endpoints,
    schema,
    engine,
    credits_,
    owners,
    review,
    models,
    doctor,
    login,
    logout,
    token,
    password,
    config,
    version,
):
    cli.add_command(command)


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command; 0 ok, 1 known failure, 2 usage, 3 unexpected (with a log file), 130 interrupted."""
    try:
        result = cli.main(list(arguments), prog_name="hotfolder", standalone_mode=False)
        return result if isinstance(result, int) else EXIT_OK
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.UsageError as error:
        error.show()
        return EXIT_USAGE
    except click.ClickException as error:
        error.show()
        return EXIT_FAILURE
    except HotfolderError as error:
        report_error(error)
        return EXIT_FAILURE
    except (KeyboardInterrupt, click.Abort):
        return EXIT_INTERRUPTED
    except Exception:  # noqa: BLE001 - the command line is one of the four borders
        return _report_unexpected()


def _report_unexpected() -> int:
    logging.getLogger(__name__).debug("unexpected error", exc_info=True)
    with tempfile.NamedTemporaryFile(
        "w", prefix="hotfolder-", suffix=".log", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exc(file=file)
    last = traceback.format_exc().strip().splitlines()[-1]
    say(f"Unexpected error: {last}\nThe details are in {file.name}; please report them.", err=True)
    return EXIT_UNEXPECTED
