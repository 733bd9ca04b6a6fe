"""Dead work that belongs to no job, such as files that could not be put into trash/."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from hotfolder.database import Database, Row
from hotfolder.errors import HotfolderError, NotFound
from hotfolder.queue.store import WorkStore

_FROM: Final = """
    FROM work_queue
    LEFT JOIN generations ON generations.id = work_queue.correlation_id
    LEFT JOIN jobs ON jobs.id = coalesce(generations.job_id, work_queue.correlation_id)
"""
LIST_SQL: Final = f"""
    SELECT work_queue.id, task_type, work_queue.correlation_id, work_queue.completed_at AS died_at,
           json_extract(failures_json, '$[#-1].code') AS code, work_queue.error_message AS message
    {_FROM}
    WHERE work_queue.status = 'dead' AND jobs.id IS NULL
    ORDER BY died_at DESC, work_queue.id LIMIT ?
"""
_ONE_SQL: Final = f"SELECT work_queue.status, jobs.id AS job_id {_FROM} WHERE work_queue.id = ?"


@dataclass(frozen=True, slots=True)
class DeadItem:
    """Work that used up its attempts: its kind, what it was to be done to, and how it failed last."""

    work_id: str
    task_type: str
    subject: str
    died_at: str
    code: str | None
    message: str | None


class DeadItems:
    """Dead work without a job; that of a job is steered with the job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list_newest(self, limit: int) -> Sequence[DeadItem]:
        """The last to die first."""
        return [_to_item(row) for row in self._database.query(LIST_SQL, (limit,))]

    def requeue(self, work: WorkStore, work_id: str, actor: str) -> None:
        """Try an item again, with all of its attempts; raises HotfolderError for any other work."""
        with self._database.transaction() as tx:
            row = tx.execute(_ONE_SQL, (work_id,)).fetchone()
            if row is None:
                raise NotFound(
                    f"There is no work item {work_id[:80]}.", hint="`hotfolder queue show` has them."
                )
            if row["job_id"] is not None:
                raise HotfolderError(
                    f"The work item {work_id} belongs to the job {row['job_id']}.",
                    code="job.not_dead",
                    hint=f"`hotfolder jobs requeue {row['job_id']}` tries the dead work of a job again.",
                )
            if row["status"] != "dead":
                raise HotfolderError(
                    f"The work item {work_id} is {row['status']}, not dead.",
                    code="job.not_dead",
                    hint="Only dead work can be requeued.",
                )
            work.requeue(tx, work_id, actor)


def _to_item(row: Row) -> DeadItem:
    return DeadItem(
        row["id"], row["task_type"], row["correlation_id"], row["died_at"], row["code"], row["message"]
    )
