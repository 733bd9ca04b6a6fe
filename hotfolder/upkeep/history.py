"""Removes what is told of work that ended long ago, in small steps, so that no writer waits for it."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from hotfolder.database import Database
from hotfolder.domain.instants import format_instant, parse_instant
from hotfolder.events import GENERATION_PROGRESS

log = logging.getLogger(__name__)

BATCH: Final = 500
"""So many rows are removed in one transaction, which takes a few milliseconds."""
PAUSE_S: Final = 0.05
"""Between two of them, for those who want to write."""
PROGRESS_S: Final = 60.0
"""The progress of a picture that has ended is kept for so long, for those who look on."""
_ALL: Final = "9999"
"""Later than every instant."""

# A job, picture or import that has ended since `:ended` is kept with everything that is told of it.
_UNFINISHED: Final = """
    EXISTS (SELECT 1 FROM jobs j WHERE j.id = {0} AND coalesce(j.completed_at, '9999') >= :ended)
    OR EXISTS (
        SELECT 1 FROM generations g JOIN jobs j ON j.id = g.job_id
        WHERE g.id = {0} AND coalesce(j.completed_at, '9999') >= :ended
    )
"""
WORK_SQL: Final = f"""
    SELECT w.rowid AS number, w.created_at AS at,
        coalesce(w.completed_at, '9999') >= :ended OR {_UNFINISHED.format("w.correlation_id")} AS is_kept
    FROM work_queue w
    WHERE w.rowid > :number
    ORDER BY w.rowid
    LIMIT :batch
"""
DELETE_WORK_SQL: Final = """
    DELETE FROM work_queue
    WHERE rowid IN (SELECT value FROM json_each(:numbers)) AND completed_at < :ended
"""
# Of an engine, a lane and the like the latest word is kept: it tells how that is now.
EVENTS_SQL: Final = f"""
    SELECT e.seq AS number, e.at AS at, e.at >= :ended OR CASE
        WHEN e.subject_type IN ('job', 'generation') THEN {_UNFINISHED.format("e.subject_id")}
        WHEN e.subject_type = 'work' THEN EXISTS (
            SELECT 1 FROM work_queue w
            WHERE w.id = e.subject_id
              AND (coalesce(w.completed_at, '9999') >= :ended OR {_UNFINISHED.format("w.correlation_id")})
        )
        WHEN e.subject_type IN ('media', 'change') THEN 0
        ELSE NOT EXISTS (
            SELECT 1 FROM events l
            WHERE l.subject_id = e.subject_id AND l.seq > e.seq AND l.topic = e.topic
        )
    END AS is_kept
    FROM events e
    WHERE e.seq > :number AND e.seq < :newest
    ORDER BY e.seq
    LIMIT :batch
"""
PROGRESS_SQL: Final = f"""
    SELECT e.seq AS number FROM events e
    WHERE e.topic = '{GENERATION_PROGRESS}' AND e.seq < :newest AND e.at < :ended AND NOT EXISTS (
        SELECT 1 FROM generations g
        WHERE g.id = e.subject_id AND g.status IN ('pending', 'processing')
    )
    LIMIT :batch
"""
DELETE_EVENTS_SQL: Final = "DELETE FROM events WHERE seq IN (SELECT value FROM json_each(:numbers))"
DELETE_CHANGES_SQL: Final = """
    DELETE FROM media_changes WHERE seq IN (
        SELECT seq FROM media_changes
        WHERE seq <= (SELECT max(seq) FROM media_changes) - :kept ORDER BY seq LIMIT :batch
    )
