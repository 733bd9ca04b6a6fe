"""Into the queue: whether a job whose pictures could be made now is queued, held, or waits for limits."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal, Protocol

from hotfolder.database import Database, Transaction
from hotfolder.domain.limits import OVER_LIMIT
from hotfolder.domain.plan import JobPlan, Run
from hotfolder.errors import QueueError
from hotfolder.generation.closing import JobCloser, error_object
from hotfolder.generation.context import PRIORITY_FOLDERS
from hotfolder.generation.execute import EXECUTE
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.queue.store import WorkStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job goes; with a reason for people when that is not the queue."""

    status: Literal["queued", "held", "backlogged"] = "queued"
    reason: str | None = None


class Verdict(Protocol):
    """Whether limits let a job into the queue."""

    @property
    def is_admitted(self) -> bool:
        """Whether it may go now."""

    @property
    def reason(self) -> str | None:
        """Why not, in words."""

    @property
    def wait_s(self) -> float | None:
        """For how long, as far as that is known."""


class Limits(Protocol):
    """How much each owner may ask for."""

    def owner_of(self, folder: PurePosixPath, named: str | None) -> str | None:
        """Whose jobs those of a folder below inbox/ are."""

    def priority_of(self, owner: str | None, given: int | None) -> tuple[int, str | None]:
        """The priority that a job gets, and a warning when that is not what it asks for."""

    def decide(self, tx: Transaction, job_id: str, owner: str | None) -> Verdict:
        """Whether a job may be queued now; it counts when it may."""

    def list_due(self) -> list[str]:
        """Jobs that wait for limits and could go now."""

    def rank_of(self, job: Job) -> int:
        """The place of a job among those of its owner that wait: lowest first."""


class Charges(Protocol):
    """What pictures cost."""

    def find_lack(self, job: Job, runs: Sequence[Run | Generation]) -> str | None:
        """Why the pictures have to wait for credit, in words; raises QueueError when they fail instead."""

    def reserve(self, tx: Transaction, job: Job, generation: Generation) -> None:
        """Keep back what a picture costs."""

    def reserve_more(self, tx: Transaction, job: Job, generation: Generation) -> None:
        """Keep back what it costs more by now; raises QueueError without credit."""


