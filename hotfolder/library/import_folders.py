"""Rows of `import_folders`, and beside them the folders of the settings."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hotfolder.database import Database, Row
from hotfolder.errors import LibraryError, NotFound

FolderMode = Literal["copy", "move", "reference"]


@dataclass(frozen=True, slots=True)
class SourceFolder:
    """A folder outside the library whose pictures join it; the path is absolute."""

    folder_id: str
    path: Path
    mode: FolderMode = "copy"
    recursive: bool = True
    keywords: tuple[str, ...] = ()
    collection: str | None = None
    origin: Literal["command", "settings"] = "command"


def settings_folder_id(path: Path, named_before: int = 0) -> str:
    """The id of a folder of the settings: the same in every run, as long as its path is.

    An entry whose path others before it name, too, has an id of its own, or it would pass for one of them.
    """
    number = f"-{named_before + 1}" if named_before else ""
    return f"settings-{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}{number}"


def tidy_words(words: Iterable[str]) -> tuple[str, ...]:
    """Keywords as people mean them: without the space around them, none empty, each once."""
    return tuple(dict.fromkeys(word for each in words if (word := each.strip())))


def tidy_word(word: str | None) -> str | None:
    """The name of a collection as people mean it; an empty one is none."""
    return (word or "").strip() or None


class ImportFolderStore:
    """All import folders: those of the settings are handed in and cannot be changed here."""

    def __init__(self, database: Database, configured: Sequence[SourceFolder]) -> None:
        self._database = database
        self._configured = tuple(configured)

    def list(self) -> list[SourceFolder]:
        """Those of the settings, then the others as they were added."""
        rows = self._database.query("SELECT * FROM import_folders ORDER BY created_at, id")
        return [*self._configured, *map(_to_folder, rows)]

    def add(self, folder: SourceFolder) -> None:
        """A new folder."""
        with self._database.transaction() as tx:
            tx.execute(
                """
                INSERT INTO import_folders (id, path, mode, recursive, keywords_json, collection, created_at)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                (
                    folder.folder_id,
                    str(folder.path),
                    folder.mode,
                    folder.recursive,
                    json.dumps(folder.keywords, ensure_ascii=False),
                    folder.collection,
                    tx.at,
                ),
            )

    def remove(self, path: Path) -> SourceFolder:
        """Forget a folder, and which of its files were seen; raises NotFound, or says where it stands."""
        found = next((each for each in self.list() if each.path == path), None)
        if found is None:
            raise NotFound(
                f"{path} is no import folder.", hint="`hotfolder folders list` shows which there are."
            )
        if found.origin == "settings":
            raise LibraryError(
                f"{path} is an import folder by the settings and cannot be removed here.",
                code="library.folder_in_settings",
                hint="Take it out of `folders.import` in hotfolder.yaml, then start the service again.",
            )
        with self._database.transaction() as tx:
            tx.execute("DELETE FROM import_folders WHERE id = ?", (found.folder_id,))
            tx.execute("DELETE FROM seen_files WHERE root = ? AND job_id IS NULL", (found.folder_id,))
        return found


def _to_folder(row: Row) -> SourceFolder:
    return SourceFolder(
        row["id"],
        Path(row["path"]),
        row["mode"],
        bool(row["recursive"]),
        tuple(json.loads(row["keywords_json"])),
        row["collection"],
    )
