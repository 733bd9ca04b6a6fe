"""Opening the library that a command works on."""

from __future__ import annotations

import getpass
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
    named = argument or context.find_root().obj
    root = Path(named) if named is not None else Path.cwd()
    if is_library(root):
        return root
    raise LibraryError(
        "No library is named, and the current folder is none."
        if named is None
        else f"{root} is not a hotfolder library.",
        code="library.not_found",
        hint="Use --library FOLDER or HOTFOLDER_LIBRARY, or make one with `hotfolder init FOLDER`.",
    )


@contextmanager
def opened(
    context: click.Context, argument: Path | None = None, options: Mapping[str, Any] | None = None
) -> Iterator[Library]:
    """The open library, closed at the end of the command."""
    library = open_root(find_root(context, argument), options)
    try:
        yield library
    finally:
        library.close()


def open_root(root: Path, options: Mapping[str, Any] | None = None) -> Library:
    """The library in this folder; raises LibraryError when its folders cannot be made."""
    settings = load_settings(root, os.environ, options)
    try:
        return open_library(root, settings)
    except OSError as error:
        raise unusable(root, error) from error


def unusable(root: Path, error: OSError) -> LibraryError:
    """The error for a folder that the system does not let us use."""
    place = error.filename or root
    return LibraryError(
        f"The library {root} cannot be used: {error.strerror or error} ({place}).",
        code="library.unusable",
        hint="Check the permissions of the folder and the room on its disk; `hotfolder doctor` tells more.",
    )


def user_name() -> str:
    """Who asks, for the events: the login name, or the number of a user without one."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"
