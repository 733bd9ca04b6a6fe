"""The queue as people see it: what is wanted of each lane, what stands in it, who comes next, what is dead.

One reading for the command line and the web, so that both tell the same; it writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from hotfolder.database import Database, Row, to_json
from hotfolder.domain.instants import elapsed_ms
from hotfolder.queue.dead import DeadItem, DeadItems
from hotfolder.queue.lanes import LaneBook, LaneWish

LISTED: Final = 20
PICTURES_LANE: Final = "gpu"
_PAGE: Final = 256
# What an earlier run of a job left dead has been tried again since: its pictures have no position any more.
_IS_DEAD: Final = (
    "work_queue.status = 'dead' AND (generations.id IS NULL OR generations.position IS NOT NULL)"
)
# A query for each status: each is answered from the partial index of that status.
_COUNT_SQL: Final = {
    "pending": "SELECT lane, count(*) AS n FROM work_queue WHERE status = 'pending' GROUP BY lane",
    "scheduled": "SELECT lane, count(*) AS n FROM work_queue WHERE status = 'scheduled' GROUP BY lane",
    "processing": "SELECT lane, count(*) AS n FROM work_queue WHERE status = 'processing' GROUP BY lane",
    "dead": f"""
        SELECT lane, count(*) AS n FROM work_queue
        LEFT JOIN generations ON generations.id = work_queue.correlation_id
        WHERE {_IS_DEAD} GROUP BY lane
    """,
}
_OLDEST_SQL: Final = "SELECT lane, min(since) AS since FROM work_queue WHERE status = 'pending' GROUP BY lane"
_JOBS_SQL: Final = """
    SELECT status, count(*) AS n FROM jobs
    WHERE status IN ('received', 'held', 'backlogged', 'waiting_refs', 'queued', 'running', 'cancelling')
    GROUP BY status
"""
_NEXT_SQL: Final = """
    SELECT rank, work_queue.rowid AS place, jobs.id, job_file, title, jobs.owner, jobs.priority
    FROM work_queue
    CROSS JOIN generations ON generations.id = work_queue.correlation_id
    CROSS JOIN jobs ON jobs.id = generations.job_id
    WHERE work_queue.status = 'pending' AND work_queue.lane = :lane AND jobs.status = 'queued'
      AND (rank, work_queue.rowid) > (:rank, :place)
    ORDER BY rank, work_queue.rowid
    LIMIT :page
"""
_DEAD_FROM: Final = f"""
    FROM work_queue
    LEFT JOIN generations ON generations.id = work_queue.correlation_id
    JOIN jobs ON jobs.id = coalesce(generations.job_id, work_queue.correlation_id)
    WHERE {_IS_DEAD}
"""
_CODE: Final = """
    coalesce(json_extract(generations.error_json, '$.code'), json_extract(failures_json, '$[#-1].code'))
"""
_DEAD_SQL: Final = f"""
    SELECT jobs.id, job_file, title, jobs.owner, jobs.endpoint_key, count(*) AS n,
           max(work_queue.completed_at) AS died_at, max({_CODE}) AS code,
           max(work_queue.error_message) AS message
    {_DEAD_FROM}
      AND (:code IS NULL OR {_CODE} = :code)
      AND (:endpoint_key IS NULL OR jobs.endpoint_key = :endpoint_key)
      AND (:owner IS NULL OR jobs.owner = :owner)
      AND (:since IS NULL OR work_queue.completed_at >= :since)
    GROUP BY jobs.id ORDER BY died_at DESC, jobs.id LIMIT :limit
"""
_DEAD_OF_SQL: Final = f"""
    SELECT jobs.id, count(*) AS n {_DEAD_FROM} AND jobs.id IN (SELECT value FROM json_each(?))
    GROUP BY jobs.id
"""


@dataclass(frozen=True, slots=True)
class LaneView:
    """A lane: what is wanted of it, how many items it runs at once, and how many stand in it."""

    wish: LaneWish
    slots: int
    counts: Mapping[str, int]
    oldest_since: str | None = None
    """When the item that has waited longest got in line."""


@dataclass(frozen=True, slots=True)
class NextJob:
    """A job that waits for its turn."""

    job_id: str
    job_file: str
    title: str | None
    owner: str | None
    priority: int


@dataclass(frozen=True, slots=True)
class DeadWanted:
    """Which dead work is meant; what is None does not matter. `since` is an instant."""

    code: str | None = None
    endpoint_key: str | None = None
    owner: str | None = None
    since: str | None = None


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job with work that used up its attempts, and how that failed last."""

    job_id: str
    job_file: str
    title: str | None
    owner: str | None
    endpoint_key: str | None
    count: int
    died_at: str
    code: str | None
    message: str | None


