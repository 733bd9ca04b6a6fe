"""Jobs: a list with live progress, submit, and what somebody wants of them."""

from __future__ import annotations

from datasette import Request, Response

from datasette_hotfolder.answers import (
    RequestError,
    View,
    actor_of,
    answer,
    api,
    expect_nothing,
    find_word,
    read_json,
    read_number,
    require,
    require_method,
)
from datasette_hotfolder.attachments import attachment_headers
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
        return answer(await services.read(desk.list_jobs, state, limit, actor_of(request)))

    @api
    async def job(request: Request) -> Response:
        require_method(request, "GET")
        return answer(await services.read(desk.show, request.url_vars["job_id"], actor_of(request)))

    @api
    async def check(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "submit")
        return answer(await services.read(desk.check, await read_json(request), actor))

    @api
    async def file(request: Request) -> Response:
        require_method(request, "GET")
        actor = require(request, "look")
        name, text = await services.read(desk.read_file, request.url_vars["job_id"], actor)
        return Response(text, headers=attachment_headers(name), content_type="application/octet-stream")

    @api
    async def change(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "submit")
        await expect_nothing(request)
        wish = desk.wishes[request.url_vars["verb"]]
        return answer(await services.write(wish, request.url_vars["job_id"], actor))

    @api
    async def priority(request: Request) -> Response:
        require_method(request, "POST")
        actor = require(request, "submit")
        wanted = _read_priority(await read_json(request))
        return answer(await services.write(desk.prioritize, request.url_vars["job_id"], wanted, actor))

    return [
        (r"^/-/api/jobs$", jobs),
        (r"^/-/api/jobs/check$", check),
        (r"^/-/api/jobs/(?P<job_id>[^/]+)$", job),
        (r"^/-/api/jobs/(?P<job_id>[^/]+)/file$", file),
        (r"^/-/api/jobs/(?P<job_id>[^/]+)/(?P<verb>cancel|retry|hold|release|requeue)$", change),
        (r"^/-/api/jobs/(?P<job_id>[^/]+)/priority$", priority),
    ]


def _read_priority(body: dict[str, object]) -> int:
    wanted = body.get("priority")
    if type(wanted) is not int or len(body) != 1:
        raise RequestError('The body has to be {"priority": N}, with a whole number from -100 to 100.')
    return wanted
