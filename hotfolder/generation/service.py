"""The use case: a claimed job file is accepted, refused, or answered with what its id stands for already."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from hotfolder.database import Database
from hotfolder.domain.document import Node, child, to_plain
from hotfolder.domain.generation import ENDED, RETRYABLE
from hotfolder.domain.instants import derived_id, is_uuid
from hotfolder.domain.plan import JobPlan
from hotfolder.errors import JobFileError, Problem, QueueError
from hotfolder.events import FILE_MANAGER
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.generation.checking import Checked, JobChecker
from hotfolder.generation.claimed import Accepted, ClaimedFile, Split, Waiting, stands_still
from hotfolder.generation.closing import JobCloser, error_object
from hotfolder.generation.description import (
    as_it_is_now,
    content_sha256,
    describe,
    received,
    waits_as,
)
from hotfolder.generation.finding import Beside
from hotfolder.generation.identity import read_identity
from hotfolder.generation.moderating import Judgement, PromptLog
from hotfolder.generation.references import Acceptance, AcceptedReference, ReferenceDesk
from hotfolder.generation.runs import RunBook
from hotfolder.generation.splitting import split_documents
from hotfolder.generation.waiting import WaitingBook
from hotfolder.library.jobs import Job, JobStore

log = logging.getLogger(__name__)


class GenerationService:
    """Takes job files in; what a file leads to is written in one transaction."""

    def __init__(
        self,
        database: Database,
        paths: LibraryPaths,
        jobs: JobStore,
        runs: RunBook,
        closer: JobCloser,
        desk: ReferenceDesk,
        checker: JobChecker,
        waiting: WaitingBook,
        prompts: PromptLog | None = None,
    ) -> None:
        self._database = database
        self._paths = paths
        self._jobs = jobs
        self._runs = runs
        self._closer = closer
        self._desk = desk
        self._checker = checker
        self._waiting = waiting
        self._prompts = prompts

    def take_in(
        self, claimed: ClaimedFile, is_arriving: Callable[[Path], bool] = stands_still
    ) -> Accepted | Waiting | Split:
        """Accept, refuse, keep waiting or split a claimed file; repeatable after a crash at any point."""
        try:
            return self._take_in(claimed, is_arriving)
        except JobFileError as error:
            return self.refuse(claimed, error)
        except QueueError as error:  # what it costs is more than its owner has
            problem = Problem(error.code, error.message, error.hint or "", 1, 1)
            return self.refuse(claimed, JobFileError([problem]))

    def _take_in(
        self, claimed: ClaimedFile, is_arriving: Callable[[Path], bool]
    ) -> Accepted | Waiting | Split:
        checked = self._checker.check(claimed.data, claimed.document_format, claimed.folder)
        self._log_prompts(claimed.job_id, [each for each in checked.judgements if each and each.problems])
        if len(checked.nodes) > 1:
            return self._split(claimed, checked, is_arriving)
        beside = Beside(self._paths.inbox / claimed.folder, claimed.bundle, is_arriving)
        plan, node = checked.plans[0], checked.written[0]
        if isinstance(plan, list):
            raise JobFileError(plan + self._checker.check_references(checked, beside))
        existing = self._find_existing(claimed, plan.job.id)
        if existing is not None and existing.job_id == claimed.job_id and existing.status in ENDED:
            return Accepted(existing.job_id)  # it waited, and was cancelled
        if existing is not None and existing.status not in RETRYABLE and not waits_as(existing, claimed):
            return self._answer_repeat(existing, node)
        before = self._runs.list_accepted(existing.job_id) if existing is not None else []
        acceptance = self._desk.accept_all(
            plan.job.refs,
            checked.nodes[0],
            replace(beside, gives_hints=False),
            plan.endpoint.limits.refs,
            before or [],
        )
        if acceptance.problems:
            until = self._waiting.find_limit(existing, acceptance)
            if until is None:
                raise JobFileError(self._explain(checked, beside, acceptance))
            return self._waiting.enter(claimed, existing, plan, node, acceptance, until)
        used = {each.source: each.sha256 for each in acceptance.references if each.source is not None}
        admitted = self._admit(claimed, existing, plan, node, acceptance.references)
        self._log_prompts(admitted, checked.judgements)
        return Accepted(admitted, used)

    def _log_prompts(self, job_id: str, judgements: Sequence[Judgement | None]) -> None:
        for each in judgements:
            if each is not None and self._prompts is not None:
                self._prompts.write(job_id, each)

    def _admit(
        self,
        claimed: ClaimedFile,
        existing: Job | None,
        plan: JobPlan,
        node: Node,
        references: list[AcceptedReference],
    ) -> str:
        """Queue the pictures of a new job, of one that waited, or of one that runs again."""
        if existing is None:
            return self._accept(claimed, plan, references, node)
        if existing.status == "waiting_refs":
            return self._waiting.leave(existing, claimed, plan, references, node)
        actor = FILE_MANAGER if claimed.again is not None else None
        return self._run_again(as_it_is_now(existing, claimed, plan, node), plan, references, actor)

    def _find_existing(self, claimed: ClaimedFile, own_id: str | None) -> Job | None:
        if claimed.again is not None:
            return self._jobs.get(claimed.again)
        return self._jobs.find(claimed.job_id) or self._find_own(own_id)

    def _explain(self, checked: Checked, beside: Beside, acceptance: Acceptance) -> list[Problem]:
        """The problems, now with the names that are near those that are missing."""
        paths = {each.path for each in acceptance.problems}
        told = self._checker.check_references(checked, beside) if acceptance.missing else []
        return [each for each in told if each.path in paths] or checked.context.explain(
            checked.written[0], acceptance.problems
        )

    def _split(self, claimed: ClaimedFile, checked: Checked, is_arriving: Callable[[Path], bool]) -> Split:
        if claimed.bundle is not None:
            message = f"The job file of this bundle holds {len(checked.nodes)} jobs; a bundle is one job."
            raise JobFileError([Problem("job.bundle_refused", message, "Make a bundle of each job.", 1, 1)])
        atomic = _is_atomic(checked.nodes[0])
        if atomic:
            may_wait = is_arriving if self._waiting.is_allowed else stands_still
            beside = Beside(
                self._paths.inbox / claimed.job_file.parent,
                is_arriving=may_wait,
                gives_hints=bool(checked.problems) or not self._waiting.is_allowed,
            )
            problems = checked.problems + self._checker.check_references(checked, beside)
        else:
            problems = [each for each in checked.problems if each.code == "job.too_large"]
        if any(each.code != "job.ref_missing" for each in problems) or (
            problems and not self._waiting.is_allowed
        ):
            raise JobFileError(problems)
        log.info("%s holds %d jobs", display_text(str(claimed.job_file)), len(checked.nodes))
        texts = split_documents(claimed.data, claimed.document_format, checked.written)
        stem, extension = PurePosixPath(claimed.name).stem, PurePosixPath(claimed.name).suffix
        return Split(
            [
                (derived_id(claimed.job_id, str(number)), f"{stem}.{number}{extension}", text)
                for number, text in enumerate(texts, 1)
            ]
        )

    def _find_own(self, own_id: str | None) -> Job | None:
        """The job that a submitter's id stands for."""
        if own_id is None:
            return None
        return self._jobs.find(own_id.lower()) if is_uuid(own_id) else self._jobs.find_by_key(own_id)

    def _answer_repeat(self, existing: Job, node: Node) -> Accepted:
        """The same id again: the earlier result answers; another job under a used id is refused."""
        if existing.content_sha256 != content_sha256(node):
            own_id = existing.submit_key or existing.job_id
            message = f"The id `{own_id}` belongs to another job already ({existing.status})."
            place = child(node, "id") or node
            raise JobFileError(
                [Problem("job.duplicate_id", message, "Choose a new id.", place.line, place.column, "id")]
            )
        log.info("job %s was dropped again; its result answers", existing.job_id)
        return Accepted(existing.job_id, is_repeat=True)

    def _accept(
        self, claimed: ClaimedFile, plan: JobPlan, references: list[AcceptedReference], node: Node
    ) -> str:
        with self._database.transaction() as tx:
            job = describe(received(claimed, plan.job.id, tx.at), node, plan)
            self._jobs.insert(tx, job)
            self._runs.begin(tx, job, plan, references)
        log.info("job %s accepted: %s (%d pictures)", job.job_id, job.job_file, len(plan.runs))
        return job.job_id

    def _run_again(
        self, job: Job, plan: JobPlan, references: list[AcceptedReference], actor: str | None
    ) -> str:
        with self._database.transaction() as tx:
            if self._jobs.get(job.job_id).status not in RETRYABLE:  # `jobs retry` was quicker
                return job.job_id
            kept = self._runs.begin(tx, job, plan, references, actor)
        log.info("job %s runs again (%d of %d pictures kept)", job.job_id, kept, len(plan.runs))
        return job.job_id

    def withdraw(self, claimed: ClaimedFile) -> Accepted:
        """End the job of a file that was removed from processing/ before it was read, or while it waited."""
        with self._database.transaction() as tx:
            existing = self._jobs.find(claimed.job_id)
            if existing is None:
                self._jobs.insert(tx, received(claimed, None, tx.at))
            if existing is None or existing.status == "waiting_refs":
                self._closer.withdraw(tx, claimed.job_id, FILE_MANAGER)
        return Accepted(claimed.job_id)

    def refuse(self, claimed: ClaimedFile, error: JobFileError) -> Accepted:
        """End a job that cannot be accepted; it keeps the submitter's id and extra where they can be read."""
        limit = self._checker.max_job_bytes
        identity = read_identity(claimed.data, claimed.document_format, limit)
        existing = self._find_existing(claimed, identity.own_id)
        text = claimed.data[:limit]
        waits = existing is not None and waits_as(existing, claimed)
        is_again = existing is not None and existing.status in RETRYABLE and existing.job_id == claimed.again
        told = error_object(error, error.problems)
        is_same = existing is not None and existing.text == text and _codes(existing.error) == _codes(told)
        if existing is not None and not waits and existing.status in RETRYABLE and is_same:
            return Accepted(existing.job_id, is_repeat=True)  # refused before, or dropped again unmended
        with self._database.transaction() as tx:
            if existing is not None and (waits or is_again):
                job = replace(existing, text=text, extra=identity.extra or existing.extra)
                if is_again:
                    self._jobs.begin_again(tx, job, FILE_MANAGER)
                self._jobs.set_waiting(tx, job.job_id, (), None)
            else:
                own_id = identity.own_id if existing is None else None
                owner = self._checker.owner_of(claimed.folder, identity.owner)
                job = replace(received(claimed, own_id, tx.at), text=text, extra=identity.extra, owner=owner)
                self._jobs.insert(tx, job)
            self._closer.refuse(tx, job.job_id, told)
        log.info("job file %s refused: %s", job.job_file, error)
        return Accepted(job.job_id)


def _codes(error: Mapping[str, Any] | None) -> list[str]:
    """What is wrong, in short."""
    return [str(each["code"]) for each in (error or {}).get("problems", ())]


def _is_atomic(node: Node) -> bool:
    plain = to_plain(node)
    return not (isinstance(plain, dict) and plain.get("atomic") is False)
