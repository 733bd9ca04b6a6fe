"""A job file made ready to travel: every job gets an id, local references are stored in the library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hotfolder.clock import NewId
from hotfolder.domain.document import Entry, Node, child, entries
from hotfolder.errors import LibraryError
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import store_by_hash

Edit = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Submission:
    """The text to drop into the inbox and the ids that its jobs are found under."""

    text: str
    ids: list[str]


def build_submission(
    text: str, nodes: Sequence[Node], folder: Path, paths: LibraryPaths, make_id: NewId
) -> Submission:
    """The text with ids put in and paths of references replaced; comments and layout stay.

    The text is meant to lie in the inbox itself. Raises LibraryError for a reference that cannot be read.
    """
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
        edits |= set(_reference_edits(text, node, folder, paths))
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return Submission(text, ids)


def _new_id(text: str, node: Node, job_id: str) -> Edit:
    if node.flow:
        return node.start + 1, node.start + 1, f'"id": "{job_id}", '
    line_break = "\r\n" if "\r\n" in text else "\n"
    return node.start, node.start, f"id: {job_id}{line_break}" + " " * (node.column - 1)


def _filled_id(own: Entry, job_id: str) -> Edit:
    """An `id` without value would leave the job without the id that the submitter is told."""
    return own.key.end, own.value.end, f': "{job_id}"'


def _reference_edits(text: str, node: Node, folder: Path, paths: LibraryPaths) -> Iterator[Edit]:
    """Each path becomes that of the stored copy, relative to the inbox where the job will lie."""
    references = child(node, "refs")
    for each in references.value if references is not None and references.kind == "list" else ():
        path = child(each, "path") if each.kind == "map" else each
        if path is None or path.kind in ("null", "list", "map"):
            continue
        stored = _store(path.written, folder, paths)
        line_break = "\n" if text[path.start : path.end].endswith("\n") else ""
        yield path.start, path.end, json.dumps(f"../{paths.relative(stored)}") + line_break


def _store(written: str, folder: Path, paths: LibraryPaths) -> Path:
    # As the reference desk finds it: `~/` is the home folder of whoever submits.
    wanted = Path(written).expanduser() if written.startswith("~/") else folder / written
    try:
        source = wanted.resolve(strict=True)
        return store_by_hash(source, paths.refs, source.suffix.lower())[1]
    except (OSError, RuntimeError) as error:
        raise LibraryError(
            f"The reference `{written}` cannot be read: {error}.",
            code="job.ref_missing",
            hint="Check that the picture is there, then submit the job again.",
        ) from error