class QueueOverview:
    """Reads the queue; `slots` says of each lane how many items it runs at once."""

    def __init__(self, database: Database, slots: Mapping[str, int]) -> None:
        self._database = database
        self._slots = slots
        self._book = LaneBook(database)

    def list_lanes(self) -> list[LaneView]:
        """Every lane, in the order of the settings."""
        counts = {status: self._count(sql) for status, sql in _COUNT_SQL.items()}
        oldest = {row["lane"]: row["since"] for row in self._database.query(_OLDEST_SQL)}
        return [
            LaneView(
                self._book.find(lane),
                slots,
                {status: found.get(lane, 0) for status, found in counts.items()},
                oldest.get(lane),
            )
            for lane, slots in self._slots.items()
        ]

    def stands_still(self) -> bool:
        """Whether nobody knows when pictures that wait are begun: their lane does not run."""
        return self._book.find(PICTURES_LANE).state != "running"

    def count_jobs(self) -> dict[str, int]:
        """How many jobs have each of the states before their end."""
        return {row["status"]: int(row["n"]) for row in self._database.query(_JOBS_SQL)}

    def list_next(self, limit: int = LISTED) -> list[NextJob]:
        """The queued jobs whose pictures come next, in the order of claiming."""
        found: dict[str, NextJob] = {}
        after = {"rank": -(2**63), "place": 0}
        while len(found) < limit:
            rows = self._database.query(_NEXT_SQL, {"lane": PICTURES_LANE, "page": _PAGE, **after})
            for row in rows:
                found.setdefault(row["id"], _to_next(row))
            if len(rows) < _PAGE:
                break
            after = {"rank": rows[-1]["rank"], "place": rows[-1]["place"]}
        return list(found.values())[:limit]

    def list_dead(self, wanted: DeadWanted | None = None, limit: int = LISTED) -> list[DeadJob]:
        """Jobs with dead work, the last to die first."""
        chosen = wanted or DeadWanted()
        values = {
            "code": chosen.code,
            "endpoint_key": chosen.endpoint_key,
            "owner": chosen.owner,
            "since": chosen.since,
            "limit": limit,
        }
        return [_to_dead(row) for row in self._database.query(_DEAD_SQL, values)]

    def count_dead_of(self, job_ids: Sequence[str]) -> dict[str, int]:
        """How much dead work those of these jobs have that have any."""
        rows = self._database.query(_DEAD_OF_SQL, (to_json(list(job_ids)),))
        return {row["id"]: int(row["n"]) for row in rows}

    def describe(self) -> dict[str, Any]:
        """The whole as the JSON object of `hotfolder queue show --json` and of the web."""
        now = self._database.now()
        return {
            "lanes": [_lane_object(each, now) for each in self.list_lanes()],
            "jobs": self.count_jobs(),
            "next": [_next_object(each) for each in self.list_next()],
            "dead": [_dead_object(each) for each in self.list_dead()],
            "deadItems": [_item_object(each) for each in DeadItems(self._database).list_newest(LISTED)],
        }

    def _count(self, sql: str) -> dict[str, int]:
        return {row["lane"]: int(row["n"]) for row in self._database.query(sql)}


def _lane_object(lane: LaneView, now: str) -> dict[str, Any]:
    age_ms = elapsed_ms(lane.oldest_since, now)
    return {
        "lane": lane.wish.lane,
        "state": lane.wish.state,
        "actor": lane.wish.actor,
        "since": lane.wish.at,
        "slots": lane.slots,
        **lane.counts,
        "oldestSince": lane.oldest_since,
        "oldestAgeS": None if age_ms is None else max(0.0, age_ms / 1000),
    }


def _next_object(job: NextJob) -> dict[str, Any]:
    return {
        "jobId": job.job_id,
        "jobFile": job.job_file,
        "title": job.title,
        "owner": job.owner,
        "priority": job.priority,
    }


def _dead_object(job: DeadJob) -> dict[str, Any]:
    return {
        "jobId": job.job_id,
        "jobFile": job.job_file,
        "title": job.title,
        "owner": job.owner,
        "endpointKey": job.endpoint_key,
        "deadWork": job.count,
        "diedAt": job.died_at,
        "code": job.code,
        "message": job.message,
    }


def _item_object(item: DeadItem) -> dict[str, Any]:
    return {
        "workId": item.work_id,
        "taskType": item.task_type,
        "subject": item.subject,
        "diedAt": item.died_at,
        "code": item.code,
        "message": item.message,
    }


def _to_next(row: Row) -> NextJob:
    return NextJob(row["id"], row["job_file"], row["title"], row["owner"], row["priority"])


def _to_dead(row: Row) -> DeadJob:
    return DeadJob(
        row["id"],
        row["job_file"],
        row["title"],
        row["owner"],
        row["endpoint_key"],
        row["n"],
        row["died_at"],
        row["code"],
        row["message"],
    )
