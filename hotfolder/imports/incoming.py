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

OWNER: Final = "imports"
IMPORT_PICTURES: Final = "import.pictures"
IMPORT_DISCARD: Final = "import.discard"
IMPORT_REFUSE: Final = "import.refuse"
BATCH_FILES: Final = 16

_PRIORITY: Final = -200
"""Below that of every job: pictures that were made do not queue behind a thousand that were dropped."""
_PRIORITY_OF_ENDS: Final = _PRIORITY + 1
_ATTEMPTS_AT_ENDS: Final = 20
"""Hours: what keeps a file from being put away is the disk's fault, not the file's."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """Its id in the library, where its file waits, and where it lay: import/... or an absolute path.

    The file of a reference stays where it is; then both paths are the same, absolute one.
    """

    media_id: str
    path: str
    original_path: str
    is_reference: bool = False

    @property
    def arrived_at(self) -> datetime:
        """The id says it, so that a repeat after a crash writes the same files."""
        return instant_of_id(self.media_id)

    @property
    def name(self) -> str:
        """The name that its file had."""
        return Path(self.original_path).name


def read_files(payload: Mapping[str, Any]) -> list[Incoming]:
    """The pictures of a work item."""
    return [
        Incoming(each["mediaId"], each["path"], each["originalPath"], each["reference"])
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
    return _build_end(IMPORT_DISCARD, file, {"of": of})


def build_refusal(file: Incoming, error: Mapping[str, Any]) -> NewWork:
    """The item that puts a file into failed/ for this reason."""
    return _build_end(IMPORT_REFUSE, file, {"error": dict(error)})


def _build_end(task_type: str, file: Incoming, more: Mapping[str, Any]) -> NewWork:
    payload = {**_payload([file]), **more}
    return NewWork(task_type, "cpu", payload, OWNER, file.media_id, _PRIORITY_OF_ENDS, _ATTEMPTS_AT_ENDS)


def _payload(files: Sequence[Incoming]) -> dict[str, Any]:
    return {
        "files": [
            {
                "mediaId": each.media_id,
                "path": each.path,
                "originalPath": each.original_path,
                "reference": each.is_reference,
            }
            for each in files
        ]
    }


def _batches(files: Sequence[Incoming], size: int) -> Iterator[list[Incoming]]:
    rest = iter(files)
    while batch := list(islice(rest, size)):
        yield batch
