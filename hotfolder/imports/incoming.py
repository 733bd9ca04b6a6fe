"""A picture on its way into the library, as work items carry it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from hotfolder.domain.instants import instant_of_id
from hotfolder.domain.work import NewWork
from hotfolder.library.import_folders import FolderMode

OWNER: Final = "imports"
IMPORT_PICTURES: Final = "import.pictures"
IMPORT_DISCARD: Final = "import.discard"
IMPORT_REFUSE: Final = "import.refuse"
IMPORT_LEAVE: Final = "import.leave"
BATCH_FILES: Final = 16

_PRIORITY: Final = -200
"""Below that of every job: pictures that were made do not queue behind a thousand that were dropped."""
_PRIORITY_OF_ENDS: Final = _PRIORITY + 1
_ATTEMPTS_AT_ENDS: Final = 20
"""Hours: what keeps a file from being put away is the disk's fault, not the file's."""


@dataclass(frozen=True, slots=True)
class FromFolder:
    """The import folder that a file lies in, the key of its path there, and what it held when it was claimed.

    The other values are the folder's at that time.
    """

    folder_id: str
    path_key: str
    sha256: str
    mode: FolderMode
    keywords: tuple[str, ...] = ()
    collection: str | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """Its id in the library, where its file waits, and where it lay: import/... or an absolute path.

    Both paths are the same, absolute one when the file waits where it lay: a reference, which stays there, or
    a picture that is moved out of an import folder once it is known to be whole.
    """

    media_id: str
    path: str
    original_path: str
    is_reference: bool = False
    folder: FromFolder | None = None

    @property
    def arrived_at(self) -> datetime:
        """The id says it, so that a repeat after a crash writes the same files."""
        return instant_of_id(self.media_id)

    @property
    def name(self) -> str:
        """The name that its file had."""
        return Path(self.original_path).name

    @property
    def is_in_place(self) -> bool:
        """Whether the file waits where it lay, outside the library."""
        return Path(self.path).is_absolute()

    @property
    def stays(self) -> bool:
        """Whether its file stays where it lay, unless the library has a file of its own that equals it."""
        return self.is_reference or self.folder is not None

    @property
    def keywords(self) -> tuple[str, ...]:
        """Those that the picture gets."""
        return self.folder.keywords if self.folder else ()


def read_files(payload: Mapping[str, Any]) -> list[Incoming]:
    """The pictures of a work item."""
    return [
        Incoming(
            each["mediaId"],
            each["path"],
            each["originalPath"],
            each["reference"],
            _read_folder(each["folder"]) if each.get("folder") else None,
        )
        for each in payload["files"]
    ]


def build_work(files: Sequence[Incoming], *, batch_files: int = BATCH_FILES) -> list[NewWork]:
    """The items that take these pictures in."""
    return [
        NewWork(IMPORT_PICTURES, "cpu", _payload(batch), OWNER, batch[0].media_id, _PRIORITY)
        for batch in _batches(files, batch_files)
    ]


def build_discard(file: Incoming, of: str) -> NewWork:
    """The item that puts away a picture whose content the library has already, as `of`."""
    if file.folder is not None:
        return _build_end(IMPORT_LEAVE, file, {"outcome": "duplicate", "of": of})
    return _build_end(IMPORT_DISCARD, file, {"of": of})


def build_refusal(file: Incoming, error: Mapping[str, Any]) -> NewWork:
    """The item that puts a file into failed/ for this reason, or leaves it in its import folder."""
    if file.folder is not None:
        return _build_end(IMPORT_LEAVE, file, {"outcome": "failed", "error": dict(error)})
    return _build_end(IMPORT_REFUSE, file, {"error": dict(error)})


def build_removal(file: Incoming) -> NewWork:
    """The item that removes a file from its import folder, of which the library has a copy."""
    return _build_end(IMPORT_LEAVE, file, {"outcome": "taken", "of": file.media_id})


def _build_end(task_type: str, file: Incoming, more: Mapping[str, Any]) -> NewWork:
    payload = {**_payload([file]), **more}
    return NewWork(task_type, "cpu", payload, OWNER, file.media_id, _PRIORITY_OF_ENDS, _ATTEMPTS_AT_ENDS)


def _payload(files: Sequence[Incoming]) -> dict[str, Any]:
    return {"files": [_build_file(each) for each in files]}


def _build_file(file: Incoming) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "mediaId": file.media_id,
        "path": file.path,
        "originalPath": file.original_path,
        "reference": file.is_reference,
    }
    if file.folder is None:
        return plain
    return plain | {
        "folder": {
            "id": file.folder.folder_id,
            "path": file.folder.path_key,
            "sha256": file.folder.sha256,
            "mode": file.folder.mode,
            "keywords": list(file.folder.keywords),
            "collection": file.folder.collection,
        }
    }


def _read_folder(value: Mapping[str, Any]) -> FromFolder:
    return FromFolder(
        value["id"],
        value["path"],
        value["sha256"],
        value["mode"],
        tuple(value["keywords"]),
        value["collection"],
    )


def _batches(files: Sequence[Incoming], size: int) -> Iterator[list[Incoming]]:
    rest = iter(files)
    while batch := list(islice(rest, size)):
        yield batch
