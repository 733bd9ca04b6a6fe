"""Which files of the inbox are job files, and which of them wait or are held."""

from __future__ import annotations

from pathlib import Path, PurePath
from typing import Final

from hotfolder.domain.document import format_of
from hotfolder.files.names import RESULT_SUFFIX
from hotfolder.watchers.ignore import is_ignored, is_ignored_folder

HOLD: Final = "hold"


def is_job_file(relative: PurePath) -> bool:
    """Whether the inbox takes this file: named like a job and not in hold/.

    `_folder.yaml` and result files are no jobs.
    """
    return relative.parts[0] != HOLD and _is_named_like_a_job(relative.name)


def list_held(inbox: Path) -> list[str]:
    """Job files in hold/, relative to the inbox: they wait until somebody moves them out."""
    return sorted(
        each.as_posix() for each in _list_files(inbox, inbox / HOLD) if _is_named_like_a_job(each.name)
    )


def list_waiting(inbox: Path) -> list[str]:
    """Job files that have not been claimed yet, relative to the inbox."""
    return sorted(each.as_posix() for each in _list_files(inbox, inbox) if is_job_file(each))


def _is_named_like_a_job(name: str) -> bool:
    return (
        not name.startswith("_folder.")
        and not name.casefold().endswith(RESULT_SUFFIX)
        and format_of(name) is not None
    )


def _list_files(inbox: Path, folder: Path) -> list[PurePath]:
    """The files that the watcher would look at, relative to the inbox."""
    files = (each for each in folder.rglob("*") if each.is_file() and not each.is_symlink())
    return [each for each in (file.relative_to(inbox) for file in files) if not _is_left_alone(each)]


def _is_left_alone(relative: PurePath) -> bool:
    return is_ignored(relative.name) or any(is_ignored_folder(each) for each in relative.parts[:-1])
