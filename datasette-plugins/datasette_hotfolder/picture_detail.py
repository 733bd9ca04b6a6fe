"""All that is known of one picture: its rows, its relatives, and what lies beside its file."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from datasette_hotfolder.objects import media_detail, media_object
from datasette_hotfolder.services import Services
from hotfolder.accounts.scopes import Actor
from hotfolder.domain.instants import parse_instant
from hotfolder.errors import LibraryError
from hotfolder.files.names import RESULT_SUFFIX
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import open_regular
from hotfolder.library.generations import Generation, GenerationInput
from hotfolder.library.jobs import Job
from hotfolder.library.lineage import list_made_from
from hotfolder.library.media import Media
from hotfolder.library.ratings import Rating

MADE_SHOWN: Final = 24
HISTORY_SHOWN: Final = 100
SIDECAR_MAX_BYTES: Final = 4 * 1024 * 1024
_LOOKED_AT_BYTES: Final = 256 * 1024
_XMP_MARKS: Final = (b"<x:xmpmeta", b"<rdf:RDF")


def describe_picture(
    services: Services, media_id: str, actor: Actor | None, *, in_trash: bool = False
) -> dict[str, Any]:
    """The object of one picture, as somebody may see it; raises NotFound."""
    media = services.media.get(media_id) if in_trash else services.get_picture(media_id, actor)
    generation = services.generations.get(media.generation_id) if media.generation_id else None
    job = services.jobs.find(generation.job_id) if generation else None
    inputs = _list_inputs(services, generation, actor)
    json_path, xmp_path = find_sidecars(services.paths, media)
    sidecar = read_small(json_path)
    found = media_detail(
        media,
        services.media.list_keywords(media_id),
        generation,
        job,
        [each for each, _ in inputs],
        {source.media_id for _, source in inputs if source and source.deleted_at is None},
    )
    if generation is not None:
        found["generation"] |= {
            "modelName": services.generations.find_model_name(generation.base_model_id),
            "again": _build_again(generation, [each for each, _ in inputs], sidecar),
        }
    made = list_made_from(services.database, media_id, limit=MADE_SHOWN, is_reviewed=actor is None)
    return found | {
        "made": [_made_object(each) for each in made],
        "ratingHistory": _list_history(services, media_id),
        "sidecar": {
            "json": sidecar is not None,
            "xmp": xmp_path.is_file(),
            "embedded": _carries_xmp(services.paths.locate(media.file_path)),
        },
        "deliveries": _list_deliveries(services.paths, job),
    }


def find_sidecars(paths: LibraryPaths, media: Media) -> tuple[Path, Path]:
    """Where the two sidecars of a picture lie: in the library, even if the picture stayed elsewhere."""
    original = paths.locate(media.file_path)
    if Path(media.file_path).is_absolute():
        original = paths.original(parse_instant(media.created_at), media.media_id, original.suffix)
    return paths.sidecar_json(original), paths.sidecar_xmp(original)


def read_small(path: Path) -> bytes | None:
    """The content of a regular file of at most SIDECAR_MAX_BYTES, or None."""
    try:
        with open_regular(path) as stream:
            data = stream.read(SIDECAR_MAX_BYTES + 1)
    except (OSError, LibraryError):
        return None
    return data if len(data) <= SIDECAR_MAX_BYTES else None


def _list_inputs(
    services: Services, generation: Generation | None, actor: Actor | None
) -> list[tuple[GenerationInput, Media | None]]:
    """References with their pictures; a visitor learns nothing of those that await a review."""
    given = services.generations.list_inputs(generation.generation_id) if generation else []
    found = [(each, services.media.find(each.media_id) if each.media_id else None) for each in given]
    return [(each, source) for each, source in found if actor or not source or source.review != "awaiting"]


def _build_again(
    generation: Generation, inputs: list[GenerationInput], sidecar: bytes | None
) -> dict[str, Any]:
    """A job that makes the picture again; its sidecar knows which params the endpoint takes."""
    job = {"endpointKey": generation.endpoint_key, "params": _find_params(sidecar) or generation.sent_params}
    refs = [{"sha256": each.sha256} | ({"role": each.role} if each.role else {}) for each in inputs]
    return {**job, "refs": refs} if refs else job


def _find_params(sidecar: bytes | None) -> Mapping[str, Any] | None:
    try:
        params = json.loads(sidecar or b"")["params"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return params if isinstance(params, dict) else None


def _made_object(media: Media) -> dict[str, Any]:
    shown = media_object(media)
    return {name: shown[name] for name in ("mediaId", "title", "fileName", "originalName", "thumbnailUrl")}


def _list_history(services: Services, media_id: str) -> list[dict[str, Any]]:
    """The newest change first."""
    changes = services.ratings.list_history(media_id)[-HISTORY_SHOWN:]
    return [_rating_object(each) for each in reversed(changes)]


def _rating_object(rating: Rating) -> dict[str, Any]:
    return {
        "field": rating.field,
        "oldValue": rating.old_value,
        "newValue": rating.new_value,
        "actor": rating.actor,
        "at": rating.at,
    }


def _list_deliveries(paths: LibraryPaths, job: Job | None) -> list[dict[str, Any]]:
    """What was written for whoever sent the job: its result file."""
    if job is None or job.final_path is None or job.completed_at is None:
        return []
    path = paths.shown(job.final_path) + RESULT_SUFFIX
    return [{"kind": "result", "path": path, "at": job.completed_at}]


def _carries_xmp(path: Path) -> bool:
    """Whether an XMP packet stands near the beginning or the end of a file, as in PNG, JPEG and WebP."""
    try:
        with open_regular(path) as stream:
            head = stream.read(_LOOKED_AT_BYTES)
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - _LOOKED_AT_BYTES))
            near = head + stream.read(_LOOKED_AT_BYTES)
    except (OSError, LibraryError):
        return False
    return any(mark in near for mark in _XMP_MARKS)
