"""What a path inside a root stands for: a file that is wanted, a folder that is one thing, or nothing."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path, PurePath, PurePosixPath
from typing import NamedTuple

from hotfolder.watchers.ignore import is_ignored, is_ignored_folder

logger = logging.getLogger(__name__)


class Target(NamedTuple):
    """What is to settle: a file, or a unit that the path is or lies in."""

    path: str
    is_unit: bool


class Screen:
    """Decides by names alone; only a name that a unit could have is looked up on the disk."""

    def __init__(
        self, root: str, accepts: Callable[[PurePath], bool], is_unit: Callable[[str], bool]
    ) -> None:
        self._prefix = root.rstrip(os.sep) + os.sep
        self._accepts = accepts
        self._is_unit = is_unit

    def relative(self, path: str) -> PurePosixPath:
        """The path as seen from the root."""
        return PurePosixPath(path[len(self._prefix) :].replace(os.sep, "/"))

    def find(self, path: str) -> Target | None:
        """Find what a path that was heard or seen stands for."""
        if not path.startswith(self._prefix):
            return None
        *folders, name = path[len(self._prefix) :].split(os.sep)  # noqa: PTH206 - a Path for each event is dear
        inside = self._prefix
        for folder in folders:
            if is_ignored_folder(folder):
                return None
            inside += folder
            if self._is_unit(folder):
                return self._accepted(inside, is_unit=True)
            inside += os.sep
        if self._is_unit(name) and _is_folder(path):
            return None if is_ignored_folder(name) else self._accepted(path, is_unit=True)
        return None if is_ignored(name) else self._accepted(path, is_unit=False)

    def is_wanted(self, path: str) -> bool:
        """Say whether a path would be handed over, were it a plain file."""
        return self.find(path) is not None

    def _accepted(self, path: str, *, is_unit: bool) -> Target | None:
        relative = self.relative(path)
        try:
            return Target(path, is_unit) if self._accepts(relative) else None
        except Exception:  # a border: one name that the rule fails on must not hide the others
            logger.exception("The rule for %r failed; it is left where it is", os.fspath(relative))
            return None


def _is_folder(path: str) -> bool:
    return Path(path).is_dir() and not Path(path).is_symlink()
