"""The use case: a claimed job file is accepted, refused, or answered with what its id stands for already."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path, PurePosixPath
from typing import Final

from hotfolder.clock import Clock
from hotfolder.database import Database, Transaction
from hotfolder.domain.document import DocumentFormat, Node, child, format_of, to_plain
from hotfolder.domain.generation import ENDED, RETRYABLE
from hotfolder.domain.instants import derived_id, format_instant, is_uuid, parse_instant
from hotfolder.domain.plan import JobPlan
from hotfolder.errors import JobFileError, Problem
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.generation.checking import Checked, JobChecker
from hotfolder.generation.closing import JobCloser, error_object
from hotfolder.generation.finding import Beside
from hotfolder.generation.identity import read_identity
from hotfolder.generation.references import Acceptance, AcceptedReference, ReferenceDesk, name_of
from hotfolder.generation.runs import RunBook
from hotfolder.generation.splitting import split_documents
from hotfolder.library.jobs import Job, JobStore

log = logging.getLogger(__name__)


_COPY_TIME: Final = timedelta(minutes=1)
"""At least so long may a reference be in the writing, whatever the patience for missing ones."""


def _stands_still(path: Path) -> bool:  # noqa: ARG001 - nobody writes where nobody watches
    return False


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """A job file in processing/: under which id, and where it lay below inbox/.

    Of a bundle, `data` and `text_name` are those of the job file in it, and `bundle` is where its files are.
    `again` is the ended job whose file was dragged back for another run.
    """

    job_id: str
    name: str
    job_file: PurePosixPath
    data: bytes
    text_name: str | None = None
    bundle: Path | None = None
    again: str | None = None

    @property
    def folder(self) -> PurePosixPath:
        """What its references are relative to, below inbox/: a bundle is a folder of its own."""
        return self.job_file.parent if self.bundle is None else self.job_file

    @property
    def document_format(self) -> DocumentFormat:
        """How the text is read."""
        return format_of(self.text_name or self.name) or "yaml"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The file stands for this job, `is_repeat`: beside another one; `used` are the pictures it takes."""

    job_id: str
    used: Mapping[Path, str] = field(default_factory=dict)
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """The job has a row, and waits for the references that it lacks; `names` are all that it has.

    `is_arriving` says that somebody is writing one of them just now.
    """

    job_id: str
    lacks: Sequence[str]
    names: Sequence[str]
    remaining_s: float
    is_arriving: bool


