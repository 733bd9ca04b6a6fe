"""The command line: one module a group of verbs; here errors become exit codes."""

from __future__ import annotations

import importlib
import logging
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from hotfolder import __version__
from hotfolder.cli.output import report_error, say
from hotfolder.errors import HotfolderError

# Each verb, in the order of the help, and where its command is.
VERBS: Final = {
    "init": "library:init",
    "up": "web:up",
    "run": "library:run",
    "serve": "web:serve",
    "demo": "demo:demo",
    "submit": "submit:submit",
    "validate": "submit:validate",
    "jobs": "jobs:jobs",
    "queue": "queue:queue",
    "import": "imports:import_",
    "folders": "folders:folders",
    "collections": "collections:collections",
    "keywords": "keywords:keywords",
    "library": "library:library",
    "endpoints": "endpoints:endpoints",
    "schema": "endpoints:schema",
    "engine": "engine:engine",
    "credits": "credits:credits_",
    "owners": "owners:owners",
    "review": "review:review",
    "models": "models:models",
    "doctor": "doctor:doctor",
    "login": "accounts:login",
    "logout": "accounts:logout",
    "token": "accounts:token",
    "password": "accounts:password",
    "config": "config:config",
}

EXIT_OK, EXIT_FAILURE, EXIT_USAGE, EXIT_UNEXPECTED, EXIT_INTERRUPTED = 0, 1, 2, 3, 130


class Verbs(click.Group):
    """A group that imports the module of a verb when it is used: most of a short command is its imports."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every verb, in the order of the table, and what was added to the group itself."""
        return [*VERBS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb; None when there is no such verb."""
        place = VERBS.get(cmd_name)
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, name = place.partition(":")
        found: click.Command = getattr(importlib.import_module(f"hotfolder.cli.{module}"), name)
        return found


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
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


@cli.command()
def version() -> None:
    """Print the version."""
    click.echo(f"hotfolder {__version__}")


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
