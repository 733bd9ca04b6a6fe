"""Opening the library that a command works on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from hotfolder.app import Library, is_library, open_library
from hotfolder.config import load_settings
from hotfolder.errors import LibraryError


def library_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """An optional LIBRARY argument, for the verbs that have it."""
    return click.argument(
        "library_argument",
        metavar="[LIBRARY]",
        required=False,
        type=click.Path(path_type=Path, file_okay=False),
    )(command)


def find_root(context: click.Context, argument: Path | None = None) -> Path:
    """The library folder: the argument, --library or HOTFOLDER_LIBRARY, else the current folder."""
    root = argument or context.find_root().obj
    if root is not None:
        return Path(root)
    if is_library(Path.cwd()):
        return Path.cwd()
    raise LibraryError(
        "No library is named, and the current folder is none.",
        code="library.not_found",
        hint="Use --library FOLDER or HOTFOLDER_LIBRARY, or make one with `hotfolder init FOLDER`.",
    )


@contextmanager
def opened(
    context: click.Context, argument: Path | None = None, options: Mapping[str, Any] | None = None
) -> Iterator[Library]:
    """The open library, closed at the end of the command."""
    root = find_root(context, argument)
    library = open_library(root, load_settings(root, os.environ, options))
    try:
        yield library
    finally:
        library.close()
