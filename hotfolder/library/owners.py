"""What limits are measured by: the jobs of each owner by status, and what is left in its token bucket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from hotfolder.database import Database, Row, Transaction
from hotfolder.domain.limits import OVER_LIMIT, Bucket
from hotfolder.domain.ranking import point_ms, rank_of
from hotfolder.errors import NotFound

_CLOSED: Final = "limits.closed"
_ENDS: Final = 200

# The status is a literal in all of these, so that an index of backlogged jobs alone could serve them.
# What is backlogged for another reason (no credit, say) is nobody's turn: it must not keep others waiting.
_LIMITED: Final = f"status = 'backlogged' AND wait_reason LIKE '{OVER_LIMIT}%'"
ACTIVE_SQL: Final = """
    SELECT count(*) AS n FROM (
        SELECT 1 FROM jobs
        WHERE owner IS :owner AND status IN ('queued', 'running', 'cancelling') AND id <> :but
          AND (not_before IS NULL OR not_before <= :now)
        LIMIT :most
    )
"""
AHEAD_SQL: Final = f"""
    SELECT count(*) AS n FROM (
        SELECT 1 FROM jobs
        WHERE owner IS :owner AND {_LIMITED} AND (backlog_rank, id) < (:rank, :job_id)
        LIMIT :most
    )
"""
BACKLOG_SQL: Final = f"""
    SELECT id, priority, created_at, queued_at FROM jobs
    WHERE owner IS ? AND {_LIMITED}
    ORDER BY backlog_rank, id LIMIT ?
"""
ROUND_SQL: Final = """
    SELECT rowid AS number, id, created_at, wait_reason FROM jobs
    WHERE status = 'backlogged' AND (created_at, rowid) > (?, ?)
    ORDER BY created_at, rowid LIMIT ?
"""
# From one owner to the next in the index, so that it costs as many steps as there are owners, not jobs. After
# the last name comes one NULL: jobs without an owner.
OWNERS_SQL: Final = """
    WITH RECURSIVE named (owner) AS (
        SELECT min(owner) FROM jobs
        UNION ALL
        SELECT (SELECT min(owner) FROM jobs WHERE owner > named.owner) FROM named
        WHERE named.owner IS NOT NULL
    )
    SELECT owner FROM named
    WHERE EXISTS (SELECT 1 FROM jobs WHERE jobs.owner IS named.owner AND status = 'backlogged')
"""
# The latest ends of all jobs, whoever asks: those of an owner alone stand in no index by time.
ENDS_SQL: Final = """
    SELECT owner, completed_at FROM jobs
    WHERE completed_at > ? ORDER BY completed_at DESC LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class InLine:
    """A job and what its place among those of its owner follows from."""

    job_id: str
    priority: int
    created_at: str
    rank: int
    was_queued: bool
    """It has been in the queue in this run, and was held then."""


@dataclass(frozen=True, slots=True)
class Round:
    """A part of all jobs that are backlogged: those among them for another reason than limits."""

    job_ids: list[str]
    end: tuple[str, int] | None
    """Where the next part begins; None at the end of all."""


