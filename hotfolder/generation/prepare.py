"""Reference pictures as the engine can read them: upright RGB PNGs, each content once, cached."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hotfolder.domain.generation import PreparedReference
from hotfolder.errors import ContentMissing, LibraryError
from hotfolder.files.images import check_image, prepare_reference, reference_cache_key, write_upright
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import sha256_file
from hotfolder.library.generations import GenerationInput


def prepare_references(
    paths: LibraryPaths, inputs: Sequence[GenerationInput]
) -> tuple[PreparedReference, ...]:
    """The prepared files in order; two sources that come out as the same pixels are handed over once."""
    prepared: dict[str, PreparedReference] = {}
    for each in inputs:
        target = paths.ref_cache(reference_cache_key(each.sha256))
        if not _is_whole(target):
            prepare_reference(_find_source(paths, each), target)
        content = sha256_file(target)
        prepared.setdefault(content, PreparedReference(each.position, content, str(target), each.role))
    return tuple(prepared.values())


def prepare_full_size(
    paths: LibraryPaths, inputs: Sequence[GenerationInput], folder: Path
) -> tuple[PreparedReference, ...]:
    """The references upright, with all of their pixels and their transparency, as PNGs in a work folder."""
    prepared = []
    for each in inputs:
        target = folder / f"reference-{each.position}.png"
        info = write_upright(_find_source(paths, each), target)
        prepared.append(
            PreparedReference(
                each.position,
                each.sha256,
                str(target),
                each.role,
                width=info.width,
                height=info.height,
                has_alpha=info.mode == "RGBA",
            )
        )
    return tuple(prepared)


def _find_source(paths: LibraryPaths, each: GenerationInput) -> Path:
    """The accepted file, which must still be what was accepted: a name alone proves nothing."""
    source = paths.absolute(each.file_path)
    if source.is_file() and sha256_file(source) == each.sha256:
        return source
    raise ContentMissing(
        f"The accepted reference {each.file_path} ({each.original_name}) is gone or has changed.",
        code="job.ref_missing",
        hint="Drop the job and its reference again.",
    )


def _is_whole(target: Path) -> bool:
    try:
        check_image(target)
    except (LibraryError, OSError):
        return False
    return True
