"""The use case: a claimed job file is accepted, refused, or answered with what its id stands for already."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from hotfolder.database import Database
from hotfolder.domain.document import DocumentFormat, Node, child, format_of, parse_documents, to_plain
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.generation import RETRYABLE
from hotfolder.domain.instants import derived_id, is_uuid
from hotfolder.domain.job import read_job
from hotfolder.domain.plan import JobPlan, plan_jobs
from hotfolder.errors import JobFileError, Problem
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.generation.closing import JobCloser, error_object
from hotfolder.generation.identity import read_identity
from hotfolder.generation.presets import PresetShelf
from hotfolder.generation.references import AcceptedReference, ReferenceDesk
from hotfolder.generation.runs import RunBook
from hotfolder.generation.splitting import split_documents
from hotfolder.library.jobs import Job, JobStore

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """A job file in processing/: under which id, and where it lay below inbox/."""

    job_id: str
    name: str
    job_file: PurePosixPath
    data: bytes


@dataclass(frozen=True, slots=True)
class Accepted:
    """The file stands for this job, new or not."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Split:
    """The file holds several jobs; each becomes a file of its own: (id, name, data)."""

    parts: Sequence[tuple[str, str, bytes]]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a job file asks for, or what is wrong with it."""

    nodes: list[Node]
    plans: list[JobPlan | list[Problem]]

    @property
    def problems(self) -> list[Problem]:
        """The problems of all documents."""
        return [problem for plan in self.plans if isinstance(plan, list) for problem in plan]


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
        presets: PresetShelf,
        endpoints: Mapping[str, Endpoint],
        *,
        max_job_bytes: int,
    ) -> None:
        self._database = database
        self._paths = paths
        self._jobs = jobs
        self._runs = runs
        self._closer = closer
        self._desk = desk
        self._presets = presets
        self._endpoints = endpoints
        self._max_job_bytes = max_job_bytes

    def check(self, data: bytes, document_format: DocumentFormat) -> Checked:
        """Everything that can be said of a job file without its references; raises JobFileError."""
        nodes = parse_documents(data, document_format, max_bytes=self._max_job_bytes)
        return Checked(nodes, plan_jobs(nodes, self._endpoints, self._presets.find))

    def check_references(self, checked: Checked, folder: Path) -> list[Problem]:
        """The problems of all references; `folder` is where the file lies. Stores nothing."""
        problems: list[Problem] = []
        for node, plan in zip(checked.nodes, checked.plans, strict=True):
            job = plan.job if isinstance(plan, JobPlan) else read_job(node)[0]
            limit = plan.endpoint.limits.refs if isinstance(plan, JobPlan) else len(job.refs) if job else 0
            if job is not None:
                problems += self._desk.find_problems(job.refs, node, folder, limit)
        return problems

    def take_in(self, claimed: ClaimedFile) -> Accepted | Split:
        """Accept, refuse or split a claimed file; repeatable after a crash at any point."""
        try:
            return self._take_in(claimed)
        except JobFileError as error:
            return self.refuse(claimed, error)

    def _take_in(self, claimed: ClaimedFile) -> Accepted | Split:
        document_format = format_of(claimed.name) or "yaml"
        checked = self.check(claimed.data, document_format)
        if len(checked.nodes) > 1:
            return self._split(claimed, document_format, checked)
        folder = self._paths.inbox / claimed.job_file.parent
        plan, node = checked.plans[0], checked.nodes[0]
        if isinstance(plan, list):
            raise JobFileError(plan + self.check_references(checked, folder))
        existing = self._find_own(plan.job.id)
        if existing is not None and existing.status not in RETRYABLE:
            return self._answer_repeat(existing, node)
        references, problems = self._desk.accept_all(plan.job.refs, node, folder, plan.endpoint.limits.refs)
        if problems:
            raise JobFileError(problems)
        if existing is not None:
            new = _received(claimed, None, existing.created_at)
            again = replace(existing, text=new.text, job_file=new.job_file, file_name=new.file_name)
            return self._run_again(describe(again, node, plan), plan, references)
        return self._accept(claimed, plan, references, node)

    def _split(self, claimed: ClaimedFile, document_format: DocumentFormat, checked: Checked) -> Split:
        atomic = _is_atomic(checked.nodes[0])
        if atomic:
            folder = self._paths.inbox / claimed.job_file.parent
            problems = checked.problems + self.check_references(checked, folder)
        else:
            problems = [each for each in checked.problems if each.code == "job.too_large"]
        if problems:
            raise JobFileError(problems)
        log.info("%s holds %d jobs", display_text(str(claimed.job_file)), len(checked.nodes))
        texts = split_documents(claimed.data, document_format, checked.nodes)
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
        return Accepted(existing.job_id)

    def _accept(
        self, claimed: ClaimedFile, plan: JobPlan, references: list[AcceptedReference], node: Node
    ) -> Accepted:
        with self._database.transaction() as tx:
            job = describe(_received(claimed, plan.job.id, tx.at), node, plan)
            self._jobs.insert(tx, job)
            self._jobs.set_status(tx, job.job_id, "queued")
            self._runs.enqueue(tx, job.job_id, plan, references)
        log.info("job %s accepted: %s (%d pictures)", job.job_id, job.job_file, len(plan.runs))
        return Accepted(job.job_id)

    def _run_again(self, job: Job, plan: JobPlan, references: list[AcceptedReference]) -> Accepted:
        with self._database.transaction() as tx:
            if self._jobs.get(job.job_id).status not in RETRYABLE:  # `jobs retry` was quicker
                return Accepted(job.job_id)
            kept = self._runs.run_again(tx, job, plan, references)
        log.info("job %s runs again (%d of %d pictures kept)", job.job_id, kept, len(plan.runs))
        return Accepted(job.job_id)

    def refuse(self, claimed: ClaimedFile, error: JobFileError) -> Accepted:
        """End a job that cannot be accepted; it keeps the submitter's id and extra where they can be read."""
        identity = read_identity(claimed.data, format_of(claimed.name) or "yaml", self._max_job_bytes)
        existing = self._jobs.find(claimed.job_id) or self._find_own(identity.own_id)
        text = claimed.data[: self._max_job_bytes]
        if existing is not None and existing.status in RETRYABLE and existing.text == text:
            return Accepted(existing.job_id)  # refused before, or dropped again unmended
        own_id = identity.own_id if existing is None else None
        with self._database.transaction() as tx:
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
    )


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
