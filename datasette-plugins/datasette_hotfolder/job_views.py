"""Jobs: a list with live progress, submit, cancel and retry."""

from __future__ import annotations

from typing import Any

from datasette import Request, Response

from datasette_hotfolder.answers import (
    RequestError,
    View,
    answer,
    api,
    find_word,
    read_json,
    read_number,
    require,
    require_method,
)
from datasette_hotfolder.job_desk import JobDesk
from datasette_hotfolder.services import Services

LIST_MAX = 500


def build_job_views(services: Services, desk: JobDesk) -> list[tuple[str, View]]:
    """The routes below /-/api/jobs."""

    @api
    async def jobs(request: Request) -> Response:
        require_method(request, "GET", "POST")
        if request.method == "POST":
            actor = require(request, "submit")
            body = await read_json(request)
            return answer(await services.write(desk.submit, body, actor), 201)
        state = find_word(request, "state", "active", "ended", "all") or "all"
        limit = read_number(request, "limit", 50, 1, LIST_MAX)
        return answer(await services.read(desk.list_jobs, state, limit))

    @api
    async def job(request: Request) -> Response:
        require_method(request, "GET")
        return answer(await services.read(desk.describe, request.url_vars["job_id"]))

    @api
    async def change(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "submit")
        await _expect_nothing(request)
        act = {"cancel": desk.cancel, "retry": desk.retry}[request.url_vars["verb"]]
        return answer(await services.write(act, request.url_vars["job_id"], actor))

    return [
        (r"^/-/api/jobs$", jobs),
        (r"^/-/api/jobs/(?P<job_id>[^/]+)$", job),
        (r"^/-/api/jobs/(?P<job_id>[^/]+)/(?P<verb>cancel|retry)$", change),
    ]


async def _expect_nothing(request: Request) -> Any:
    if await read_json(request):
        raise RequestError("This request takes no body.")
