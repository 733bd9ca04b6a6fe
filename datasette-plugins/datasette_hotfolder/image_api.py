"""The asynchronous image API: POST makes a job, GET tells how far it is, DELETE cancels it."""

from __future__ import annotations

import base64
import functools
import logging
from collections.abc import Mapping
from typing import Any, Final

from datasette import Request, Response

from datasette_hotfolder.answers import (
    RequestError,
    View,
    answer,
    read_json,
    require,
    require_method,
    retry_header,
    status_of,
)
from datasette_hotfolder.job_desk import JobDesk
from datasette_hotfolder.objects import media_object
from datasette_hotfolder.services import Services
from hotfolder.domain.instants import elapsed_ms
from hotfolder.errors import HotfolderError, JobFileError, NotFound
from hotfolder.library.generations import Generation
from hotfolder.library.jobs import Job
from hotfolder.library.media import Media

log = logging.getLogger(__name__)

INLINE_MAX_BYTES: Final = 64 * 1024 * 1024
_TO_PARAMS: Final[Mapping[str, str]] = {
    "prompt": "prompt",
    "width": "width",
    "height": "height",
    "steps": "steps",
    "seed": "seed",
    "negativePrompt": "negativePrompt",
    "cfgScale": "guidance",
    "sampler": "sampling_method",
}
_STATUS: Final[Mapping[str, str]] = {
    "running": "in_progress",
    "cancelling": "in_progress",
    "completed": "complete",
    "partially_completed": "complete",
    "failed": "error",
    "cancelled": "cancelled",
}
_CODES: Final[Mapping[int, str]] = {
    400: "INVALID_REQUEST",
    401: "UNAUTHORIZED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "INVALID_REQUEST",
    408: "INVALID_REQUEST",
    409: "ALREADY_TERMINAL",
    413: "INVALID_REQUEST",
    503: "SERVER_BUSY",
    507: "SERVER_BUSY",
}


def build_image_api(services: Services, desk: JobDesk) -> list[tuple[str, View]]:
    """The routes below /v1/images/generations."""

    @_image_api
    async def create(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "submit")
        job = _to_job(await read_json(request), services.default_endpoint)
        made = await services.write(desk.submit, job, actor)
        status = _STATUS.get(made["status"], "pending")  # a repeat is answered with the job that is there
        return answer({"id": made["jobId"], "status": status, "createdAt": made["createdAt"]}, 201)

    @_image_api
    async def one(request: Request) -> Response:
        require_method(request, "GET", "DELETE")
        job_id = request.url_vars["job_id"].lower()
        if request.method == "DELETE":
            actor = require(request, "submit")
            await services.write(desk.cancel, job_id, actor)
        inline = request.args.get("inline") == "1" and request.method != "DELETE"
        return await services.read(lambda: answer(_describe(services, desk, job_id, inline)))

    return [
        (r"^/v1/images/generations$", create),
        (r"^/v1/images/generations/(?P<job_id>[^/]+)$", one),
    ]


def _image_api(view: View) -> View:
    """Errors in the form of this API: `{"error": {message, code}}`."""

    @functools.wraps(view)
    async def guarded(request: Request) -> Response | None:
        try:
            return await view(request)
        except HotfolderError as error:
            status = 400 if error.code == "job.duplicate_id" else status_of(error)
            found = {"message": _in_words(error), "code": _CODES.get(status, "INVALID_REQUEST")}
            return answer({"error": found}, status, retry_header(error))
        except Exception:  # one of the four borders
            log.exception("a request failed unexpectedly")
            return answer({"error": {"message": "The server failed.", "code": "INTERNAL"}}, 500)

    return guarded


def _in_words(error: HotfolderError) -> str:
    problems = error.problems if isinstance(error, JobFileError) else []
    parts = [f"{each.path}: {each.message}" if each.path else each.message for each in problems]
    return "; ".join(parts) or " ".join(filter(None, (error.message, error.hint)))


def _to_job(body: Mapping[str, Any], default_endpoint: str | None) -> dict[str, Any]:
    """The names of this API become params; every other key is one of a job file."""
    job = {key: value for key, value in body.items() if key not in _TO_PARAMS}
    params = job.get("params", {})
    if not isinstance(params, dict):
        raise RequestError("`params` has to be an object.")
    named = {_TO_PARAMS[key]: value for key, value in body.items() if key in _TO_PARAMS and value is not None}
    twice = params.keys() & named.keys()
    if twice:
        raise RequestError(f"{', '.join(sorted(twice))} stands both in `params` and beside it.")
    job["params"] = {**params, **named}
    if "endpointKey" not in job and "task" not in job:
        if default_endpoint is None:
            raise RequestError(
                "`endpointKey` is missing.", hint="Name one, or set `api.default_endpoint` in hotfolder.yaml."
            )
        job["endpointKey"] = default_endpoint
    return job


def _describe(services: Services, desk: JobDesk, job_id: str, inline: bool) -> dict[str, Any]:
    job = services.jobs.find(job_id)
    if job is None:
        file = desk.describe(job_id)
        return {
            "id": job_id,
            "status": "pending",
            "createdAt": file["createdAt"],
            "updatedAt": file["createdAt"],
        }
    described: dict[str, Any] = {
        "id": job_id,
        "status": _status_of(job),
        "createdAt": job.created_at,
        "updatedAt": job.completed_at or job.started_at or job.created_at,
    }
    progress = desk.describe(job_id)["progress"]
    if progress:
        described["progress"] = progress
    if job.status in ("completed", "partially_completed"):
        described["result"] = _result(services, job, inline)
    if job.error:
        described["error"] = {"message": job.error.get("message"), "code": job.error.get("code")}
    return described


def _status_of(job: Job) -> str:
    """A job that was cancelled after some of its pictures is cancelled; what it made is in the result."""
    if job.status == "partially_completed" and job.cancel_requested:
        return "cancelled"
    return _STATUS.get(job.status, "pending")


def _result(services: Services, job: Job, inline: bool) -> dict[str, Any]:
    made = [
        (generation, media)
        for generation in services.generations.list_of_job(job.job_id)
        for media in services.media.list_of_generation(generation.generation_id)
        if media.deleted_at is None
    ]
    if inline and sum(media.file_size for _, media in made) > INLINE_MAX_BYTES:
        raise RequestError(
            f"The pictures are larger than {INLINE_MAX_BYTES >> 20} MiB together.",
            code="web.body_too_large",
            hint="Fetch each from its `url` instead of with `inline`.",
        )
    formats = {media.mime_type.removeprefix("image/") for _, media in made}
    return {
        "images": [_image(services, generation, media, inline) for generation, media in made],
        "format": formats.pop() if len(formats) == 1 else None,
        "timeTaken": elapsed_ms(job.started_at, job.completed_at),
    }


def _image(services: Services, generation: Generation, media: Media, inline: bool) -> dict[str, Any]:
    image: dict[str, Any] = {
        "seed": generation.seed,
        "width": media.width,
        "height": media.height,
        "url": media_object(media)["originalUrl"],
        "sha256": media.file_sha256,
    }
    if media.review != "none":
        image["review"] = media.review
    return image | {"image": _read_base64(services, media.file_path)} if inline else image


def _read_base64(services: Services, file_path: str) -> str:
    try:
        return base64.b64encode(services.paths.locate(file_path).read_bytes()).decode("ascii")
    except OSError as error:
        raise NotFound("The file of this picture is gone.") from error
