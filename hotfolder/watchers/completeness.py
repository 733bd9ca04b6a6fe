"""Whether a file of the inbox that has settled may be taken, or what it waits for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from hotfolder.domain.recipe import Recipe, RecipeFile
from hotfolder.errors import LibraryError
from hotfolder.files.bundles import BundleRules, find_missing
from hotfolder.files.storage import open_regular
from hotfolder.watchers.doorbell import WAIT_SUFFIX
from hotfolder.watchers.inbox_files import is_bundle_folder, is_recipe
from hotfolder.watchers.lease import is_changing

_END_MARKER: Final = b"..."
_TAIL_BYTES: Final = 64


class Shelf(Protocol):
    """What is needed of the recipes."""

    def find(self, folder: PurePosixPath) -> Recipe | None:
        """What the jobs of a folder inherit."""

    def recheck(self) -> None:
        """Look again at recipes with problems, and bring their reports up to date."""


class Completeness:
    """Asked of settled files only; reads no more than the end of a file, or the job file of a bundle."""

    def __init__(
        self,
        inbox: Path,
        shelf: Shelf,
        rules: BundleRules,
        *,
        require_end_marker: bool,
        refs_timeout_s: float,
        settle_s: float,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._inbox = inbox
        self._shelf = shelf
        self._rules = rules
        self._require_end_marker = require_end_marker
        self._refs_timeout_s = refs_timeout_s
        self._settle_s = settle_s
        self._wall_clock = wall_clock

    def find_reason(self, file: Path) -> str | None:
        """What the file waits for, in words; None when it may be taken, or its fault told by its report."""
        relative = PurePosixPath(file.relative_to(self._inbox).as_posix())
        if is_recipe(relative):
            return None
        if os.path.exists(f"{file}{WAIT_SUFFIX}"):  # noqa: PTH110 - False for a name that is too long
            return f"it waits until {file.name}{WAIT_SUFFIX} is removed"
        recipe = self._shelf.find(relative.parent)
        if recipe is not None and any(self._is_changing(each) for each in recipe.files):
            return "the recipe of its folder is just being written"
        if recipe is not None and recipe.problems:
            self._shelf.recheck()
            return "the recipe of its folder has problems: see the report beside it"
        try:
            return self._find_gap(file) if is_bundle_folder(file.name) else self._find_end(file)
        except (LibraryError, OSError):  # who takes it in finds out what is wrong with it
            return None

    def _find_end(self, file: Path) -> str | None:
        is_yaml = file.suffix.casefold() in (".yaml", ".yml")
        if self._require_end_marker and is_yaml and not _has_end_marker(file):
            return "its last line is not `...`"
        return None

    def _is_changing(self, recipe: RecipeFile) -> bool:
        file = self._inbox / recipe.place
        return is_changing(file, settle_s=self._settle_s, now_s=self._wall_clock())

    def _find_gap(self, folder: Path) -> str | None:
        """What a bundle lacks; what has not come in its time will be said by its report."""
        missing = find_missing(folder, self._rules)
        found = folder.lstat()
        age_s = self._wall_clock() - max(found.st_mtime, found.st_ctime)  # an old one may just have come
        if missing == [] or age_s >= self._refs_timeout_s:
            return None
        return "it holds no job file yet" if missing is None else f"it lacks {', '.join(missing)}"


def _has_end_marker(file: Path) -> bool:
    """Whether the last line is the end of a YAML document."""
    with open_regular(file) as stream:
        stream.seek(max(0, file.stat().st_size - _TAIL_BYTES))
        lines = stream.read(_TAIL_BYTES).splitlines()
    return bool(lines) and lines[-1].rstrip() == _END_MARKER
