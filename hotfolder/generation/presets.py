"""The presets folder: named parameter sets as YAML files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from hotfolder.domain.document import Node, parse_documents
from hotfolder.domain.nearest import did_you_mean
from hotfolder.domain.params import ParamNode
from hotfolder.domain.presets import PresetSummary, read_preset, summarize_preset
from hotfolder.errors import JobFileError, Problem

T = TypeVar("T")

_NAME = re.compile(r"[\w][\w .-]{0,100}")
_EXTENSIONS = (".yaml", ".yml")


class PresetShelf:
    """Reads presets/<name>.yaml at each use, so that an edit counts for the next job."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, name: str) -> dict[str, ParamNode] | list[Problem]:
        """The params of a preset, or what is wrong with it."""
        return self._read(name, read_preset)

    def summarize(self, name: str) -> PresetSummary | list[Problem]:
        """The same for who chooses among presets."""
        return self._read(name, summarize_preset)

    def _read(self, name: str, read: Callable[[str, Node], T]) -> T | list[Problem]:
        path = next((each for each in self._candidates(name) if each.is_file()), None)
        if path is None:
            known = self.list_names()
            hint = did_you_mean(name, known) if known else "The folder presets/ is empty."
            return [Problem("job.invalid_params", f"There is no preset `{name}`.", hint)]
        try:
            nodes = parse_documents(path.read_bytes(), "yaml")
            return read(name, nodes[0])
        except JobFileError as error:
            return [
                Problem(each.code, f"In presets/{path.name}, line {each.line}: {each.message}", each.hint)
                if each.line
                else each
                for each in error.problems
            ]

    def list_names(self) -> list[str]:
        """All presets by name."""
        if not self._folder.is_dir():
            return []
        return sorted(each.stem for each in self._folder.iterdir() if each.suffix in _EXTENSIONS)

    def _candidates(self, name: str) -> list[Path]:
        if not _NAME.fullmatch(name):
            return []
        return [self._folder / f"{name}{extension}" for extension in _EXTENSIONS]
