"""Control of jobs: cancel what waits or runs, and try again what has ended without success."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from hotfolder.database import Database
from hotfolder.domain.generation import AT_WORK, ENDED, RETRYABLE
from hotfolder.errors import HotfolderError, JobFileError
from hotfolder.files.names import claim_name
from hotfolder.files.paths import LibraryPaths
from hotfolder.generation.checking import JobChecker
from hotfolder.generation.closing import JobCloser, error_object
from hotfolder.generation.description import describe
from hotfolder.generation.entrance import Entrance
from hotfolder.generation.execute import EXECUTE
from hotfolder.generation.finding import Beside
from hotfolder.generation.references import ReferenceDesk
from hotfolder.generation.runs import RunBook
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
        entrance: Entrance,
        closer: JobCloser,
        desk: ReferenceDesk,
        checker: JobChecker,
    ) -> None:
        self._database = database
        self._paths = paths
        self._jobs = jobs
        self._generations = generations
        self._work = work
        self._runs = runs
        self._entrance = entrance
        self._closer = closer
        self._desk = desk
        self._checker = checker

    def cancel(self, job_id: str, actor: str) -> Job:
        """Cancel what waits at once, and wish that what runs is stopped; raises for an ended job."""
        with self._database.transaction() as tx:
            job = self._jobs.get(job_id)
            if job.status in ENDED:
                raise _ended(job)
            self._jobs.request_cancel(tx, job_id)
            error = error_object(HotfolderError("Cancelled before it started.", code="queue.cancelled"))
            for generation in self._generations.list_of_job(job_id):
                self._work.request_cancel(tx, generation.generation_id, EXECUTE)
                if self._work.cancel_waiting(tx, generation.generation_id, EXECUTE):
                    self._generations.set_status(tx, generation.generation_id, "cancelled", error=error)
            if job.status in ("waiting_refs", "received"):  # it has no pictures yet
                self._jobs.set_status(tx, job_id, "cancelled", error=error, actor=actor)
                self._closer.deliver(tx, job_id)
                return self._jobs.get(job_id)
            self._closer.close_if_ended(tx, job_id, actor)
            if self._jobs.get(job_id).status not in (*ENDED, "cancelling"):
                self._jobs.set_status(tx, job_id, "cancelling", actor=actor)
        return self._jobs.get(job_id)

    def hold(self, job_id: str, actor: str) -> Job:
        """Keep a job that waits from being run; one that still lacks something is held once it lacks nothing.

        Raises HotfolderError for a job that runs or has ended.
        """
        with self._database.transaction() as tx:
            job = self._jobs.get(job_id)
            subjects = [each.generation_id for each in self._generations.list_of_job(job_id)]
            self._check_waits(job, "be held")
            if not job.hold_requested:
                self._jobs.request_hold(tx, job_id, True, actor)
            if job.status in ("queued", "backlogged"):
                for each in subjects:
                    self._work.suspend(tx, each, EXECUTE)
                self._jobs.set_status(tx, job_id, "held", actor=actor, reason=f"held by {actor}")
        return self._jobs.get(job_id)

    def release(self, job_id: str, actor: str) -> Job:
        """Let a held job go on: into the queue, or to wait for its limits. Raises for one that has ended."""
        with self._database.transaction() as tx:
            job = self._jobs.get(job_id)
            if job.status in ENDED:
                raise _ended(job)
            if job.hold_requested:
                self._jobs.request_hold(tx, job_id, False, actor)
            if job.status in ("held", "backlogged"):
                self._entrance.let_in(tx, job_id, actor)
        return self._jobs.get(job_id)

    def prioritize(self, job_id: str, priority: int, actor: str) -> Job:
        """Give a job another priority, -100..100; what has not begun takes its new place in the queue."""
        if not -100 <= priority <= 100:
            raise HotfolderError(
                f"The priority {priority} is none.", code="job.invalid", hint="Give one from -100 to 100."
            )
        with self._database.transaction() as tx:
            job = self._jobs.get(job_id)
            if job.status in ENDED:
                raise _ended(job)
            if job.priority != priority:
                self._jobs.set_priority(tx, job_id, priority, actor)
                self._entrance.prioritized(tx, job_id)
                for generation in self._generations.list_of_job(job_id):
                    self._work.reprioritise(tx, generation.generation_id, priority)
        return self._jobs.get(job_id)

    def requeue(self, job_id: str, actor: str) -> Job:
        """Try dead work of a job again with all of its attempts; raises HotfolderError when none is dead."""
        dead = [each for each in self._work.list_of(job_id) if each.status == "dead"]
        has_dead_pictures = self._has_dead_pictures(job_id)
        if not dead and not has_dead_pictures:
            raise HotfolderError(
                f"No work of job {job_id} is dead.",
                code="job.not_dead",
                hint="Requeue is for work that used up its attempts; `jobs retry` runs a failed job again.",
            )
        with self._database.transaction() as tx:
            for each in dead:
                self._work.requeue(tx, each.work_id, actor)
        return self.retry(job_id, actor) if has_dead_pictures else self._jobs.get(job_id)

    def _has_dead_pictures(self, job_id: str) -> bool:
        subjects = [each.generation_id for each in self._generations.list_of_job(job_id)]
        return any(each.status == "dead" for subject in subjects for each in self._work.list_of(subject))

    def _check_waits(self, job: Job, what: str) -> None:
        """Raise for a job that runs or has ended; one with a picture in hand runs, whatever its row says."""
        if job.status in ENDED:
            raise _ended(job)
        items = [
            item
            for each in self._generations.list_of_job(job.job_id)
            for item in self._work.list_of(each.generation_id)
        ]
        if job.status in AT_WORK or any(item.status == "processing" for item in items):
            raise HotfolderError(
                f"Job {job.job_id} runs already; only jobs that wait can {what}.",
                code="job.running",
                hint="Cancel it, or pause the lane: what runs is finished then, and nothing else begun.",
            )

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
                self._closer.withdraw(tx, job_id, actor)
        return self._jobs.get(job_id)

    def retry(self, job_id: str, actor: str) -> Job:
        """Run an ended job again from its stored text; what completed is not run again."""
        job = self._get_retryable(job_id)
        checked = self._checker.check(job.text, job.document_format, job.folder)
        if len(checked.nodes) > 1:
            raise _no_single_job(job)
        plan = checked.plans[0]
        if isinstance(plan, list):
            raise JobFileError(plan)
        before = self._runs.list_accepted(job_id)
        if before is None and job.text_name is not None and plan.job.refs:
            raise _in_its_bundle(job)
        beside = Beside(self._paths.inbox / job.folder)
        limit = plan.endpoint.limits.refs
        acceptance = self._desk.accept_all(plan.job.refs, checked.nodes[0], beside, limit, before or [])
        if acceptance.problems:
            raise JobFileError(acceptance.problems)
        references = acceptance.references
        with self._database.transaction() as tx:
            job = self._get_retryable(job_id)  # somebody else may have been quicker
            described = describe(job, checked.written[0], plan)
            kept = self._runs.begin(tx, described, plan, references, actor)
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
        # Its text was not kept whole, or is that of several jobs.
        if (job.error or {}).get("code") == "job.too_large" or not job.text.strip():
            raise _no_single_job(job)
        return job


def _ended(job: Job) -> HotfolderError:
    return HotfolderError(
        f"Job {job.job_id} has ended already ({job.status}).",
        code="job.already_ended",
        hint="Only jobs that wait or run can be changed; `jobs retry` runs a failed one again.",
    )


def _in_its_bundle(job: Job) -> HotfolderError:
    return HotfolderError(
        f"The pictures that job {job.job_id} needs are in its bundle {job.file_name}.",
        code="job.not_retryable",
        hint=f"Move it from {job.final_path or 'failed/'} back into inbox/.",
    )


def _no_single_job(job: Job) -> HotfolderError:
    """A file that was refused as a whole is no job yet: it has to come through the inbox."""
    return HotfolderError(
        f"Job {job.job_id} stands for the file {job.file_name}, which was refused as a whole.",
        code="job.not_retryable",
        hint=f"Mend the file and move it from {job.final_path or 'failed/'} back into inbox/.",
    )
