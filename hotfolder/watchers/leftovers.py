"""What lies in the inbox and is not taken, and why."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath, PurePosixPath
from typing import Final

from hotfolder.domain.recipe import Recipe
from hotfolder.files.names import display_text
from hotfolder.watchers.completeness import Completeness
from hotfolder.watchers.doorbell import WAIT_SUFFIX
from hotfolder.watchers.ignore import is_ignored, is_ignored_folder
from hotfolder.watchers.inbox_files import (
    HOLD,
    is_bundle_folder,
    is_job,
    is_picture,
    is_prompt_list,
    is_recipe,
)
from hotfolder.watchers.lease import is_open_for_writing

OLD_S: Final = 60.0


def iter_leftovers(
    inbox: Path,
    completeness: Completeness,
    find_recipe: Callable[[PurePosixPath], Recipe | None],
    *,
    wall_clock: Callable[[], float] = time.time,
) -> Iterator[tuple[str, str]]:
    """Each path relative to the inbox, with the reason; pictures may still be named, and are left out."""
    for path in _walk(inbox):
        relative = path.relative_to(inbox)
        reason = _find_reason(path, relative, completeness, find_recipe, wall_clock())
        if reason is not None:
            yield display_text(relative.as_posix()), reason


def _find_reason(
    path: Path,
    relative: PurePath,
    completeness: Completeness,
    find_recipe: Callable[[PurePosixPath], Recipe | None],
    now_s: float,
) -> str | None:
    try:
        found = path.lstat()
    except OSError:
        return None  # gone meanwhile
    if stat.S_ISLNK(found.st_mode):
        return "it is a link: drop the file itself"
    if not stat.S_ISREG(found.st_mode) and not stat.S_ISDIR(found.st_mode):
        return "it is no regular file"
    if is_recipe(relative) or is_picture(relative) or path.name.endswith((WAIT_SUFFIX, ".error.md")):
        return None
    if is_prompt_list(relative) and find_recipe(PurePosixPath(relative.parent)) is None:
        return "a text is a list of prompts in a recipe folder only"
    if not is_job(relative) and not is_prompt_list(relative):
        return "it is neither a job file nor a picture"
    if now_s - found.st_ctime < OLD_S:
        return None
    return completeness.find_reason(path) or _find_writer(path)


def _find_writer(path: Path) -> str:
    return "a program has it open for writing" if is_open_for_writing(path) else "it has not been taken yet"


def _walk(inbox: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(inbox):
        folder = Path(place)
        if folder == inbox:
            folders[:] = [each for each in folders if each != HOLD]
        folders[:] = [each for each in folders if not is_ignored_folder(each)]
        yield from (folder / each for each in folders if is_bundle_folder(each))
        folders[:] = [each for each in folders if not is_bundle_folder(each)]
        yield from (folder / each for each in names if not is_ignored(each))