@dataclass(frozen=True, slots=True)
class Split:
    """The file holds several jobs; each becomes a file of its own: (id, name, data)."""

    parts: Sequence[tuple[str, str, bytes]]


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
        *,
        refs_timeout_s: float,
        clock: Clock,
    ) -> None:
        self._database = database
        self._paths = paths
        self._jobs = jobs
        self._runs = runs
        self._closer = closer
        self._desk = desk
        self._checker = checker
        self._refs_timeout = timedelta(seconds=refs_timeout_s)
        self._clock = clock

    def take_in(
        self, claimed: ClaimedFile, is_arriving: Callable[[Path], bool] = _stands_still
    ) -> Accepted | Waiting | Split:
        """Accept, refuse, keep waiting or split a claimed file; repeatable after a crash at any point."""
        try:
            return self._take_in(claimed, is_arriving)
        except JobFileError as error:
            return self.refuse(claimed, error)

    def _take_in(
        self, claimed: ClaimedFile, is_arriving: Callable[[Path], bool]
    ) -> Accepted | Waiting | Split:
        checked = self._checker.check(claimed.data, claimed.document_format, claimed.folder)
        if len(checked.nodes) > 1:
            return self._split(claimed, checked, is_arriving)
        beside = Beside(self._paths.inbox / claimed.folder, claimed.bundle, is_arriving)
        plan, node = checked.plans[0], checked.written[0]
        if isinstance(plan, list):
            raise JobFileError(plan + self._checker.check_references(checked, beside))
        existing = self._find_existing(claimed, plan.job.id)
        if existing is not None and existing.job_id == claimed.job_id and existing.status in ENDED:
            return Accepted(existing.job_id)  # it waited, and was cancelled
        if existing is not None and existing.status not in RETRYABLE and not _waits_as(existing, claimed):
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
            until = self._wait_until(existing, acceptance)
            if until is None:
                raise JobFileError(self._explain(checked, beside, acceptance))
            return self._wait(claimed, existing, plan, node, acceptance, until)
        used = {each.source: each.sha256 for each in acceptance.references if each.source is not None}
        admitted = self._admit(claimed, existing, plan, node, acceptance.references)
        return Accepted(admitted, used)

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
            return self._end_waiting(existing, claimed, plan, references, node)
        return self._run_again(self._as_it_is_now(existing, claimed, plan, node), plan, references)

    def _find_existing(self, claimed: ClaimedFile, own_id: str | None) -> Job | None:
        if claimed.again is not None:
            return self._jobs.get(claimed.again)
        return self._jobs.find(claimed.job_id) or self._find_own(own_id)

    def _as_it_is_now(self, existing: Job, claimed: ClaimedFile, plan: JobPlan, node: Node) -> Job:
        new = _received(claimed, None, existing.created_at)
        again = replace(
            existing, text=new.text, text_name=new.text_name, job_file=new.job_file, file_name=new.file_name
        )
        return describe(again, node, plan)

    def _wait_until(self, existing: Job | None, acceptance: Acceptance) -> str | None:
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

    def _explain(self, checked: Checked, beside: Beside, acceptance: Acceptance) -> list[Problem]:
        """The problems, now with the names that are near those that are missing."""
        paths = {each.path for each in acceptance.problems}
        told = self._checker.check_references(checked, beside) if acceptance.missing else []
        return [each for each in told if each.path in paths] or checked.context.explain(
            checked.written[0], acceptance.problems
        )

    def _wait(
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
            job = describe(_received(claimed, plan.job.id, tx.at), node, plan)
            self._jobs.insert(tx, job)
            self._jobs.set_status(tx, job.job_id, "waiting_refs")
            return job.job_id
        if existing.status != "waiting_refs":
            self._jobs.begin_again(
                tx, self._as_it_is_now(existing, claimed, plan, node), status="waiting_refs"
            )
        return existing.job_id

    def _end_waiting(
        self,
        existing: Job,
        claimed: ClaimedFile,
        plan: JobPlan,
        references: list[AcceptedReference],
        node: Node,
    ) -> str:
        job_id = existing.job_id
        with self._database.transaction() as tx:
            if self._jobs.get(job_id).status == "waiting_refs":  # else it was cancelled meanwhile
                self._jobs.describe_again(tx, self._as_it_is_now(existing, claimed, plan, node))
                self._jobs.set_waiting(tx, job_id, (), None)
                self._jobs.set_status(tx, job_id, "queued")
                self._runs.enqueue_all(tx, existing, plan, references)
        log.info("job %s has all its references (%d pictures)", job_id, len(plan.runs))
        return job_id

    def _split(self, claimed: ClaimedFile, checked: Checked, is_arriving: Callable[[Path], bool]) -> Split:
        if claimed.bundle is not None:
            message = f"The job file of this bundle holds {len(checked.nodes)} jobs; a bundle is one job."
            raise JobFileError([Problem("job.bundle_refused", message, "Make a bundle of each job.", 1, 1)])
        atomic = _is_atomic(checked.nodes[0])
        if atomic:
            may_wait = is_arriving if self._refs_timeout else _stands_still
            beside = Beside(self._paths.inbox / claimed.job_file.parent, is_arriving=may_wait)
            problems = checked.problems + self._checker.check_references(checked, beside)
        else:
            problems = [each for each in checked.problems if each.code == "job.too_large"]
        if any(each.code != "job.ref_missing" for each in problems) or (problems and not self._refs_timeout):
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
        if existing.content_sha256 != _content_sha256(node):
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
            job = describe(_received(claimed, plan.job.id, tx.at), node, plan)
            self._jobs.insert(tx, job)
            self._jobs.set_status(tx, job.job_id, "queued")
            self._runs.enqueue(tx, job.job_id, plan, references)
        log.info("job %s accepted: %s (%d pictures)", job.job_id, job.job_file, len(plan.runs))
        return job.job_id

    def _run_again(self, job: Job, plan: JobPlan, references: list[AcceptedReference]) -> str:
        with self._database.transaction() as tx:
            if self._jobs.get(job.job_id).status not in RETRYABLE:  # `jobs retry` was quicker
                return job.job_id
            kept = self._runs.run_again(tx, job, plan, references)
        log.info("job %s runs again (%d of %d pictures kept)", job.job_id, kept, len(plan.runs))
        return job.job_id

    def withdraw(self, claimed: ClaimedFile) -> Accepted:
        """End the job of a file that was removed from processing/ before it was read, or while it waited."""
        with self._database.transaction() as tx:
            existing = self._jobs.find(claimed.job_id)
            if existing is None:
                self._jobs.insert(tx, _received(claimed, None, tx.at))
            if existing is None or existing.status == "waiting_refs":
                self._closer.withdraw(tx, claimed.job_id)
        return Accepted(claimed.job_id)

    def refuse(self, claimed: ClaimedFile, error: JobFileError) -> Accepted:
        """End a job that cannot be accepted; it keeps the submitter's id and extra where they can be read."""
        limit = self._checker.max_job_bytes
        identity = read_identity(claimed.data, claimed.document_format, limit)
        existing = self._find_existing(claimed, identity.own_id)
        text = claimed.data[:limit]
        waits = existing is not None and _waits_as(existing, claimed)
        is_again = existing is not None and existing.status in RETRYABLE and existing.job_id == claimed.again
        if existing is not None and not waits and existing.status in RETRYABLE and existing.text == text:
            return Accepted(existing.job_id, is_repeat=True)  # refused before, or dropped again unmended
        with self._database.transaction() as tx:
            if existing is not None and (waits or is_again):
                job = replace(existing, text=text, extra=identity.extra or existing.extra)
                if is_again:
                    self._jobs.begin_again(tx, job)
                self._jobs.set_waiting(tx, job.job_id, (), None)
            else:
                own_id = identity.own_id if existing is None else None
                job = replace(_received(claimed, own_id, tx.at), text=text, extra=identity.extra)
                self._jobs.insert(tx, job)
            self._closer.refuse(tx, job.job_id, error_object(error, error.problems))
        log.info("job file %s refused: %s", job.job_file, error)
        return Accepted(job.job_id)


def _received(claimed: ClaimedFile, own_id: str | None, at: str) -> Job:
    """A new job of a file; a UUID of the submitter becomes its id, any other text its key."""
    is_job_id = own_id is not None and is_uuid(own_id)
    return Job(
        job_id=own_id.lower() if own_id is not None and is_job_id else claimed.job_id,
        status="received",
        job_file=display_text(str(claimed.job_file)),
        file_name=display_text(claimed.name),
        text=claimed.data,
        created_at=at,
        submit_key=None if is_job_id else own_id,
        text_name=claimed.text_name,
    )


def _waits_as(job: Job, claimed: ClaimedFile) -> bool:
    """Whether the job waits for references, and this is its file."""
    return job.status == "waiting_refs" and job.job_id in (claimed.job_id, claimed.again)


def describe(job: Job, node: Node, plan: JobPlan) -> Job:
    """The job with everything that its file says of it."""
    return replace(
        job,
        content_sha256=_content_sha256(node),
        endpoint_key=plan.endpoint.endpoint_key,
        title=plan.job.title,
        owner=plan.job.owner,
        priority=plan.job.priority,
        max_attempts=plan.job.max_attempts,
        keywords=tuple(plan.job.keywords),
        metadata=plan.job.metadata.model_dump(exclude_none=True),
        extra=plan.job.extra,
    )


def _is_atomic(node: Node) -> bool:
    plain = to_plain(node)
    return not (isinstance(plain, dict) and plain.get("atomic") is False)


def _content_sha256(node: Node) -> str:
    """Of the meaning of a job: comments and layout do not count."""
    text = json.dumps(to_plain(node), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
