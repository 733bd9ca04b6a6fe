"""The end of a job: once its last generation has ended, its status is decided and its result delivered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hotfolder.database import Database, Transaction
from hotfolder.domain.generation import ENDED, ended_job_status
from hotfolder.domain.work import NewWork
from hotfolder.errors import HotfolderError, Problem
from hotfolder.library.generations import GenerationStore
from hotfolder.library.jobs import JobStore
from hotfolder.queue.store import WorkStore

DELIVER_RESULT = "delivery.result"
DELIVERY_ATTEMPTS = 20


class JobCloser:
    """Ends jobs inside the transaction that ended their last generation."""

    def __init__(
        self, database: Database, jobs: JobStore, generations: GenerationStore, work: WorkStore
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._generations = generations
        self._work = work

    def close_if_ended(self, tx: Transaction, job_id: str, actor: str | None = None) -> None:
        """End the job when no generation of it is still to come."""
        job = self._jobs.get(job_id)
        generations = self._generations.list_of_job(job_id)
        status = ended_job_status(
            (each.status for each in generations), cancel_requested=job.cancel_requested
        )
        if status is None:
            return
        failed = next((each.error for each in generations if each.error), None)
        self._jobs.set_status(tx, job_id, status, error=failed if status == "failed" else None, actor=actor)
        self.deliver(tx, job_id)

    def refuse(self, tx: Transaction, job_id: str, error: Mapping[str, Any]) -> None:
        """End a job that was never accepted."""
        self._jobs.set_status(tx, job_id, "failed", error=error)
        self.deliver(tx, job_id)

    def withdraw(self, tx: Transaction, job_id: str, actor: str | None = None) -> None:
        """End a job whose file somebody took away before it was taken in."""
        error = HotfolderError("Cancelled before it was taken in.", code="queue.cancelled")
        self._jobs.request_cancel(tx, job_id)
        self._jobs.set_status(tx, job_id, "cancelled", error=error_object(error), actor=actor)
        self.deliver(tx, job_id)

    def deliver_if_ended(self, job_id: str) -> None:
        """Queue the result once more for a file that turned out to stand for an ended job."""
        with self._database.transaction() as tx:
            if self._jobs.get(job_id).status in ENDED:
                self.deliver(tx, job_id)

    def deliver(self, tx: Transaction, job_id: str) -> None:
        """Queue the result file of an ended job."""
        job = self._jobs.get(job_id)
        work = NewWork(
            DELIVER_RESULT,
            "io",
            {"jobId": job_id, "run": job.run},
            "delivery",
            job_id,
            max_attempts=DELIVERY_ATTEMPTS,
            since=job.created_at,
        )
        self._work.enqueue(tx, work)


def error_object(error: HotfolderError, problems: list[Problem] | None = None) -> dict[str, Any]:
    """An error as it stands in result files."""
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "problems": [
            {
                "code": each.code,
                "line": each.line,
                "column": each.column,
                "path": each.path,
                "message": each.message,
                "hint": each.hint,
            }
            for each in problems or []
        ],
    }
