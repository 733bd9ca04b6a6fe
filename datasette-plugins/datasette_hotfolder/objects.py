"""Rows as the JSON objects of the API (pure but for the status files of running jobs)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from datasette_hotfolder.thumbnails import version_of
from hotfolder.accounts.scopes import Actor
from hotfolder.domain.generation import ACTIVE, ENDED, RETRYABLE
from hotfolder.domain.instants import elapsed_ms
from hotfolder.events import Event
from hotfolder.library.browse import MediaPage
from hotfolder.library.control import Wish
from hotfolder.library.generations import Generation, GenerationInput
from hotfolder.library.jobs import Job
from hotfolder.library.media import Media

_HOLDABLE: Final = frozenset({"waiting_refs", "backlogged", "queued"})


def media_object(media: Media) -> dict[str, Any]:
    """A picture in a list."""
    address = f"/media/{quote(media.media_id, safe='')}"
    return {
        "mediaId": media.media_id,
        "fileName": media.file_name,
        "originalName": media.original_name,
        "title": media.title,
        "origin": media.origin,
        "mimeType": media.mime_type,
        "width": media.width,
        "height": media.height,
        "bytes": media.file_size,
        "rating": media.rating,
        "status": media.status,
        "label": media.label,
        "review": media.review,
        "number": media.number,
        "owner": media.owner,
        "endpointKey": media.endpoint_key,
        "preset": media.preset,
        "hasRefs": bool(media.has_refs),
        "createdAt": media.created_at,
        "deletedAt": media.deleted_at,
        "path": media.file_path,
        "sha256": media.file_sha256,
        "thumbnailUrl": f"{address}/thumbnail?v={version_of(media.file_sha256)}",
        "originalUrl": f"{address}/original?v={version_of(media.file_sha256)}",
    }


def page_object(page: MediaPage, seq: int) -> dict[str, Any]:
    """A page of pictures, with how to go on from it; null for one that has left the library."""
    return {
        "items": [media_object(each) if each else None for each in page.items],
        "next": page.next,
        "previous": page.previous,
        "total": page.total,
        "totalIsBounded": page.view.is_bounded,
        "libraryTotal": page.view.library_total,
        "view": page.view.token,
        "offset": page.offset,
        "seq": seq,
    }


def media_detail(
    media: Media,
    keywords: Sequence[str],
    generation: Generation | None,
    job: Job | None,
    inputs: Sequence[GenerationInput],
    present: Collection[str] = (),
) -> dict[str, Any]:
    """A picture with what its rows say; of its references, those in `present` can be looked at."""
    return {
        **media_object(media),
        "description": media.description,
        "originalPath": media.original_path,
        "keywords": list(keywords),
        "generation": _generation_object(generation, job) if generation else None,
        "inputs": [_input_object(each, each.media_id in present) for each in inputs],
    }


def _generation_object(generation: Generation, job: Job | None) -> dict[str, Any]:
    params = generation.sent_params
    return {
        "generationId": generation.generation_id,
        "endpointKey": generation.endpoint_key,
        "mode": generation.mode,
        "prompt": params.get("prompt"),
        "negativePrompt": params.get("negativePrompt"),
        "seed": generation.seed,
        "steps": params.get("steps"),
        "params": params,
        "modelFile": generation.model_file,
        "engineKind": generation.engine_kind,
        "workerId": generation.worker_id,
        "attempts": generation.attempts,
        "warnings": list(generation.warnings),
        "totalTimeMs": generation.total_time_ms,
        "queueWaitMs": elapsed_ms(generation.created_at, generation.started_at),
        "startedAt": generation.started_at,
        "completedAt": generation.completed_at,
        "owner": job.owner if job else None,
        "jobId": generation.job_id,
        "jobFile": job.job_file if job else None,
    }


def _input_object(each: GenerationInput, is_present: bool) -> dict[str, Any]:
    return {
        "position": each.position,
        "role": each.role,
        "originalName": each.original_name,
        "sha256": each.sha256,
        "mediaId": each.media_id,
        "isPresent": is_present,
        "thumbnailUrl": input_thumbnail_url(each.generation_id, each.position, each.sha256),
    }


def input_thumbnail_url(generation_id: str, position: int, sha256: str) -> str:
    """The address of a reference's thumbnail, which outlasts the reference."""
    return f"/media/inputs/{quote(generation_id, safe='')}/{position}?v={version_of(sha256)}"


def job_object(
    job: Job, progress: Mapping[str, Any] | None, pictures: Sequence[Media], total: int, dead: int = 0
) -> dict[str, Any]:
    """A job with its progress, its latest pictures and how much of its work is dead."""
    error, is_open = job.error, job.status in ACTIVE and not job.cancel_requested
    return {
        "jobId": job.job_id,
        "jobFile": job.job_file,
        "title": job.title,
        "status": job.status,
        "owner": job.owner,
        "priority": job.priority,
        "endpointKey": job.endpoint_key,
        "createdAt": job.created_at,
        "startedAt": job.started_at,
        "completedAt": job.completed_at,
        "progress": dict(progress) if progress else None,
        "waitsFor": list(job.waits_for),
        "waitReason": job.wait_reason,
        "held": job.hold_requested and job.status in ACTIVE,
        "notBefore": job.not_before,
        "deadWork": dead,
        "error": _error_object(error) if error else None,
        "pictures": [_picture_object(each) for each in pictures],
        "totalPictures": total,
        "canCancel": is_open,
        "canRetry": job.status in RETRYABLE,
        "canHold": is_open and job.status in _HOLDABLE and not job.hold_requested,
        "canRelease": is_open and job.hold_requested,
        "canPrioritize": is_open and job.status != "received",
        "canRequeue": dead > 0 and job.status in ENDED,
    }


def _picture_object(media: Media) -> dict[str, Any]:
    shown = media_object(media)
    return {name: shown[name] for name in ("mediaId", "thumbnailUrl", "review")}


def job_for_visitors(job: dict[str, Any]) -> dict[str, Any]:
    """The object of a job without those of its pictures that await a review."""
    return {**job, "pictures": [each for each in job["pictures"] if each["review"] != "awaiting"]}


def _error_object(error: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "code": error.get("code"),
        "message": error.get("message"),
        "hint": error.get("hint"),
        "problems": list(error.get("problems") or []),
    }


def event_object(event: Event) -> dict[str, Any]:
    """An event as the pages follow it."""
    return {
        "seq": event.seq,
        "at": event.at,
        "topic": event.topic,
        "subjectType": event.subject_type,
        "subjectId": event.subject_id,
        "actor": event.actor,
        "data": dict(event.data),
    }


def actor_object(actor: Actor | None) -> dict[str, Any] | None:
    """Who is logged in."""
    return {"name": actor.name, "scopes": sorted(actor.scopes)} if actor else None


def wish_object(wish: Wish | None) -> dict[str, Any] | None:
    """Which model set somebody wants to be loaded; null for none at all."""
    return {"modelSet": wish.value or None, "actor": wish.actor, "at": wish.at} if wish else None


def embedded_json(value: Any) -> str:
    """JSON that can stand in a <script> element: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
