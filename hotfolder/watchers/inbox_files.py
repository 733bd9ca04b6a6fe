"""Which files of the inbox are what: job files, pictures; and which of them wait or are held."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import Final

from hotfolder.domain.document import format_of
from hotfolder.files.decoding import readable_extensions
from hotfolder.files.names import RESULT_SUFFIX
from hotfolder.watchers.ignore import is_ignored, is_ignored_folder

HOLD: Final = "hold"


def is_job_file(relative: PurePath) -> bool:
    """Whether the inbox takes this file: named like a job and not in hold/.

    `_folder.yaml` and result files are no jobs.
    """
    return relative.parts[0] != HOLD and _is_named_like_a_job(relative.name)


def is_picture(relative: PurePath) -> bool:
    """Whether this is a picture that jobs may name, and not in hold/."""
    return relative.parts[0] != HOLD and relative.suffix.casefold() in readable_extensions()


def list_held(inbox: Path) -> list[str]:
    """Job files in hold/, relative to the inbox: they wait until somebody moves them out."""
    return sorted(
        each.as_posix() for each in _iter_files(inbox, inbox / HOLD) if _is_named_like_a_job(each.name)
    )


def list_waiting(inbox: Path) -> list[str]:
    """Job files that have not been claimed yet, relative to the inbox."""
    return sorted(each.as_posix() for each in _iter_files(inbox, inbox) if is_job_file(each))


def list_pictures(inbox: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Pictures that lie in the inbox, with what the system says of each."""
    for relative in _iter_files(inbox, inbox):
        if is_picture(relative):
            try:
                yield inbox / relative, (inbox / relative).lstat()
            except OSError:
                continue  # gone meanwhile


def _is_named_like_a_job(name: str) -> bool:
    return (
        not name.startswith("_folder.")
        and not name.casefold().endswith(RESULT_SUFFIX)
        and format_of(name) is not None
    )


def _iter_files(inbox: Path, folder: Path) -> Iterator[PurePath]:
    """The files that the watcher would look at, relative to the inbox."""
    for place, folders, names in os.walk(folder):
        folders[:] = [each for each in folders if not is_ignored_folder(each)]
        relative = PurePath(place).relative_to(inbox)
        for name in names:
            path = PurePath(place) / name
            if not is_ignored(name) and Path(path).is_file() and not Path(path).is_symlink():
                yield relative / name
