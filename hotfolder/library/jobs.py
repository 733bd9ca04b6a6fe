"""Rows of `jobs`: one a job file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from hotfolder.database import Database, Row, Transaction, to_json
from hotfolder.domain.document import DocumentFormat, format_of
from hotfolder.domain.generation import (
    ACTIVE,
    AT_WORK,
    ENDED,
    JOB_TRANSITIONS,
    RETRYABLE,
    JobStatus,
)
from hotfolder.domain.transitions import check_transition
from hotfolder.errors import NotFound
from hotfolder.events import JOB_CHANGED, JOB_RECEIVED
from hotfolder.metrics import JOBS_ENDED, JOBS_RECEIVED, JOBS_REFUSED


@dataclass(frozen=True, slots=True)
class Job:
    """A job as stored; `error` is the object of the result file."""

    job_id: str
    status: JobStatus
    job_file: str
    file_name: str
    text: bytes
    created_at: str
    submit_key: str | None = None
    content_sha256: str | None = None
    endpoint_key: str | None = None
    title: str | None = None
    owner: str | None = None
    priority: int = 0
    max_attempts: int | None = None
    keywords: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None
    cancel_requested: bool = False
    run: int = 1
    final_path: str | None = None
    retry_of_path: str | None = None
    started_at: str | None = None
    completed_at: str | None = None
    text_name: str | None = None
    waits_for: tuple[str, ...] = ()
    waits_until: str | None = None
    repeats: int = 0
    hold_requested: bool = False
    not_before: str | None = None
    review: bool = False
    collection: str | None = None
    wait_reason: str | None = None
    warnings: tuple[str, ...] = ()
    priority_wish: int | None = None
    queued_at: str | None = None
    preset: str | None = None

    @property
    def folder(self) -> PurePosixPath:
        """Where it lay below inbox/; a bundle is a folder of its own."""
        place = PurePosixPath(self.job_file)
        return place.parent if self.text_name is None else place

    @property
    def document_format(self) -> DocumentFormat:
        """How its text is read: by the name of its file, or of the job file in its bundle."""
        return format_of(self.text_name or self.file_name) or "yaml"


_SUMMARY = """
    id, status, job_file, file_name, x'' AS text, created_at, submit_key, content_sha256, endpoint_key, title,
    owner, priority, max_attempts, keywords_json, metadata_json, extra_json, error_json, cancel_requested,
    run, final_path, retry_of_path, started_at, completed_at, text_name, waits_for_json, waits_until, repeats,
    hold_requested, not_before, review, collection, wait_reason, warnings_json, priority_wish, queued_at,
    preset
