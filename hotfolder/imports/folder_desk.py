"""Import folders as people see and change them, at the command line and in the browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hotfolder.clock import NewId, new_id
from hotfolder.database import Database
from hotfolder.errors import LibraryError, NotFound
from hotfolder.imports.folder_rules import check_access, check_place
from hotfolder.library.import_folders import (
    FolderMode,
    ImportFolderStore,
    SourceFolder,
    tidy_word,
    tidy_words,
)
from hotfolder.library.imports import ImportStore
from hotfolder.library.seen_left import SeenLeftStore

_ORIGINS = {"command": "folders add", "settings": "hotfolder.yaml"}


class FolderDesk:
    """Looks at the folders themselves, which may take seconds where they lie far away."""

    def __init__(
        self, store: ImportFolderStore, database: Database, root: Path, *, make_id: NewId = new_id
    ) -> None:
        self._store = store
        self._imports = ImportStore(database)
        self._seen = SeenLeftStore(database)
        self._root = root
        self._make_id = make_id

    def describe(self) -> list[dict[str, Any]]:
        """Every folder with its state, what is wrong with it, and what became of the files in it."""
        known = self._store.list()
        return [self._describe(each, known[:number]) for number, each in enumerate(known)]

    def add(
        self, path: str, mode: FolderMode, recursive: bool, keywords: Sequence[str], collection: str | None
    ) -> SourceFolder:
        """Watch a folder; raises LibraryError `library.folder_refused` for one that cannot be."""
        place = Path(path).expanduser()
        if not place.is_absolute():
            raise LibraryError(
                f"{path[:200]} does not say where the folder lies.",
                code="library.folder_refused",
                hint="Name its whole path.",
            )
        words = tidy_words(keywords)
        folder = SourceFolder(self._make_id(), place.resolve(), mode, recursive, words, tidy_word(collection))
        check_place(folder, self._root, self._store.list())
        if folder.path.is_dir():
            check_access(folder)
        self._store.add(folder)
        return folder

    def remove(self, folder_id: str) -> SourceFolder:
        """Watch one no longer; raises NotFound, and LibraryError `library.folder_in_settings`."""
        found = next((each for each in self._store.list() if each.folder_id == folder_id), None)
        if found is None:
            raise NotFound(f"There is no import folder {folder_id[:80]}.")
        return self._store.remove(found.path)

    def _describe(self, folder: SourceFolder, before: Sequence[SourceFolder]) -> dict[str, Any]:
        counts = self._count(folder)
        problem = self._find_problem(folder, before)
        refused = counts.get("refused", 0)
        return {
            "folderId": folder.folder_id,
            "path": str(folder.path),
            "mode": folder.mode,
            "recursive": folder.recursive,
            "keywords": list(folder.keywords),
            "collection": folder.collection,
            "origin": _ORIGINS[folder.origin],
            "state": "refused" if problem else "watched" if folder.path.is_dir() else "missing",
            "problem": problem,
            "taken": counts.get("taken", 0),
            "duplicates": counts.get("duplicate", 0),
            "waiting": counts.get("claimed", 0),
            "refused": refused,
            "lastRefusal": self._find_refusal(folder) if refused else None,
        }

    def _count(self, folder: SourceFolder) -> Mapping[str, int]:
        """Of what was moved away nothing is in the folder any more: how it ended tells."""
        counts = self._seen.count(folder.folder_id)
        if folder.mode != "move":
            return counts
        ended = self._imports.count_of_folder(folder.folder_id)
        return {**counts, "taken": ended.get("imported", 0), "duplicate": ended.get("duplicate", 0)}

    def _find_problem(self, folder: SourceFolder, before: Sequence[SourceFolder]) -> str | None:
        try:
            check_place(folder, self._root, before)
            if folder.path.is_dir():
                check_access(folder)
        except LibraryError as error:
            return error.message
        return None

    def _find_refusal(self, folder: SourceFolder) -> Mapping[str, Any] | None:
        found = self._imports.find_last_refusal(folder.folder_id)
        if found is None:
            return None
        return {"file": found["originalPath"], **{key: found[key] for key in ("code", "message", "hint")}}