class OwnerStore:
    """Reads jobs and never writes them; inside a transaction it sees what that has done."""

    def __init__(self, database: Database, *, aging_s: float = 600.0) -> None:
        self._database = database
        self._point = point_ms(aging_s)

    def rank_of(self, created_at: str, priority: int) -> int:
        """The place of a job among those of its owner, as in the queue: lowest first."""
        return rank_of(created_at, priority, self._point)

    def get_in_line(self, job_id: str) -> InLine:
        """A job's place; raises NotFound."""
        row = self._database.query_one(
            "SELECT id, priority, created_at, queued_at FROM jobs WHERE id = ?", (job_id,)
        )
        if row is None:
            raise NotFound(f"There is no job {job_id}.")
        return self._to_in_line(row)

    def count_active(self, owner: str | None, most: int, but: str = "") -> int:
        """How many jobs of an owner are queued or run, one of them left out; counted up to `most`."""
        return self._count(
            ACTIVE_SQL, {"owner": owner, "but": but, "most": most, "now": self._database.now()}
        )

    def count_queued(self, most: int) -> int:
        """How many jobs are queued or run, of whomever; counted up to `most`."""
        sql = """
            SELECT count(*) AS n FROM (
                SELECT 1 FROM jobs
                WHERE status IN ('queued', 'running') AND (not_before IS NULL OR not_before <= :now)
                LIMIT :most
            )
        """
        return self._count(sql, {"most": most, "now": self._database.now()})

    def count_backlog(self, owner: str | None) -> int:
        """How many jobs of an owner are backlogged, for whatever reason, or held before their turn came."""
        backlogged = "SELECT count(*) AS n FROM jobs WHERE owner IS :owner AND status = 'backlogged'"
        held = """
            SELECT count(*) AS n FROM jobs
            WHERE owner IS :owner AND status = 'held' AND queued_at IS NULL
        """
        return self._count(backlogged, {"owner": owner}) + self._count(held, {"owner": owner})

    def count_ahead(self, owner: str | None, job: InLine, most: int) -> int:
        """How many jobs of an owner wait for limits and go before this one; counted up to `most`."""
        return self._count(
            AHEAD_SQL,
            {
                "owner": owner,
                "rank": job.rank,
                "job_id": job.job_id,
                "most": most,
            },
        )

    def has_backlog(self) -> bool:
        """Whether any job is backlogged."""
        sql = "SELECT 1 FROM jobs WHERE status = 'backlogged' LIMIT 1"
        return self._database.query_one(sql) is not None

    def list_backlogged_owners(self) -> list[str | None]:
        """Whose jobs are backlogged."""
        return [row["owner"] for row in self._database.query(OWNERS_SQL)]

    def list_backlog(self, owner: str | None, limit: int) -> list[InLine]:
        """Jobs of an owner that wait for limits, the next one first."""
        return [self._to_in_line(row) for row in self._database.query(BACKLOG_SQL, (owner, limit))]

    def list_others(self, begin: tuple[str, int] | None, limit: int) -> Round:
        """Look at so many backlogged jobs, oldest first, for those that wait for something else."""
        rows = self._database.query(ROUND_SQL, (*(begin or ("", 0)), limit))
        others = [row["id"] for row in rows if not (row["wait_reason"] or "").startswith(OVER_LIMIT)]
        return Round(others, (rows[-1]["created_at"], rows[-1]["number"]) if len(rows) == limit else None)

    def list_ends(self, after: str) -> list[tuple[str | None, str]]:
        """Whose jobs ended when, after an instant: the latest of them, latest first."""
        rows = self._database.query(ENDS_SQL, (after, _ENDS))
        return [(row["owner"], row["completed_at"]) for row in rows]

    def find_bucket(self, owner: str | None) -> Bucket | None:
        """What an owner had left when that was last written down."""
        sql = "SELECT tokens, at FROM owner_rates WHERE owner = ?"
        row = self._database.query_one(sql, (owner or "",))
        return Bucket(row["tokens"], row["at"]) if row else None

    def save_bucket(self, tx: Transaction, owner: str | None, bucket: Bucket) -> None:
        """Write down what an owner has left."""
        tx.execute(
            """
            INSERT INTO owner_rates (owner, tokens, at) VALUES (?, ?, ?)
            ON CONFLICT (owner) DO UPDATE SET tokens = excluded.tokens, at = excluded.at
            """,
            (owner or "", bucket.tokens, bucket.at),
        )

    def is_closed(self) -> bool:
        """Whether the queue was full when that was last written down."""
        return self._database.query_one("SELECT 1 FROM app_settings WHERE key = ?", (_CLOSED,)) is not None

    def set_closed(self, tx: Transaction, closed: bool) -> None:
        """Write down, with the instant, that the queue is full, or no longer."""
        if closed:
            tx.execute("INSERT OR IGNORE INTO app_settings (key, value) VALUES (?, ?)", (_CLOSED, tx.at))
        else:
            tx.execute("DELETE FROM app_settings WHERE key = ?", (_CLOSED,))

    def _count(self, sql: str, values: Mapping[str, str | int | None]) -> int:
        row = self._database.query_one(sql, values)
        return int(row["n"]) if row else 0

    def _to_in_line(self, row: Row) -> InLine:
        rank = self.rank_of(row["created_at"], row["priority"])
        return InLine(row["id"], row["priority"], row["created_at"], rank, row["queued_at"] is not None)
