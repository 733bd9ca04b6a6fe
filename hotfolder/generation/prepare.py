"""Reference pictures as the engine can read them: upright RGB PNGs, each content once, cached."""

from __future__ import annotations

from collections.abc import Sequence

from hotfolder.domain.generation import PreparedReference
from hotfolder.errors import ContentMissing
from hotfolder.files.images import prepare_reference, reference_cache_key
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import sha256_file
from hotfolder.library.generations import GenerationInput


def prepare_references(
    paths: LibraryPaths, inputs: Sequence[GenerationInput]
) -> tuple[PreparedReference, ...]:
    """The prepared files in order; two sources that come out as the same pixels are handed over once."""
    prepared: dict[str, PreparedReference] = {}
    for each in inputs:
        source = paths.absolute(each.file_path)
        if not source.is_file():
            raise ContentMissing(
                f"The accepted reference {each.file_path} ({each.original_name}) is gone.",
                code="job.ref_missing",
                hint="Drop the job and its reference again.",
            )
        target = paths.ref_cache(reference_cache_key(each.sha256))
        if not target.is_file():
            prepare_reference(source, target)
        content = sha256_file(target)
        prepared.setdefault(content, PreparedReference(each.position, content, str(target), each.role))
    return tuple(prepared.values())
