"""Jobs as the web handles them: submitted through the inbox, watched in rows, controlled by wishes."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final

from datasette_hotfolder.answers import RequestError, problem_object
from datasette_hotfolder.objects import job_for_visitors, job_object
from datasette_hotfolder.services import Services
from hotfolder.accounts.scopes import Actor
from hotfolder.clock import NewId
from hotfolder.domain.generation import ACTIVE, AT_WORK, RETRYABLE
from hotfolder.domain.instants import format_instant, is_uuid
from hotfolder.errors import JobFileError, LibraryBusy, NotFound
from hotfolder.files.storage import write_new
from hotfolder.library.jobs import Job
from hotfolder.queue.overview import QueueOverview

PICTURES_SHOWN: Final = 12
WAITING_SHOWN: Final = 100
CLAIM_LIMIT_S: Final = 3.0
CLAIM_LOOK_S: Final = 0.05
Wish = Callable[[str, Actor], dict[str, Any]]


class JobDesk:
    """There is one door: what the web submits is a job file in the inbox like any other."""

    def __init__(self, services: Services, make_id: NewId) -> None:
        self._services = services
        self._make_id = make_id
        self._overview = QueueOverview(services.database, services.lanes)
        control = services.control
        self.wishes: Mapping[str, Wish] = {
            "cancel": self.cancel,
            "retry": partial(self._steer, control.retry),
            "hold": partial(self._steer, control.hold),
            "release": partial(self._steer, control.release),
            "requeue": partial(self._steer, control.requeue),
        }

    def submit(self, body: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
        """Check a job and drop it into the inbox under its id; raises RequestError or JobFileError."""
        job = self._complete(body, actor)
        text = _write_job(job)
        problems = self._services.host.find_problems(text)
        if problems:
            raise JobFileError(list(problems))
        known = self._services.jobs.find(job["id"])
        if known is not None and known.status not in RETRYABLE:
            _check_same(job["id"], known.text, text)
            return self.describe(job["id"])
        file = self._services.paths.inbox / f"{job['id']}.json"
        if known is None and not file.exists():
            self._services.host.check_backlog(job.get("owner"))
        try:
            write_new(file, text)
        except FileExistsError:
            _check_same(job["id"], _read(file), text)
        self._services.host.nudge()
        return self._to_unclaimed(job["id"], file)

    def check(self, body: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
        """What the same body would lead to, if it were submitted; raises RequestError. Writes nothing."""
        found = dict(self._services.host.check_job(_write_job(self._complete(body, actor))))
        return {**found, "problems": [problem_object(each) for each in found["problems"]]}

    def _complete(self, body: Mapping[str, Any], actor: Actor) -> dict[str, Any]:
        """The job with its owner and its id; raises RequestError for what this actor may not ask for."""
        job = {**_allowed(body, actor), "id": body.get("id") or self._make_id()}
        if not isinstance(job["id"], str) or not is_uuid(job["id"]):
            raise RequestError("`id` has to be a UUID here.", hint="Leave it out, and one is chosen.")
        job["id"] = job["id"].lower()
        if body.get("id"):
            with suppress(NotFound):  # a used id is that of a job which this file would stand for
                self._check_owner(job["id"], actor)
        return job

    def read_file(self, job_id: str, actor: Actor) -> tuple[str, bytes]:
        """The name and the text of a job's file, for its owner and admins; raises NotFound."""
        job_id = job_id.lower()
        self._check_owner(job_id, actor)
        found = self._find(job_id)
        if isinstance(found, Job):
            return PurePosixPath(found.text_name or found.file_name).name, found.text
        return f"{job_id}.json", _read(found)

    def list_jobs(self, state: str, limit: int, actor: Actor | None) -> dict[str, Any]:
        """What runs, what waits in its order, what has ended (`limit` of each kind), and unclaimed files."""
        jobs, seq = self._services.jobs, self._services.database.last_event_seq()
        found: list[Job] = []
        waiting: Sequence[tuple[str, str]] = ()
        if state != "ended":
            found += jobs.list_next(statuses=AT_WORK, limit=limit)
            found += self._list_waiting(limit)
            waiting = self._services.host.list_waiting()
        if state != "active":
            found += jobs.list_ended(limit)
        return {
            "items": [_as_seen_by(actor, each) for each in self._to_objects(found)],
            "waiting": [{"jobFile": name, "status": status} for name, status in waiting[:WAITING_SHOWN]],
            "waitingTotal": len(waiting),
            "seq": seq,
        }

    def describe(self, job_id: str) -> dict[str, Any]:
        """One job; a file that has no row yet, but the id in its name, counts. Raises NotFound."""
        job_id = job_id.lower()
        found = self._find(job_id)
        if isinstance(found, Job):
            return self._to_objects([found])[0]
        return self._to_unclaimed(job_id, found)

    def show(self, job_id: str, actor: Actor | None) -> dict[str, Any]:
        """The same, as somebody may see it."""
        return _as_seen_by(actor, self.describe(job_id))

    def cancel(self, job_id: str, actor: Actor) -> dict[str, Any]:
        """Wish that a job ends; raises HotfolderError `job.already_ended`."""
        job_id = job_id.lower()
        self._check_owner(job_id, actor)
        if self._services.jobs.find(job_id) is None:
            self._withdraw(job_id, actor)
        else:
            self._services.control.cancel(job_id, actor.name)
        self._services.host.nudge()
        return self.describe(job_id)

    def prioritize(self, job_id: str, priority: int, actor: Actor) -> dict[str, Any]:
        """Give a job another priority; only an admin gives one that its owner may not ask for."""
        self._check_owner(job_id.lower(), actor)
        most = self._services.host.cap_priority(self.describe(job_id)["owner"], priority)
        if priority > most and not actor.may("admin"):
            raise _admin_only(f"a priority above {most}", "Choose a lower one.")

        def change(job_id: str, name: str) -> Job:
            return self._services.control.prioritize(job_id, priority, name)

        return self._steer(change, job_id, actor)

    def _steer(self, change: Callable[[str, str], Job], job_id: str, actor: Actor) -> dict[str, Any]:
        """Write down what somebody wants of a job; raises HotfolderError when that cannot be."""
        job_id = job_id.lower()
        self._check_owner(job_id, actor)
        if self._services.jobs.find(job_id) is None:
            raise LibraryBusy("This job has not been taken in yet.", hint="Try again in a moment.")
        change(job_id, actor.name)
        self._services.host.nudge()
        return self.describe(job_id)

    def _list_waiting(self, limit: int) -> list[Job]:
        """First those whose turn comes, in the order in which it does, then those that wait for more."""
        jobs = self._services.jobs
        ids = [each.job_id for each in self._overview.list_next(limit)]
        others = jobs.list_next(statuses=ACTIVE - AT_WORK, limit=limit)
        return [*jobs.list_these(ids), *(each for each in others if each.job_id not in ids)][:limit]

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
                code="web.not_owner",
                hint="Its owner, or somebody with the scope `admin`, can change it.",
            )

    def _withdraw(self, job_id: str, actor: Actor) -> None:
        """End a job that has no row yet; when the inbox is quicker, wait for the row, and cancel that."""
        file = self._services.paths.inbox / f"{job_id}.json"
        with suppress(FileNotFoundError):
            self._services.control.withdraw(job_id, file, _read_owner(file), actor.name)
            return
        deadline = time.monotonic() + CLAIM_LIMIT_S
        while self._services.jobs.find(job_id) is None:
            if time.monotonic() > deadline:
                raise LibraryBusy("This job is being taken in just now.", hint="Try again in a moment.")
            time.sleep(CLAIM_LOOK_S)
        self._services.control.cancel(job_id, actor.name)

    def _to_objects(self, jobs: Sequence[Job]) -> list[dict[str, Any]]:
        ids = [job.job_id for job in jobs]
        pictures = self._services.media.list_newest_of_jobs(ids, PICTURES_SHOWN)
        totals = self._services.generations.count_of_jobs(ids)
        dead = self._overview.count_dead_of(ids)
        is_served = bool(self._services.host.describe_sidecar()["running"])
        stands = self._overview.stands_still()
        return [
            job_object(
                job,
                self._read_progress(job, is_served and (job.status in AT_WORK or not stands)),
                pictures.get(job.job_id, ()),
                totals.get(job.job_id, 0),
                dead.get(job.job_id, 0),
            )
            for job in jobs
        ]

    def _to_unclaimed(self, job_id: str, file: Path) -> dict[str, Any]:
        """A job whose file has no row yet."""
        name = f"{job_id}.json"
        job = Job(job_id, "received", name, name, b"", _written_at(file), owner=_read_owner(file))
        return job_object(job, None, (), 0)

    def _read_progress(self, job: Job, has_end: bool) -> Mapping[str, Any] | None:
        """As the status file says, at most twice a second anew; its end while somebody works towards it."""
        if job.status not in ACTIVE:
            return None
        try:
            status = json.loads(self._services.paths.status_json(job.job_id).read_bytes())
            progress: dict[str, Any] = dict(status["progress"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return progress if has_end else {**progress, "etaSeconds": None, "etaRangeSeconds": None}


def _as_seen_by(actor: Actor | None, job: dict[str, Any]) -> dict[str, Any]:
    return job if actor is not None else job_for_visitors(job)


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


def _write_job(job: Mapping[str, Any]) -> bytes:
    """As it stands in its file."""
    return json.dumps(job, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")


def _list_of(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else () if value is None else (value,)


def _admin_only(what: str, hint: str = "Leave it out.") -> RequestError:
    return RequestError(f"The scope `admin` is needed for {what}.", code="web.scope_missing", hint=hint)


def _check_same(job_id: str, earlier: bytes, text: bytes) -> None:
    """A repeat is answered with the job that is there; another job under its id is refused."""
    if earlier != text:
        raise RequestError(
            f"The id {job_id} belongs to another job.", code="job.duplicate_id", hint="Choose a new id."
        )


def _read_owner(file: Path) -> str | None:
    """Who a job file says that it belongs to; nobody, when it cannot be read."""
    try:
        owner = json.loads(_read(file))["owner"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return owner if isinstance(owner, str) else None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # claimed meanwhile, or never ours to read
        return b""


def _written_at(file: Path) -> str:
    try:
        return format_instant(datetime.fromtimestamp(os.stat(file).st_mtime, UTC))  # noqa: PTH116
    except FileNotFoundError:  # claimed meanwhile
        return format_instant(datetime.now(UTC))
