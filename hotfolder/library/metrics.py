"""What the database says for metrics: open work, jobs and engines now, and everything counted so far.

A scrape looks at what is open and at counters: what has ended costs nothing, however much there is of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from hotfolder.database import Database
from hotfolder.domain.generation import ACTIVE
from hotfolder.domain.instants import elapsed_ms
from hotfolder.events import ENGINE_STATUS

# What was told to wait, or tried before, is as old as its turn.
PENDING_SQL: Final = """
    SELECT lane, count(*) AS n, min(max(created_at, coalesce(run_at, ''))) AS oldest_at
    FROM work_queue WHERE status = 'pending' GROUP BY lane
"""
SCHEDULED_SQL: Final = "SELECT lane, count(*) AS n FROM work_queue WHERE status = 'scheduled' GROUP BY lane"
PROCESSING_SQL: Final = "SELECT lane, count(*) AS n FROM work_queue WHERE status = 'processing' GROUP BY lane"
DEAD_SQL: Final = "SELECT lane, count(*) AS n FROM work_queue WHERE status = 'dead' GROUP BY lane"
JOBS_SQL: Final = "SELECT count(*) AS n FROM jobs WHERE status = ?"
GENERATIONS_SQL: Final = "SELECT count(*) AS n FROM generations WHERE status = ?"
# Of engines that have not spoken for so long, nothing is told: how many there were is not known.
ENGINES_SQL: Final = """
    SELECT subject_id AS kind, json_extract(data_json, '$.state') AS state, max(seq) FROM (
        SELECT subject_id, data_json, seq FROM events WHERE topic = ? ORDER BY seq DESC LIMIT 2000
    )
    GROUP BY subject_id
"""
EVENTS_SQL: Final = """
    SELECT (SELECT min(seq) FROM events) AS first, (SELECT max(seq) FROM events) AS last
"""
OPEN_GENERATIONS: Final = ("pending", "processing", "awaiting_review")


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter and its value so far."""

    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What one look found; `work` is what has not ended, by lane and status."""

    work: Mapping[tuple[str, str], int]
    dead: Mapping[str, int]
    oldest_pending_s: Mapping[str, float]
    lane_states: Mapping[str, str]
    jobs: Mapping[str, int]
    generations: Mapping[str, int]
    engines: Mapping[str, str]
    counters: tuple[Counter, ...]
    events_so_far: int
    events_kept: int
    database_bytes: int
    database_free_bytes: int


class MetricsStore:
    """Reads the figures; any thread, and no writer waits for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self) -> Figures:
        """Everything, as it is now."""
        query = self._database.query
        pending = query(PENDING_SQL)
        now = self._database.now()
        events = query(EVENTS_SQL)[0]
        lanes = query("SELECT key, value FROM control WHERE key > 'lane.' AND key < 'lane/'")
        return Figures(
            work={(row["lane"], "pending"): row["n"] for row in pending}
            | {(row["lane"], "scheduled"): row["n"] for row in query(SCHEDULED_SQL)}
            | {(row["lane"], "processing"): row["n"] for row in query(PROCESSING_SQL)},
            dead={row["lane"]: row["n"] for row in query(DEAD_SQL)},
            oldest_pending_s={
                row["lane"]: max(0, elapsed_ms(row["oldest_at"], now) or 0) / 1000 for row in pending
            },
            lane_states={row["key"].removeprefix("lane."): row["value"] for row in lanes},
            jobs={status: self._value(JOBS_SQL, status) for status in sorted(ACTIVE)},
            generations={status: self._value(GENERATIONS_SQL, status) for status in OPEN_GENERATIONS},
            engines={row["kind"]: row["state"] for row in query(ENGINES_SQL, (ENGINE_STATUS,))},
            counters=tuple(self._iter_counters()),
            events_so_far=events["last"] or 0,
            events_kept=events["last"] - events["first"] + 1 if events["last"] else 0,
            database_bytes=self._value("PRAGMA page_count") * self._value("PRAGMA page_size"),
            database_free_bytes=self._value("PRAGMA freelist_count") * self._value("PRAGMA page_size"),
        )

    def _iter_counters(self) -> Iterator[Counter]:
        for row in self._database.query("SELECT name, labels, value FROM counters"):
            yield Counter(row["name"], json.loads(row["labels"] or "{}"), row["value"])

    def _value(self, sql: str, *values: Any) -> int:
        row = self._database.query_one(sql, values)
        return int(row[0]) if row else 0
