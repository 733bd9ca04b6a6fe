"""Jobs that wait for references: their rows while they do, and when they stop."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from hotfolder.clock import Clock
from hotfolder.database import Database, Transaction
from hotfolder.domain.document import Node
from hotfolder.domain.instants import format_instant, parse_instant
from hotfolder.domain.plan import JobPlan
from hotfolder.events import FILE_MANAGER
from hotfolder.files.names import display_text
from hotfolder.generation.claimed import ClaimedFile, Waiting
from hotfolder.generation.description import as_it_is_now, describe, received
from hotfolder.generation.references import Acceptance, AcceptedReference, name_of
from hotfolder.generation.runs import RunBook
from hotfolder.library.jobs import Job, JobStore

log = logging.getLogger(__name__)

_COPY_TIME: Final = timedelta(minutes=1)
"""At least so long may a reference be in the writing, whatever the patience for missing ones."""


class WaitingBook:
    """Writes `waiting_refs` rows; who looks again, and when, is not decided here."""

    def __init__(
        self, database: Database, jobs: JobStore, runs: RunBook, *, refs_timeout_s: float, clock: Clock
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._runs = runs
        self._refs_timeout = timedelta(seconds=refs_timeout_s)
        self._clock = clock

    @property
    def is_allowed(self) -> bool:
        """Whether jobs wait at all."""
        return bool(self._refs_timeout)

    def find_limit(self, existing: Job | None, acceptance: Acceptance) -> str | None:
        """Until when the job waits; None when more is wrong than missing references, or its time is over."""
        longest = self._refs_timeout
        if acceptance.is_arriving:  # it is there: that is no question of patience
            longest = max(longest, _COPY_TIME)
        now = self._clock()
        until: str | None = format_instant(now + longest)
        if existing is not None and existing.status == "waiting_refs":
            until = existing.waits_until
        if not acceptance.may_wait or not longest or until is None or until <= format_instant(now):
            return None
        return until

    def enter(
        self,
        claimed: ClaimedFile,
        existing: Job | None,
        plan: JobPlan,
        node: Node,
        acceptance: Acceptance,
        until: str,
    ) -> Waiting:
        """A job that lacks nothing but references gets its row, or keeps it."""
        with self._database.transaction() as tx:
            job_id = self._enter_waiting(tx, claimed, existing, plan, node)
            self._jobs.set_waiting(tx, job_id, acceptance.missing, until)
        if existing is None or existing.status != "waiting_refs":
            log.info("job %s waits for %s", job_id, ", ".join(map(display_text, acceptance.missing)))
        remaining_s = (parse_instant(until) - self._clock()).total_seconds()
        names = [name_of(each) for each in plan.job.refs]
        return Waiting(job_id, acceptance.missing, names, remaining_s, acceptance.is_arriving)

    def _enter_waiting(
        self, tx: Transaction, claimed: ClaimedFile, existing: Job | None, plan: JobPlan, node: Node
    ) -> str:
        if existing is None:
            job = describe(received(claimed, plan.job.id, tx.at), node, plan)
            self._jobs.insert(tx, job)
            self._jobs.set_status(tx, job.job_id, "waiting_refs")
            return job.job_id
        if existing.status != "waiting_refs":
            actor = FILE_MANAGER if claimed.again is not None else None
            self._jobs.begin_again(tx, as_it_is_now(existing, claimed, plan, node), actor, "waiting_refs")
        return existing.job_id

    def leave(
        self,
        existing: Job,
        claimed: ClaimedFile,
        plan: JobPlan,
        references: list[AcceptedReference],
        node: Node,
    ) -> str:
        """Queue the pictures of a job that has all its references now."""
        job_id = existing.job_id
        with self._database.transaction() as tx:
            if self._jobs.get(job_id).status == "waiting_refs":  # else it was cancelled meanwhile
                self._jobs.describe_again(tx, as_it_is_now(existing, claimed, plan, node))
                self._jobs.set_waiting(tx, job_id, (), None)
                self._runs.begin(tx, self._jobs.get(job_id), plan, references)
        log.info("job %s has all its references (%d pictures)", job_id, len(plan.runs))
        return job_id
