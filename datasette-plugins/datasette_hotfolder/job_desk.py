"""Jobs as the web handles them: submitted through the inbox, watched in rows, controlled by wishes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from datasette_hotfolder.answers import RequestError
from datasette_hotfolder.objects import job_object, unclaimed_job
from datasette_hotfolder.services import Services
from hotfolder.accounts.scopes import Actor
from hotfolder.clock import NewId
from hotfolder.domain.generation import ACTIVE, ENDED
from hotfolder.domain.instants import format_instant, is_uuid
from hotfolder.errors import JobFileError, LibraryBusy, NotFound
from hotfolder.files.storage import move_to_free_name, write_to_free_name
from hotfolder.library.jobs import Job

PICTURES_SHOWN: Final = 12


class JobDesk:
    """There is one door: what the web submits is a job file in the inbox like any other."""

    def __init__(self, services: Services, make_id: NewId) -> None:
        self._services = services
        self._make_id = make_id

    def submit(self, body: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
        """Check a job and drop it into the inbox under its id; raises RequestError or JobFileError."""
        job = {**_allowed(body, actor), "id": body.get("id") or self._make_id()}
        if not isinstance(job["id"], str) or not is_uuid(job["id"]):
            raise RequestError("`id` has to be a UUID here.", hint="Leave it out, and one is chosen.")
        job["id"] = job["id"].lower()
        with suppress(NotFound):  # a used id is that of a job which this file would stand for
            self._check_owner(job["id"], actor)
        text = json.dumps(job, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")
        problems = self._services.host.find_problems(text)
        if problems:
            raise JobFileError(list(problems))
        file = write_to_free_name(self._services.paths.inbox, f"{job['id']}.json", text)
        self._services.host.nudge()
        return {
            "jobId": job["id"],
            "jobFile": file.name,
            "status": "received",
            "createdAt": _written_at(file),
        }

    def list_jobs(self, state: str, limit: int) -> dict[str, Any]:
        """Jobs, newest first, and the files that nobody has claimed yet."""
        services = self._services
        seq = services.database.last_event_seq()
        statuses = {"active": ACTIVE, "ended": ENDED, "all": ACTIVE | ENDED}[state]
        jobs = services.jobs.list_newest(statuses=statuses, limit=limit)
        waiting = [] if state == "ended" else services.host.list_waiting()
        return {
            "items": self._to_objects(jobs),
            "waiting": [{"jobFile": name, "status": status} for name, status in waiting],
            "seq": seq,
        }

    def describe(self, job_id: str) -> dict[str, Any]:
        """One job; a file that has no row yet, but the id in its name, counts. Raises NotFound."""
        job_id = job_id.lower()
        found = self._find(job_id)
        if isinstance(found, Job):
            return self._to_objects([found])[0]
        return unclaimed_job(job_id, f"{job_id}.json", _written_at(found))

    def cancel(self, job_id: str, actor: Actor) -> dict[str, Any]:
        """Wish that a job ends; raises HotfolderError `job.already_ended`."""
        job_id = job_id.lower()
        self._check_owner(job_id, actor)
        if self._services.jobs.find(job_id) is None:
            if self._withdraw(job_id):
                withdrawn = unclaimed_job(job_id, f"{job_id}.json", "")
                return {**withdrawn, "status": "cancelled", "canCancel": False}
            raise LibraryBusy("This job is being taken in just now.", hint="Try again in a moment.")
        self._services.control.cancel(job_id, actor.name)
        self._services.host.nudge()
        return self.describe(job_id)

    def retry(self, job_id: str, actor: Actor) -> dict[str, Any]:
        """Run an ended job again; raises HotfolderError `job.not_retryable`."""
        self._check_owner(job_id.lower(), actor)
        self._services.control.retry(job_id.lower(), actor.name)
        self._services.host.nudge()
        return self.describe(job_id)

    def _find(self, job_id: str) -> Job | Path:
        """The job, or its file while it has no row: between the two looks it may have got one."""
        jobs = self._services.jobs
        found = jobs.find(job_id) or self._find_file(job_id) or jobs.find(job_id)
        if found is None:
            raise NotFound(f"There is no job {job_id[:80]}.")
        return found

    def _find_file(self, job_id: str) -> Path | None:
        """The file of a job in the inbox under its id, or in processing/ when it has just been claimed."""
        if not is_uuid(job_id):
            return None
        file = self._services.paths.inbox / f"{job_id}.json"
        return file if file.is_file() else next(self._services.paths.processing.glob(f"*--{file.name}"), None)

    def _check_owner(self, job_id: str, actor: Actor) -> None:
        found = self._find(job_id)
        owner = found.owner if isinstance(found, Job) else _read_owner(found)
        if owner != actor.name and not actor.may("admin"):
            raise RequestError(
                "This job belongs to somebody else.",
                code="web.scope_missing",
                hint="Its owner, or somebody with the scope `admin`, can change it.",
            )

    def _withdraw(self, job_id: str) -> bool:
        """Take back a file that nobody has claimed; False when the inbox was quicker, or there is none."""
        file = self._services.paths.inbox / f"{job_id}.json"
        trash = self._services.paths.trash_dir(datetime.now(UTC))
        with suppress(FileNotFoundError):
            move_to_free_name(file, trash, file.name, lambda path: False)  # noqa: ARG005
            return True
        return False

    def _to_objects(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        ids = [job.job_id for job in jobs]
        pictures = self._services.media.list_newest_of_jobs(ids, PICTURES_SHOWN)
        totals = self._services.generations.count_of_jobs(ids)
        return [
            job_object(job, self._read_progress(job), pictures.get(job.job_id, ()), totals.get(job.job_id, 0))
            for job in jobs
        ]

    def _read_progress(self, job: Job) -> Mapping[str, Any] | None:
        """As the status file says; it is written at most twice a second."""
        if job.status not in ACTIVE:
            return None
        try:
            status = json.loads(self._services.paths.status_json(job.job_id).read_bytes())
            progress: Mapping[str, Any] = status["progress"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return progress


def _allowed(body: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
    """The job with its owner; only an admin names another, or reaches for files of this machine."""
    job = dict(body)
    if not actor.may("admin"):
        if job.get("owner", actor.name) != actor.name:
            raise _admin_only("another `owner`")
        if "deliver" in job:
            raise _admin_only("`deliver`")
        if any(not isinstance(each, dict) or "path" in each for each in _list_of(job.get("refs"))):
            raise _admin_only("references by path", "Name pictures by `media` or `sha256`.")
    job.setdefault("owner", actor.name)
    return job


def _list_of(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else () if value is None else (value,)


def _admin_only(what: str, hint: str = "Leave it out.") -> RequestError:
    return RequestError(f"The scope `admin` is needed for {what}.", code="web.scope_missing", hint=hint)


def _read_owner(file: Path) -> str | None:
    """Who a job file says that it belongs to; nobody, when it cannot be read."""
    try:
        owner = json.loads(file.read_bytes())["owner"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return owner if isinstance(owner, str) else None


def _written_at(file: Path) -> str:
    try:
        return format_instant(datetime.fromtimestamp(os.stat(file).st_mtime, UTC))  # noqa: PTH116
    except FileNotFoundError:  # claimed meanwhile
        return format_instant(datetime.now(UTC))