"""
"""Everything but the text, of which a list of jobs would hold a megabyte each."""


class JobStore:
    """Reads and writes jobs; the status changes by its table only, each change with an event."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def insert(self, tx: Transaction, job: Job) -> None:
        """A new job, as `received`; the next status follows in the same transaction."""
        tx.execute(
            """
            INSERT INTO jobs (id, submit_key, status, job_file, file_name, created_at, text,
                              content_sha256, endpoint_key, title, owner, priority, max_attempts,
                              keywords_json, metadata_json, extra_json, text_name, not_before, review,
                              collection, preset, warnings_json)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                job.job_id,
                job.submit_key,
                job.status,
                job.job_file,
                job.file_name,
                job.created_at,
                *_described(job),
            ),
        )
        tx.event(JOB_RECEIVED, "job", job.job_id, {"jobFile": job.job_file})
        tx.count(JOBS_RECEIVED)

    def get(self, job_id: str) -> Job:
        """The job; raises NotFound."""
        job = self.find(job_id)
        if job is None:
            raise NotFound(f"There is no job {job_id}.", hint="`hotfolder jobs list --all` shows them.")
        return job

    def find(self, job_id: str) -> Job | None:
        """The job, or None."""
        row = self._database.query_one("SELECT * FROM jobs WHERE id = ?", (job_id,))
        return _to_job(row) if row else None

    def is_known(self, job_id: str) -> bool:
        """Whether the job has a row."""
        return self._database.query_one("SELECT 1 FROM jobs WHERE id = ?", (job_id,)) is not None

    def find_by_key(self, submit_key: str) -> Job | None:
        """The job that a submitter's own id names, or None."""
        row = self._database.query_one("SELECT * FROM jobs WHERE submit_key = ?", (submit_key,))
        return _to_job(row) if row else None

    def find_by_prefix(self, text: str) -> list[Job]:
        """Jobs whose id or submitter's key is the text, or else whose id starts or ends with it."""
        sql = "SELECT * FROM jobs WHERE id = :text OR submit_key = :text LIMIT 10"
        rows = self._database.query(sql, {"text": text})
        if not rows and text:
            sql = "SELECT * FROM jobs WHERE substr(id, 1, :n) = :text OR substr(id, -:n) = :text LIMIT 10"
            rows = self._database.query(sql, {"text": text.lower(), "n": len(text)})
        return [_to_job(row) for row in rows]

    def list_newest(
        self, *, statuses: frozenset[str] = ACTIVE | ENDED, owner: str | None = None, limit: int = 100
    ) -> list[Job]:
        """Jobs (of one owner, or of all), newest first, without the texts of their files."""
        return self._list(statuses, "created_at DESC, id DESC", limit, owner)

    def list_these(self, job_ids: Sequence[str]) -> list[Job]:
        """These jobs in this order, without the texts of their files."""
        sql = f"SELECT {_SUMMARY} FROM jobs WHERE id IN (SELECT value FROM json_each(?))"
        found = {row["id"]: _to_job(row) for row in self._database.query(sql, (to_json(list(job_ids)),))}
        return [found[each] for each in job_ids if each in found]

    def list_ended(self, limit: int) -> list[Job]:
        """Ended jobs, the last to end first, without the texts of their files."""
        return self._list(ENDED, "completed_at DESC, id DESC", limit)

    def list_next(self, *, statuses: frozenset[str], limit: int) -> list[Job]:
        """Jobs in the order in which they are taken up, without the texts of their files."""
        return self._list(statuses, "priority DESC, created_at, id", limit)

    def _list(self, statuses: frozenset[str], order: str, limit: int, owner: str | None = None) -> list[Job]:
        chosen = f"status IN ({_marks(statuses)})" + (" AND owner = ?" if owner is not None else "")
        sql = f"SELECT {_SUMMARY} FROM jobs WHERE {chosen} ORDER BY {order} LIMIT ?"
        owners = () if owner is None else (owner,)
        return [_to_job(row) for row in self._database.query(sql, (*sorted(statuses), *owners, limit))]

    def count_active(self) -> tuple[int, int]:
        """How many jobs wait, and how many run."""
        sql = f"SELECT status, count(*) AS n FROM jobs WHERE status IN ({_marks(ACTIVE)}) GROUP BY status"
        counts = {row["status"]: int(row["n"]) for row in self._database.query(sql, tuple(sorted(ACTIVE)))}
        running = sum(counts.pop(each, 0) for each in AT_WORK)
        return sum(counts.values()), running

    def list_active_ids(self) -> set[str]:
        """Ids of the jobs that have not ended."""
        sql = f"SELECT id FROM jobs WHERE status IN ({_marks(ACTIVE)})"
        return {row["id"] for row in self._database.query(sql, tuple(sorted(ACTIVE)))}

    def list_claimed_ids(self) -> set[str]:
        """Ids of active jobs whose file lies in processing/: a retry may go without."""
        sql = f"SELECT id FROM jobs WHERE status IN ({_marks(ACTIVE)}) AND run = 1"
        return {row["id"] for row in self._database.query(sql, tuple(sorted(ACTIVE)))}

    def set_status(
        self,
        tx: Transaction,
        job_id: str,
        status: JobStatus,
        *,
        error: Mapping[str, Any] | None = None,
        actor: str | None = None,
        reason: str | None = None,
    ) -> None:
        """Change the status; raises ValueError for a change that the table does not have.

        `reason` says, for people, why a job is held or backlogged.
        """
        row = tx.execute("SELECT status FROM jobs WHERE id = ?", (job_id,)).fetchone()
        if row is None:
            raise NotFound(f"There is no job {job_id}.")
        check_transition(JOB_TRANSITIONS, row["status"], status)
        tx.execute(
            """
            UPDATE jobs
            SET status = :status,
                error_json = :error,
                wait_reason = :reason,
                queued_at = CASE WHEN :status = 'queued' THEN coalesce(queued_at, :at) ELSE queued_at END,
                started_at = CASE WHEN :status = 'running' THEN coalesce(started_at, :at) ELSE started_at END,
                completed_at = CASE WHEN :ended THEN :at ELSE NULL END
            WHERE id = :id
            """,
            {
                "status": status,
                "error": to_json(dict(error)) if error else None,
                "reason": reason,
                "at": tx.at,
                "ended": status in ENDED,
                "id": job_id,
            },
        )
        data = {"status": status, "from": row["status"]} | ({"reason": reason} if reason else {})
        tx.event(JOB_CHANGED, "job", job_id, data, actor)
        if status in ENDED:
            tx.count(JOBS_ENDED, {"status": status})
        if status == "failed" and row["status"] == "received":
            tx.count(JOBS_REFUSED)

    def begin_again(
        self,
        tx: Transaction,
        job: Job,
        actor: str | None = None,
        status: JobStatus = "queued",
        reason: str | None = None,
    ) -> None:
        """Queue an ended job for another run as it is described now; where its file lies is remembered."""
        row = tx.execute("SELECT status FROM jobs WHERE id = ?", (job.job_id,)).fetchone()
        if row is None or row["status"] not in RETRYABLE:  # the table alone would let a running job through
            raise ValueError(f"a job that is {row and row['status']} does not begin again")
        tx.execute(
            """
            UPDATE jobs
            SET run = run + 1, cancel_requested = 0, hold_requested = 0, queued_at = NULL,
                retry_of_path = coalesce(final_path, retry_of_path),
                final_path = NULL, started_at = NULL, job_file = ?, file_name = ?, text = ?,
                content_sha256 = ?, endpoint_key = ?, title = ?, owner = ?,
                priority = ?, max_attempts = ?,
                keywords_json = ?, metadata_json = ?, extra_json = ?, text_name = ?, not_before = ?,
                review = ?, collection = ?, preset = ?, warnings_json = ?
            WHERE id = ?
            """,
            (job.job_file, job.file_name, *_described(job), job.job_id),
        )
        self.set_status(tx, job.job_id, status, actor=actor, reason=reason)

    def describe_again(self, tx: Transaction, job: Job) -> None:
        """What a job that waits says of itself now."""
        tx.execute(
            """
            UPDATE jobs
            SET text = ?, content_sha256 = ?, endpoint_key = ?, title = ?, owner = ?,
                priority = ?,
                max_attempts = ?, keywords_json = ?, metadata_json = ?, extra_json = ?, text_name = ?,
                not_before = ?, review = ?, collection = ?, preset = ?, warnings_json = ?
            WHERE id = ?
            """,
            (*_described(job), job.job_id),
        )

    def set_waiting(self, tx: Transaction, job_id: str, names: Sequence[str], until: str | None) -> None:
        """Note which references a job lacks, and until when it waits for them."""
        tx.execute(
            "UPDATE jobs SET waits_for_json = ?, waits_until = ? WHERE id = ?",
            (to_json(list(names)) if names else None, until, job_id),
        )

    def count_repeat(self, job_id: str) -> None:
        """Note that one more file stands for the job, before that file takes its id."""
        with self._database.transaction() as tx:
            tx.execute("UPDATE jobs SET repeats = repeats + 1 WHERE id = ?", (job_id,))

    def list_waiting(self) -> list[Job]:
        """Jobs that lack references, the longest waiting first."""
        return self._list(frozenset({"waiting_refs"}), "waits_until, id", -1)

    def find_by_final_name(self, name: str) -> list[Job]:
        """Jobs whose file was left in failed/ under this name, the last to end first."""
        sql = """
            SELECT * FROM jobs
            WHERE final_path = 'failed/' || :name
               OR (final_path > 'failed/0' AND final_path < 'failed/:'
                   AND substr(final_path, -length(:name) - 1) = '/' || :name)
            ORDER BY completed_at DESC LIMIT 10
        """
        return [_to_job(row) for row in self._database.query(sql, {"name": name})]

    def request_cancel(self, tx: Transaction, job_id: str) -> None:
        """Wish that a job ends."""
        tx.execute("UPDATE jobs SET cancel_requested = 1, hold_requested = 0 WHERE id = ?", (job_id,))

    def set_wait_reason(self, tx: Transaction, job_id: str, reason: str | None) -> None:
        """Why a job that waits waits now, for people."""
        tx.execute("UPDATE jobs SET wait_reason = ? WHERE id = ?", (reason, job_id))

    def set_backlog_rank(self, tx: Transaction, job_id: str, rank: int) -> None:
        """The place of a job among those of its owner that wait for limits: lowest first."""
        tx.execute("UPDATE jobs SET backlog_rank = ? WHERE id = ?", (rank, job_id))

    def request_hold(self, tx: Transaction, job_id: str, wish: bool, actor: str) -> None:
        """Wish that a job is held as soon as it could be queued, or no longer."""
        tx.execute("UPDATE jobs SET hold_requested = ? WHERE id = ?", (wish, job_id))
        tx.event(JOB_CHANGED, "job", job_id, {"holdRequested": wish}, actor)

    def set_priority(self, tx: Transaction, job_id: str, priority: int, actor: str) -> None:
        """A priority that somebody gives a job stays, whatever its file says."""
        sql = "UPDATE jobs SET priority = ?, priority_wish = ? WHERE id = ?"
        tx.execute(sql, (priority, priority, job_id))
        tx.event(JOB_CHANGED, "job", job_id, {"priority": priority}, actor)

    def set_final_path(self, tx: Transaction, job_id: str, path: str) -> None:
        """Reserve the place in done/ or failed/ where the file of an ended job goes."""
        tx.execute("UPDATE jobs SET final_path = ? WHERE id = ?", (path, job_id))

    def is_final_path_taken(self, path: str) -> bool:
        """Whether an ended job has reserved this place."""
        return self._database.query_one("SELECT 1 FROM jobs WHERE final_path = ?", (path,)) is not None


def _described(job: Job) -> tuple[Any, ...]:
    """What a job file says of its job, as columns: text, content_sha256, ... text_name."""
    return (
        job.text,
        job.content_sha256,
        job.endpoint_key,
        job.title,
        job.owner,
        job.priority,
        job.max_attempts,
        to_json(list(job.keywords)),
        to_json(dict(job.metadata)),
        to_json(dict(job.extra)),
        job.text_name,
        job.not_before,
        job.review,
        job.collection,
        job.preset,
        to_json(list(job.warnings)) if job.warnings else None,
    )


def _marks(values: frozenset[str]) -> str:
    return ", ".join("?" for _ in values)


def _to_job(row: Row) -> Job:
    return Job(
        job_id=row["id"],
        status=row["status"],
        job_file=row["job_file"],
        file_name=row["file_name"],
        text=row["text"],
        created_at=row["created_at"],
        submit_key=row["submit_key"],
        content_sha256=row["content_sha256"],
        endpoint_key=row["endpoint_key"],
        title=row["title"],
        owner=row["owner"],
        priority=row["priority"],
        max_attempts=row["max_attempts"],
        keywords=tuple(json.loads(row["keywords_json"])),
        metadata=json.loads(row["metadata_json"]),
        extra=json.loads(row["extra_json"]),
        error=json.loads(row["error_json"]) if row["error_json"] else None,
        cancel_requested=bool(row["cancel_requested"]),
        run=row["run"],
        final_path=row["final_path"],
        retry_of_path=row["retry_of_path"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
        text_name=row["text_name"],
        waits_for=tuple(json.loads(row["waits_for_json"] or "[]")),
        waits_until=row["waits_until"],
        repeats=row["repeats"],
        hold_requested=bool(row["hold_requested"]),
        not_before=row["not_before"],
        review=bool(row["review"]),
        collection=row["collection"],
        wait_reason=row["wait_reason"],
        warnings=tuple(json.loads(row["warnings_json"] or "[]")),
        priority_wish=row["priority_wish"],
        queued_at=row["queued_at"],
        preset=row["preset"],
    )
