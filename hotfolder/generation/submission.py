"""A job file made ready to travel: every job gets an id, local references are stored in the library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hotfolder.clock import NewId
from hotfolder.domain.document import Node, child
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import store_by_hash


@dataclass(frozen=True, slots=True)
class Submission:
    """The text to drop into the inbox and the ids that its jobs are found under."""

    text: str
    ids: list[str]


def build_submission(
    text: str, nodes: Sequence[Node], folder: Path, paths: LibraryPaths, make_id: NewId
) -> Submission:
    """The text with ids put in and paths of references replaced; comments and layout stay."""
    edits: list[tuple[int, int, str]] = []
    ids = []
    for node in nodes:
        own = child(node, "id")
        job_id = own.written if own is not None and own.kind != "null" else make_id()
        ids.append(job_id)
        if own is None:
            edits.append(_id_edit(node, job_id))
        edits += _reference_edits(node, folder, paths)
    for start, end, replacement in sorted(edits, reverse=True):
        text = text[:start] + replacement + text[end:]
    return Submission(text, ids)


def _id_edit(node: Node, job_id: str) -> tuple[int, int, str]:
    if node.flow:
        return node.start + 1, node.start + 1, f'"id": "{job_id}", '
    return node.start, node.start, f"id: {job_id}\n" + " " * (node.column - 1)


def _reference_edits(node: Node, folder: Path, paths: LibraryPaths) -> Iterator[tuple[int, int, str]]:
    """Each path becomes that of the stored copy, relative to the inbox where the job will lie."""
    references = child(node, "refs")
    for each in references.value if references is not None and references.kind == "list" else ():
        path = each if each.kind == "text" else child(each, "path")
        if path is None:
            continue
        source = (folder / path.written).resolve(strict=True)
        _, stored = store_by_hash(source, paths.refs, source.suffix.lower())
        yield path.start, path.end, json.dumps(f"../{paths.relative(stored)}")
