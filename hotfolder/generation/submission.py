"""A job file made ready to travel: every job gets an id, and local references go with it."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hotfolder.clock import NewId
from hotfolder.domain.document import Entry, Node, entries
from hotfolder.errors import LibraryError
from hotfolder.files.bundles import iter_reference_paths
from hotfolder.files.decoding import readable_extensions
from hotfolder.files.names import free_name
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import store_by_hash

Edit = tuple[int, int, str]

_ENCLOSED: Final = Path("refs")
_UNSAFE: Final = frozenset('/\\:*?"<>|')


@dataclass(frozen=True, slots=True)
class Submission:
    """The text to drop into the inbox, the ids that its jobs are found under, and what goes with it.

    `enclosed` are local references by the names that the text has for them: a job that has any travels as a
    bundle.
    """

    text: str
    ids: list[str]
    enclosed: Mapping[str, Path] = field(default_factory=dict)


def build_submission(
    text: str,
    nodes: Sequence[Node],
    folder: Path,
    paths: LibraryPaths,
    make_id: NewId,
    *,
    bundle_max_bytes: int,
) -> Submission:
    """The text with ids put in and paths of references replaced; comments and layout stay.

    The text is meant to lie in the inbox itself, or in its bundle. Raises LibraryError for a reference that
    cannot be read.
    """
    # A bundle is one job. The references of several are stored in the library now, as at their acceptance.
    enclosure = _Enclosure()
    take = enclosure.add if len(nodes) == 1 else lambda written, file: _store(written, file, paths)
    # A set: what an alias repeats is written at one place only.
    edits: set[Edit] = set()
    ids = []
    for node in nodes:
        own = next((each for each in entries(node) if each.key.value == "id"), None)
        job_id = own.value.written if own is not None and own.value.kind != "null" else make_id()
        ids.append(job_id)
        if own is None:
            edits.add(_new_id(text, node, job_id))
        elif own.value.kind == "null":
            edits.add(_filled_id(own, job_id))
        edits |= set(_reference_edits(text, node, folder, take))
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    enclosure.check_size(len(text.encode()), bundle_max_bytes)
    return Submission(text, ids, enclosure.files)


class _Enclosure:
    """Files by their names in the bundle, each once; as far as that is safe they keep their own."""

    def __init__(self) -> None:
        self.files: dict[str, Path] = {}

    def add(self, written: str, file: Path) -> str:
        """The name in the bundle of a file that a job calls so."""
        known = next((name for name, each in self.files.items() if each == file), None)
        if known is not None:
            return known
        taken = {_folded(name) for name in self.files}
        name = free_name(_ENCLOSED, _safe_name(Path(written)), lambda path: _folded(path.as_posix()) in taken)
        place = (_ENCLOSED / name).as_posix()
        self.files[place] = file
        return place

    def check_size(self, text_bytes: int, max_bytes: int) -> None:
        """Raise LibraryError when the bundle would be refused for its size."""
        if self.files and text_bytes + sum(each.stat().st_size for each in self.files.values()) > max_bytes:
            raise LibraryError(
                "The references are larger than a bundle may be (`intake.bundle_max_bytes`).",
                code="job.bundle_refused",
                hint="Make the pictures smaller, or raise the limit.",
            )


def _safe_name(path: Path) -> str:
    """A name that every disk takes and that no rule passes over: printable, not hidden, a picture's."""
    is_picture = path.suffix.casefold() in readable_extensions()
    stem, extension = (path.stem, path.suffix) if is_picture else (path.name, ".bin")
    text = unicodedata.normalize("NFC", stem)
    cleaned = "".join("_" if each in _UNSAFE or not each.isprintable() else each for each in text)
    return (cleaned.lstrip(".~ ") or "picture") + extension


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _new_id(text: str, node: Node, job_id: str) -> Edit:
    if node.flow:
        return node.start + 1, node.start + 1, f'"id": "{job_id}", '
    line_break = "\r\n" if "\r\n" in text else "\n"
    return node.start, node.start, f"id: {job_id}{line_break}" + " " * (node.column - 1)


def _filled_id(own: Entry, job_id: str) -> Edit:
    """An `id` without value would leave the job without the id that the submitter is told."""
    return own.key.end, own.value.end, f': "{job_id}"'


def _reference_edits(text: str, node: Node, folder: Path, take: Callable[[str, Path], str]) -> Iterator[Edit]:
    """Each path becomes the one that the file has for the job where it will lie."""
    for path in iter_reference_paths(node):
        place = take(path.written, _find(path.written, folder))
        line_break = "\n" if text[path.start : path.end].endswith("\n") else ""
        yield path.start, path.end, json.dumps(place, ensure_ascii=False) + line_break


def _find(written: str, folder: Path) -> Path:
    # As the reference desk finds it: `~/` is the home folder of whoever submits.
    wanted = Path(written).expanduser() if written.startswith("~/") else folder / written
    try:
        return wanted.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise _unreadable(written, error) from error


def _store(written: str, file: Path, paths: LibraryPaths) -> str:
    try:
        stored = store_by_hash(file, paths.refs, file.suffix.lower())[1]
    except OSError as error:
        raise _unreadable(written, error) from error
    return f"../{paths.relative(stored)}"


def _unreadable(written: str, error: Exception) -> LibraryError:
    return LibraryError(
        f"The reference `{written}` cannot be read: {error}.",
        code="job.ref_missing",
        hint="Check that the picture is there, then submit the job again.",
    )
