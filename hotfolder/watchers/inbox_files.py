"""Which files of the inbox are what: job files, pictures; and which of them wait or are held."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath, PurePosixPath
from typing import Final

from hotfolder.domain.document import format_of
from hotfolder.domain.recipe import RECIPE_NAMES
from hotfolder.files.bundles import FOLDER_SUFFIX, ZIP_SUFFIX
from hotfolder.files.decoding import readable_extensions
from hotfolder.files.names import RESULT_SUFFIX
from hotfolder.watchers.doorbell import WAIT_SUFFIX
from hotfolder.watchers.ignore import is_ignored, is_ignored_folder

HOLD: Final = "hold"
RERUN: Final = "rerun"
"""Pictures that were made here and lie there are made again."""


def is_job(relative: PurePath) -> bool:
    """Whether the inbox takes this as a job: a job file or a bundle, and not in hold/."""
    return is_job_file(relative) or (relative.parts[0] != HOLD and is_bundle(relative))


def is_job_file(relative: PurePath) -> bool:
    """Whether the inbox takes this as a job file."""
    return relative.parts[0] != HOLD and is_named_like_a_job(relative.name)


def is_named_like_a_job(name: str) -> bool:
    """Whether this is a job file's name; `_folder.yaml` and result files are none."""
    return (
        not name.startswith("_folder.")
        and not name.casefold().endswith(RESULT_SUFFIX)
        and format_of(name) is not None
    )


def is_bundle(relative: PurePath) -> bool:
    """Whether this is named like a bundle: a `*.job` folder or a zip."""
    return relative.name.casefold().endswith((FOLDER_SUFFIX, ZIP_SUFFIX))


def is_prompt_list(relative: PurePath) -> bool:
    """Whether this may be a list of prompts, which it is in recipe folders only."""
    return relative.parts[0] != HOLD and relative.suffix.casefold() == ".txt"


def is_recipe(relative: PurePath) -> bool:
    """Whether this makes a folder a recipe."""
    return relative.name in RECIPE_NAMES


def is_bundle_folder(name: str) -> bool:
    """Whether a folder of this name is one job."""
    return name.casefold().endswith(FOLDER_SUFFIX)


def is_ignored_in_bundle(path: PurePath) -> bool:
    """Whether a file in a bundle is a system's own."""
    return is_ignored(path.name) or any(map(is_ignored_folder, path.parts[:-1]))


def is_picture(relative: PurePath) -> bool:
    """Whether this is a picture that jobs may name, and not in hold/."""
    return relative.parts[0] != HOLD and relative.suffix.casefold() in readable_extensions()


def is_job_picture(relative: PurePath, recipe: object | None) -> bool:
    """Whether a picture there is a job, or belongs to those who are: `recipe` is that of its folder."""
    return relative.parts[0] == RERUN or recipe is not None


def has_coming_job(folder: Path) -> bool:
    """Whether a job file lies in the folder that the watcher will take once it has settled."""
    with os.scandir(folder) as entries:
        return any(_is_coming(each) for each in entries)


def _is_coming(entry: os.DirEntry[str]) -> bool:
    is_named = is_named_like_a_job(entry.name) and not is_ignored(entry.name)
    return is_named and entry.is_file(follow_symlinks=False) and not os.path.lexists(entry.path + WAIT_SUFFIX)


def list_held(inbox: Path) -> list[str]:
    """Job files in hold/, relative to the inbox: they wait until somebody moves them out."""
    return sorted(
        each.as_posix()
        for each in _iter_files(inbox, inbox / HOLD)
        if is_named_like_a_job(each.name) or is_bundle(each)
    )


def list_waiting(inbox: Path) -> list[str]:
    """Job files that have not been claimed yet, relative to the inbox."""
    return sorted(each.as_posix() for each in _iter_files(inbox, inbox) if is_job(each))


def list_all(inbox: Path, find_recipe: Callable[[PurePosixPath], object | None]) -> list[PurePosixPath]:
    """All that is or becomes jobs, and the pictures, relative to the inbox; recipes stay."""
    places = sorted(PurePosixPath(each.as_posix()) for each in _iter_files(inbox, inbox))
    return [
        each
        for each in places
        if is_job(each) or is_picture(each) or (is_prompt_list(each) and find_recipe(each.parent) is not None)
    ]


def list_pictures(inbox: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Pictures that lie in the inbox, with what the system says of each."""
    for relative in _iter_files(inbox, inbox):
        if is_picture(relative):
            try:
                yield inbox / relative, (inbox / relative).lstat()
            except OSError:
                continue  # gone meanwhile


def _iter_files(inbox: Path, folder: Path) -> Iterator[PurePath]:
    """The files and bundles that the watcher would look at, relative to the inbox."""
    folders = [os.fspath(folder)]
    for each in folders:  # grows while it is walked
        try:
            with os.scandir(each) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except OSError:
            continue  # gone, or closed to us
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                if is_bundle_folder(entry.name):
                    yield PurePath(entry.path).relative_to(inbox)
                elif not is_ignored_folder(entry.name):
                    folders.append(entry.path)
            elif entry.is_file(follow_symlinks=False) and not is_ignored(entry.name):
                yield PurePath(entry.path).relative_to(inbox)