"""
CHANGES_KEPT: Final = 100_000
"""So many changes of pictures are kept for those who follow them; who is further behind reads all anew."""


class History:
    """Keeps `work_queue` and `events` from growing for ever.

    The newest event stays in any case: who follows the events knows by its number where they are.
    """

    def __init__(
        self,
        database: Database,
        *,
        days: float,
        events_max: int,
        batch: int = BATCH,
        pause_s: float = PAUSE_S,
    ) -> None:
        self._database = database
        self._age = timedelta(days=days)
        self._events_max = events_max
        self._batch = batch
        self._pause_s = pause_s

    def prune(self, stop: threading.Event) -> tuple[int, int]:
        """Remove what is too old, then the oldest of what is too much; gives how many items and events."""
        ended = self._before(self._age)
        work = self._prune_work(stop, ended)
        events = self._prune_events(stop, ended) + self._prune_excess(stop)
        if work or events:
            log.info("history: %d work items and %d events are no longer kept", work, events)
        return work, events

    def prune_progress(self, stop: threading.Event) -> int:
        """Remove the progress of pictures that have ended; gives its number."""
        values = {
            "ended": self._before(timedelta(seconds=PROGRESS_S)),
            "newest": self._database.last_event_seq(),
            "batch": self._batch,
        }
        removed = 0
        while not stop.is_set():
            numbers = [row["number"] for row in self._database.query(PROGRESS_SQL, values)]
            removed += self._delete(DELETE_EVENTS_SQL, numbers, {}, stop)
            if len(numbers) < self._batch:
                break
        return removed

    def prune_changes(self, stop: threading.Event) -> int:
        """Remove changes of pictures but the latest; gives their number."""
        values, removed = {"kept": CHANGES_KEPT, "batch": self._batch}, 0
        while not stop.is_set():
            with self._database.transaction(durable=False) as tx:
                gone = tx.execute(DELETE_CHANGES_SQL, values).rowcount
            removed += gone
            if gone < self._batch:
                break
            stop.wait(self._pause_s)
        return removed

    def _before(self, age: timedelta) -> str:
        return format_instant(parse_instant(self._database.now()) - age)

    def _prune_work(self, stop: threading.Event, ended: str) -> int:
        """What was queued after an instant has not ended before it: there the look may end."""
        number, removed = 0, 0
        while not stop.is_set():
            values = {"ended": ended, "number": number, "batch": self._batch}
            rows = self._database.query(WORK_SQL, values)
            old = [row["number"] for row in rows if not row["is_kept"]]
            removed += self._delete(DELETE_WORK_SQL, old, {"ended": ended}, stop)
            if len(rows) < self._batch or rows[-1]["at"] >= ended:
                break
            number = rows[-1]["number"]
        return removed

    def _prune_excess(self, stop: threading.Event) -> int:
        """A tenth more goes than has to: what comes until the next look fits in."""
        row = self._database.query_one("SELECT count(*) AS n FROM events")
        excess = (int(row["n"]) if row else 0) - self._events_max
        return self._prune_events(stop, _ALL, excess + self._events_max // 10) if excess > 0 else 0

    def _prune_events(self, stop: threading.Event, ended: str, most: int | None = None) -> int:
        """Events of what ended before an instant, the oldest first; at most so many."""
        number, removed, newest = 0, 0, self._database.last_event_seq()
        while not stop.is_set() and (most is None or removed < most):
            values = {"ended": ended, "number": number, "newest": newest, "batch": self._batch}
            rows = self._database.query(EVENTS_SQL, values)
            old = [row["number"] for row in rows if not row["is_kept"]]
            removed += self._delete(
                DELETE_EVENTS_SQL, old[: None if most is None else most - removed], {}, stop
            )
            if len(rows) < self._batch or rows[-1]["at"] >= ended:
                break
            number = rows[-1]["number"]
        return removed

    def _delete(self, sql: str, numbers: Sequence[int], values: dict[str, str], stop: threading.Event) -> int:
        """Not flushed to the disk: what a power failure brings back is removed again."""
        if not numbers:
            return 0
        with self._database.transaction(durable=False) as tx:
            removed = tx.execute(sql, {"numbers": json.dumps(list(numbers)), **values}).rowcount
        stop.wait(self._pause_s)
        return removed
