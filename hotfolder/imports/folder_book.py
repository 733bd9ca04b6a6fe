"""What the rows say of a file from an import folder when its import ends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hotfolder.database import Transaction
from hotfolder.imports.incoming import FromFolder, Incoming, build_removal
from hotfolder.library.collections import CollectionStore
from hotfolder.library.imports import ImportStore
from hotfolder.library.seen_left import FileState, LeftFile, LeftOutcome, SeenLeftStore
from hotfolder.queue.store import WorkStore


class FolderBook:
    """Each method runs in the transaction in which the import of a file ends."""

    def __init__(
        self, imports: ImportStore, seen: SeenLeftStore, collections: CollectionStore, work: WorkStore
    ) -> None:
        self._imports = imports
        self._seen = seen
        self._collections = collections
        self._work = work

    def taken(self, tx: Transaction, file: Incoming) -> None:
        """It is a picture of the library; nothing to say of one that is from no import folder."""
        folder = file.folder
        if folder is None:
            return
        self._join(tx, folder, file.media_id)
        if folder.mode != "move":
            self._leave(tx, folder, "taken")
        elif file.is_in_place:
            self._forget(tx, folder)
        else:
            self._work.enqueue(tx, build_removal(file))

    def known(self, tx: Transaction, file: Incoming, folder: FromFolder, of: str, *, is_gone: bool) -> None:
        """The library has its content, as the picture `of`, which joins the folder's collection."""
        self._join(tx, folder, of)
        path = None if is_gone else file.original_path
        self._end(tx, file, folder, {"outcome": "duplicate", "of": of, "path": path})
        self.removed(tx, folder, is_gone=is_gone, outcome="duplicate")

    def refused(self, tx: Transaction, file: Incoming, folder: FromFolder, error: Mapping[str, Any]) -> None:
        """It is no picture for the library, and stays."""
        self._leave(tx, folder, "refused")
        self._end(tx, file, folder, {"outcome": "failed", "path": file.original_path, **error})

    def is_wanted(self, folder: FromFolder) -> bool:
        """Whether the folder is an import folder still: with it, what was seen there is forgotten."""
        return self._seen.has(folder.folder_id, folder.path_key)

    def put_back(self, tx: Transaction, folder: FromFolder, state: FileState) -> None:
        """It is refused, and was renamed to and fro: that it has another date is no reason to try again."""
        left = LeftFile(state, folder.sha256, "refused")
        self._seen.remember(tx, folder.folder_id, folder.path_key, left)

    def doubted(self, tx: Transaction, folder: FromFolder) -> None:
        """What kept it out may have passed at the next start, or when its disk comes back."""
        self._seen.doubt(tx, folder.folder_id, folder.path_key, folder.sha256)

    def removed(
        self, tx: Transaction, folder: FromFolder, *, is_gone: bool, outcome: LeftOutcome = "taken"
    ) -> None:
        """Its file is gone, or stays although it should not."""
        if is_gone:
            self._forget(tx, folder)
        else:
            self._leave(tx, folder, outcome)

    def withdrawn(self, tx: Transaction, folder: FromFolder) -> None:
        """Its file went away before it was taken in: when it comes back it is looked at again."""
        self._forget(tx, folder)

    def _join(self, tx: Transaction, folder: FromFolder, media_id: str) -> None:
        if folder.collection is not None:
            self._collections.add_media(tx, folder.collection, media_id)

    def _end(self, tx: Transaction, file: Incoming, folder: FromFolder, data: Mapping[str, Any]) -> None:
        told = {"originalPath": file.original_path, "folder": folder.folder_id}
        self._imports.end(tx, file.media_id, {**data, **told})

    def _leave(self, tx: Transaction, folder: FromFolder, outcome: LeftOutcome) -> None:
        self._seen.end(tx, folder.folder_id, folder.path_key, folder.sha256, outcome)

    def _forget(self, tx: Transaction, folder: FromFolder) -> None:
        self._seen.forget(tx, folder.folder_id, folder.path_key, folder.sha256)