class Entrance:
    """Every job passes here on its way into the queue, in the transaction that writes its pictures."""

    def __init__(
        self,
        database: Database,
        jobs: JobStore,
        generations: GenerationStore,
        work: WorkStore,
        closer: JobCloser,
        limits: Limits,
        charges: Charges,
        lacking: Callable[[str | None], Sequence[str]] = lambda _: (),
    ) -> None:
        """`lacking` names what the endpoint of a key needs and this machine does not have."""
        self._database = database
        self._jobs = jobs
        self._generations = generations
        self._work = work
        self._closer = closer
        self._limits = limits
        self._charges = charges
        self._lacking = lacking

    def decide(self, tx: Transaction, job: Job, runs: Sequence[Run | Generation]) -> Place:
        """Where a job goes that lacks nothing but its turn; raises QueueError when it has no credit."""
        if job.hold_requested:
            return Place("held", "held on request")
        reason = self._find_reason(tx, job, runs)
        if reason is None:
            return Place()
        if job.status != "backlogged":
            tx.event("limits.backlogged", "job", job.job_id, {"owner": job.owner, "reason": reason})
        return Place("backlogged", reason)

    def _find_reason(self, tx: Transaction, job: Job, runs: Sequence[Run | Generation]) -> str | None:
        """Why a job has to wait for more than its turn; limits last, since what they let in they count."""
        lack = self._find_lack(job, runs)
        if lack is not None:
            return lack
        verdict = self._limits.decide(tx, job.job_id, job.owner)
        return None if verdict.is_admitted else f"{verdict.reason}{_about(verdict.wait_s)}"

    def _find_lack(self, job: Job, runs: Sequence[Run | Generation]) -> str | None:
        tags = self._lacking(job.endpoint_key)
        if tags:
            return f"no lane of this machine has {', '.join(tags)}"
        return self._charges.find_lack(job, runs)

    def note_place(self, tx: Transaction, job_id: str, place: Place) -> None:
        """Where a job stands among those that wait, once it has its status."""
        if place.status == "backlogged":
            self._jobs.set_backlog_rank(tx, job_id, self._limits.rank_of(self._jobs.get(job_id)))

    def charge(self, tx: Transaction, job: Job, generation: Generation) -> None:
        """Keep back what a picture costs that goes into the queue."""
        self._charges.reserve(tx, job, generation)

    def prioritized(self, tx: Transaction, job_id: str) -> None:
        """A job has another priority: what that costs, and its place; raises QueueError without credit."""
        job = self._jobs.get(job_id)
        self.note_place(tx, job_id, Place("backlogged") if job.status == "backlogged" else Place())
        if job.status == "queued":
            for each in self._list_pending(job_id):
                self._charges.reserve_more(tx, job, each)

    def let_in(self, tx: Transaction, job_id: str, actor: str | None = None) -> Place:
        """Ask again for a job that is held or backlogged; it goes on when it may."""
        job, pending = self._jobs.get(job_id), self._list_pending(job_id)
        place = self.decide(tx, job, pending)
        if place.status != job.status:
            self._jobs.set_status(tx, job_id, place.status, actor=actor, reason=place.reason)
            self.note_place(tx, job_id, place)
        elif place.reason != job.wait_reason:
            self._jobs.set_wait_reason(tx, job_id, place.reason)
        if place.status == "queued":
            for each in pending:
                self.charge(tx, job, each)
                # What was not in line yet gets there only now: a backlog never overtakes others.
                since = None if job.queued_at else max(tx.at, job.not_before or "")
                self._work.resume(tx, each.generation_id, EXECUTE, job.not_before, since=since)
        return place

    def let_in_due(self) -> int:
        """Let in what waits for limits and may go now; gives the number of jobs."""
        count = 0
        for job_id in self._limits.list_due():
            count += self._let_in_one(job_id)
        return count

    def _let_in_one(self, job_id: str) -> bool:
        try:
            job = self._jobs.get(job_id)
            lack = self._find_lack(job, self._list_pending(job_id))
            if lack is not None and not (job.wait_reason or "").startswith(OVER_LIMIT):
                return False  # it was told when it began to wait for that
            with self._database.transaction() as tx:
                is_waiting = self._jobs.get(job_id).status == "backlogged"
                return is_waiting and self.let_in(tx, job_id).status == "queued"
        except QueueError as error:
            self._give_up(job_id, error)
            return False

    def _give_up(self, job_id: str, error: QueueError) -> None:
        """It could have gone on, but its owner cannot pay for it."""
        log.info("job %s leaves the backlog: %s", job_id, error)
        with self._database.transaction() as tx:
            if self._jobs.get(job_id).status != "backlogged":
                return
            for each in self._list_pending(job_id):
                self._work.cancel_waiting(tx, each.generation_id, EXECUTE)
                self._generations.set_status(tx, each.generation_id, "failed", error=error_object(error))
            self._closer.close_if_ended(tx, job_id)

    def _list_pending(self, job_id: str) -> list[Generation]:
        return [each for each in self._generations.list_of_job(job_id) if each.status == "pending"]


class NoCharges:
    """Nothing costs anything."""

    def find_lack(self, job: Job, runs: Sequence[Run | Generation]) -> str | None:
        """Nothing is lacking."""

    def reserve(self, tx: Transaction, job: Job, generation: Generation) -> None:
        """Nothing is kept back."""

    def reserve_more(self, tx: Transaction, job: Job, generation: Generation) -> None:
        """Nothing is kept back."""


def without_priority(folder: PurePosixPath) -> PurePosixPath:
    """A folder below inbox/ without the parts of its path that only say how urgent its jobs are."""
    return PurePosixPath(*(each for each in folder.parts if each.casefold() not in PRIORITY_FOLDERS))


def _about(wait_s: float | None) -> str:
    """A wait as people say it."""
    if wait_s is None:
        return ""
    return f", about {max(1, round(wait_s))} s" if wait_s < 90 else f", about {round(wait_s / 60)} min"


def with_limits(limits: Limits, folder: PurePosixPath, plan: JobPlan, extra: int) -> JobPlan:
    """The plan with the owner and the priority that it gets; `extra` is what its folder adds to that."""
    job = plan.job
    owner = limits.owner_of(without_priority(folder), job.owner)
    base = job.priority if "priority" in job.model_fields_set else limits.priority_of(owner, None)[0]
    priority, warning = limits.priority_of(owner, max(-100, min(100, base + extra)))
    changed = job.model_copy(update={"owner": owner, "priority": priority})
    return JobPlan(changed, plan.endpoint, plan.mode, plan.runs, (warning,) if warning else ())
