"""What a library says of itself: its rows, its results and its files, each read once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hotfolder.files.names import RESULT_SUFFIX
from tests.import_ledger import ends, query


@dataclass(frozen=True)
class Books:
    """One stopped library."""

    root: Path

    @cached_property
    def jobs(self) -> dict[str, dict[str, Any]]:
        """Rows by id."""
        return {each["id"]: each for each in query(self.root, "SELECT * FROM jobs")}

    @cached_property
    def media(self) -> list[dict[str, Any]]:
        """Rows of pictures."""
        return query(self.root, "SELECT * FROM media")

    @cached_property
    def generations(self) -> list[dict[str, Any]]:
        """Rows of runs."""
        return query(self.root, "SELECT * FROM generations")

    @cached_property
    def inputs(self) -> list[dict[str, Any]]:
        """Rows of references."""
        return query(self.root, "SELECT * FROM generation_inputs")

    @cached_property
    def results(self) -> dict[Path, dict[str, Any]]:
        """Result files by the file that they speak of."""
        return {
            each.with_name(each.name.removesuffix(RESULT_SUFFIX)): json.loads(each.read_bytes())
            for folder in ("done", "failed")
            for each in self.files(folder)
            if each.name.endswith(RESULT_SUFFIX)
        }

    @cached_property
    def imports(self) -> list[dict[str, Any]]:
        """How imports ended."""
        return ends(self.root)

    def files(self, folder: str) -> list[Path]:
        """What lies in a folder and below; a bundle in done/ or failed/ is one thing."""
        return list(_walk(self.root / folder))

    def shown(self, path: Path) -> str:
        """A path for people, relative to the library."""
        return path.relative_to(self.root).as_posix()


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        yield from (
            Path(place) / each for each in [*names, *folders] if each in names or each.endswith(".job")
        )
        folders[:] = [each for each in folders if not each.endswith(".job")]
