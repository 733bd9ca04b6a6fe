"""Control of jobs: cancel what waits or runs, and try again what has ended without success."""

from __future__ import annotations

import logging
import os
from pathlib import Path, PurePosixPath
from typing import Any

from hotfolder.database import Database
from hotfolder.domain.document import format_of
from hotfolder.domain.generation import ENDED, RETRYABLE
from hotfolder.errors import HotfolderError, JobFileError
from hotfolder.files.names import claim_name
from hotfolder.files.paths import LibraryPaths
from hotfolder.generation.closing import JobCloser, error_object
from hotfolder.generation.execute import EXECUTE
from hotfolder.generation.references import AcceptedReference, ReferenceDesk
from hotfolder.generation.runs import RunBook
from hotfolder.generation.service import GenerationService, describe
from hotfolder.library.generations import GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.queue.store import WorkStore

log = logging.getLogger(__name__)


class JobControl:
    """Works on the database alone, so that any process may use it; a sidecar makes wishes so."""

    def __init__(
        self,
        database: Database,
        paths: LibraryPaths,
        jobs: JobStore,
        generations: GenerationStore,
        work: WorkStore,
        runs: RunBook,
        closer: JobCloser,
        desk: ReferenceDesk,
        service: GenerationService,
    ) -> None:
        self._database = database
        self._paths = paths
        self._jobs = jobs
        self._generations = generations
        self._work = work
        self._runs = runs
        self._closer = closer
        self._desk = desk
        self._service = service

    def cancel(self, job_id: str, actor: str) -> Job:
        """Cancel what waits at once, and wish that what runs is stopped; raises for an ended job."""
        with self._database.transaction() as tx:
            job = self._jobs.get(job_id)
            if job.status in ENDED:
                raise HotfolderError(
                    f"Job {job_id} has ended already ({job.status}).",
                    code="job.already_ended",
                    hint="Only jobs that wait or run can be cancelled.",
                )
            self._jobs.request_cancel(tx, job_id)
            error = error_object(HotfolderError("Cancelled before it started.", code="queue.cancelled"))
            for generation in self._generations.list_of_job(job_id):
                self._work.request_cancel(tx, generation.generation_id, EXECUTE)
                if self._work.cancel_waiting(tx, generation.generation_id, EXECUTE):
                    self._generations.set_status(tx, generation.generation_id, "cancelled", error=error)
            self._closer.close_if_ended(tx, job_id, actor)
            if self._jobs.get(job_id).status not in (*ENDED, "cancelling"):
                self._jobs.set_status(tx, job_id, "cancelling", actor=actor)
        return self._jobs.get(job_id)

    def withdraw(self, job_id: str, file: Path, owner: str | None, actor: str) -> Job:
        """Cancel a job whose file nobody has claimed yet: claim it, and end it as cancelled.

        Raises FileNotFoundError when the inbox was quicker.
        """
        text = file.read_bytes()
        os.rename(file, self._paths.processing / claim_name(job_id, file.name))  # noqa: PTH104 - as the inbox does
        relative = file.relative_to(self._paths.inbox).as_posix()
        with self._database.transaction() as tx:
            if not self._jobs.is_known(job_id):
                self._jobs.insert(tx, Job(job_id, "received", relative, file.name, text, tx.at, owner=owner))
                self._jobs.request_cancel(tx, job_id)
                self._jobs.set_status(tx, job_id, "cancelled", error=_withdrawn(), actor=actor)
                self._closer.deliver(tx, job_id)
        return self._jobs.get(job_id)

    def retry(self, job_id: str, actor: str) -> Job:
        """Run an ended job again from its stored text; what completed is not run again."""
        job = self._get_retryable(job_id)
        checked = self._service.check(job.text, format_of(job.file_name) or "yaml")
        if len(checked.nodes) > 1:
            raise _no_single_job(job)
        plan = checked.plans[0]
        if isinstance(plan, list):
            raise JobFileError(plan)
        references = self._accepted_before(job)
        if references is None:
            folder = self._paths.inbox / PurePosixPath(job.job_file).parent
            limit = plan.endpoint.limits.refs
            references, problems = self._desk.accept_all(plan.job.refs, checked.nodes[0], folder, limit)
            if problems:
                raise JobFileError(problems)
        with self._database.transaction() as tx:
            job = self._get_retryable(job_id)  # somebody else may have been quicker
            described = describe(job, checked.nodes[0], plan)
            kept = self._runs.run_again(tx, described, plan, references, actor)
        log.info("job %s is tried again (%d pictures kept)", job_id, kept)
        return self._jobs.get(job_id)

    def _get_retryable(self, job_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job.status not in RETRYABLE:
            raise HotfolderError(
                f"Job {job_id} is {job.status}; only failed, cancelled and partly completed jobs run again.",
                code="job.not_retryable",
                hint="Submit the job file again to make more pictures.",
            )
        if (job.error or {}).get("code") == "job.too_large":  # its text was not kept whole
            raise _no_single_job(job)
        return job

    def _accepted_before(self, job: Job) -> list[AcceptedReference] | None:
        """The references as they were accepted in an earlier run; None when there was none."""
        generations = self._generations.list_of_job(job.job_id)
        if not generations:
            return None
        return [
            AcceptedReference(each.sha256, each.file_path, each.original_name or "", each.role, each.media_id)
            for each in self._generations.list_inputs(generations[0].generation_id)
        ]


def _withdrawn() -> dict[str, Any]:
    return error_object(HotfolderError("Cancelled before it was taken in.", code="queue.cancelled"))


def _no_single_job(job: Job) -> HotfolderError:
    """A file that was refused as a whole is no job yet: it has to come through the inbox."""
    return HotfolderError(
        f"Job {job.job_id} stands for the file {job.file_name}, which was refused as a whole.",
        code="job.not_retryable",
        hint=f"Mend the file and move it from {job.final_path or 'failed/'} back into inbox/.",
    )
