"""Finds work that nothing will move on any more, and acts on it by rule; each time it says why.

Why work that hangs loses its lease, and is not cancelled: a cancel would end the whole picture. Without its
token whoever has it in hand can write nothing; its worker notices at the next heartbeat, interrupts it, and
once it has let go records a failed attempt like any other. So work is never in two hands at once, attempts
and back-off count as ever, and what is never let go of costs no other attempt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, cast

from hotfolder.database import Database, Transaction
from hotfolder.domain.generation import ENDED, GenerationStatus
from hotfolder.domain.work import Lane, NewWork, WorkItem
from hotfolder.errors import HotfolderError
from hotfolder.events import ENGINE_STATUS, GENERATION_PROGRESS
from hotfolder.generation.closing import JobCloser, error_object
from hotfolder.generation.execute import EXECUTE
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.queue.store import WorkStore

log = logging.getLogger(__name__)

STALE: Final = "queue.stale"
LANE: Final = "gpu"
FINDINGS_MAX: Final = 100
"""So many findings of each rule are acted on in one look."""
_TO_COME = frozenset({"pending", "processing"})
_OPEN = frozenset({"pending", "scheduled", "processing"})
_GOES_ON = frozenset({"queued", "running", "cancelling"})

LOST_PICTURES_SQL: Final = """
    SELECT g.id FROM generations g JOIN jobs j ON j.id = g.job_id
    WHERE g.status IN ('pending', 'processing') AND g.position IS NOT NULL
      AND j.status IN ('queued', 'running', 'cancelling')
      AND NOT EXISTS (
          SELECT 1 FROM work_queue w
          WHERE w.correlation_id = g.id AND w.status IN ('pending', 'scheduled', 'processing')
      )
    LIMIT ?
"""
FORGOTTEN_JOBS_SQL: Final = """
    SELECT j.id FROM jobs j
    WHERE j.status IN ('queued', 'running', 'cancelling')
      AND NOT EXISTS (
          SELECT 1 FROM generations g
          WHERE g.job_id = j.id AND g.position IS NOT NULL AND g.status IN ('pending', 'processing')
      )
    LIMIT ?
"""
# The plus keeps SQLite off the index of statuses, where every job that has ended stands.
UNDELIVERED_SQL: Final = f"""
    SELECT j.id FROM jobs j
    WHERE j.final_path IS NULL AND +j.status IN ('completed', 'failed', 'cancelled', 'partially_completed')
      AND NOT EXISTS (
          SELECT 1 FROM work_queue w
          WHERE w.correlation_id = j.id AND w.status IN ('pending', 'scheduled', 'processing')
      )
      AND NOT EXISTS (
          SELECT 1 FROM events e
          WHERE e.subject_id = j.id AND e.topic = '{STALE}' AND e.at > j.completed_at
      )
    LIMIT ?
"""
_TOLD_SQL: Final = f"SELECT 1 FROM events WHERE subject_id = ? AND topic = '{STALE}' LIMIT 1"


class StaleWatch:
    """Looks around now and then; what only waits (held, paused, tried again later) is left alone."""

    def __init__(
        self,
        database: Database,
        jobs: JobStore,
        generations: GenerationStore,
        work: WorkStore,
        closer: JobCloser,
        *,
        silence_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`silence_s` is longer than an engine may take to load a model and make a picture."""
        self._database = database
        self._jobs = jobs
        self._generations = generations
        self._work = work
        self._closer = closer
        self._silence_s = silence_s
        self._clock = clock
        self._signs: tuple[object, ...] = ()
        self._silent_since_s = 0.0

    def look(self, stop: threading.Event) -> int:
        """Apply every rule; gives how often something was done.

        Jobs at a remote provider that never answers are for a rule of their own, once there are such jobs.
        """
        found = int(self._interrupt_silent())
        rules = (
            (LOST_PICTURES_SQL, self._bring_back),
            (FORGOTTEN_JOBS_SQL, self._close),
            (UNDELIVERED_SQL, self._deliver),
        )
        for sql, act in rules:
            ids = [row["id"] for row in self._database.query(sql, (FINDINGS_MAX,))]
            found += sum(self._act_on(each, act) for each in ids if not stop.is_set())
        return found

    def _act_on(self, subject_id: str, act: Callable[[Transaction, str], bool]) -> bool:
        """A border: one finding that cannot be acted on must not keep the others."""
        try:
            with self._database.transaction() as tx:
                return act(tx, subject_id)
        except Exception:
            log.exception("nothing could be done about %s, which is stale", subject_id)
            return False

    def _interrupt_silent(self) -> bool:
        """The item longest in hand on the gpu lane, when nothing on that lane has moved for too long.

        Silence is measured by looking on, so that a machine that slept is not mistaken for one that hangs.
        One item at a time: the other one waits for it. While one is being interrupted nothing more is done.
        """
        items = self._work.list_in_hand(LANE)
        signs = self._read_signs(items)
        if signs != self._signs or self._engine_rests():
            self._signs, self._silent_since_s = signs, self._clock()
            return False
        is_waiting = not items or any(each.lease_token is None for each in items)
        if is_waiting or self._clock() - self._silent_since_s < self._silence_s:
            return False
        return self._act_on(items[0].correlation_id, lambda tx, _: self._interrupt(tx, items[0]))

    def _read_signs(self, items: Sequence[WorkItem]) -> tuple[object, ...]:
        """What changes whenever something moves on the lane, or something was done about it."""
        topics = (GENERATION_PROGRESS, ENGINE_STATUS, STALE)
        latest = [self._database.last_event(each) for each in topics]
        first = items[0].lease_token if items else None
        return (first, *(each.seq if each else 0 for each in latest))

    def _engine_rests(self) -> bool:
        """Whether an engine that failed waits to be started again: whoever needs it waits as well."""
        engine = self._database.last_event(ENGINE_STATUS)
        return engine is not None and (engine.data.get("retryAt") or "") > self._database.now()

    def _interrupt(self, tx: Transaction, item: WorkItem) -> bool:
        if not self._work.void(tx, item):
            return False
        found = f"no progress for {self._silence_s:g} s in attempt {item.attempt_count}"
        why = "A picture takes no longer than the settings allow for a model and a picture together."
        self._tell(tx, "generation", item.correlation_id, found, why, "interrupted, to be tried again")
        return True

    def _bring_back(self, tx: Transaction, generation_id: str) -> bool:
        """Queue the work of a picture again, once; then, or if nothing is known of it, the picture fails."""
        generation = self._generations.get(generation_id)
        job, items = self._jobs.get(generation.job_id), self._work.list_of(generation_id)
        is_open = any(each.status in _OPEN for each in items)
        if is_open or generation.status not in _TO_COME or job.status not in _GOES_ON:
            return False
        may_go_on = bool(items) and not job.cancel_requested and not self._was_told(generation_id)
        done = "queued again" if may_go_on else "ended"
        why = "Nothing would ever have made it: a picture ends in the transaction that ends its last work."
        self._tell(tx, "generation", generation_id, "a picture to be made without any work for it", why, done)
        if may_go_on:
            self._queue_again(tx, generation, items[-1])
        else:
            self._end(tx, generation, job)
        return True

    def _queue_again(self, tx: Transaction, generation: Generation, last: WorkItem) -> None:
        if last.task_type == EXECUTE and generation.status == "processing":
            self._generations.set_status(tx, generation.generation_id, "pending")
        again = NewWork(
            last.task_type,
            cast("Lane", last.lane),
            last.payload,
            "generation",
            generation.generation_id,
            last.priority,
            last.max_attempts,
            last.affinity,
            since=last.since,
        )
        self._work.enqueue(tx, again)

    def _end(self, tx: Transaction, generation: Generation, job: Job) -> None:
        error = _build_error("There is no work left that would make this picture.")
        status: GenerationStatus = "cancelled" if job.cancel_requested else "failed"
        self._generations.set_status(tx, generation.generation_id, status, error=error_object(error))
        self._closer.close_if_ended(tx, job.job_id)

    def _close(self, tx: Transaction, job_id: str) -> bool:
        """End a job of which no picture is still to come; one without any picture has failed."""
        job, pictures = self._jobs.get(job_id), self._generations.list_of_job(job_id)
        if job.status not in _GOES_ON or any(each.status in _TO_COME for each in pictures):
            return False
        why = "A job ends in the transaction that ends its last picture."
        self._tell(tx, "job", job_id, f"{job.status}, and no picture is to come", why, "ended")
        if not pictures:
            error = _build_error("The pictures of this job are gone.")
            self._closer.refuse(tx, job_id, error_object(error))
            return True
        if job.status == "queued":  # only a job that has run is completed
            self._jobs.set_status(tx, job_id, "running")
        self._closer.close_if_ended(tx, job_id)
        return True

    def _deliver(self, tx: Transaction, job_id: str) -> bool:
        """Deliver the result of an ended job once more; if that fails too, it is told and left."""
        job = self._jobs.get(job_id)
        if job.status not in ENDED or job.final_path is not None:
            return False
        why = "No place in done/ or failed/ was reserved, and no delivery waits or runs."
        self._tell(tx, "job", job_id, "ended, and never delivered", why, "delivery queued again")
        self._closer.deliver(tx, job_id)
        return True

    def _was_told(self, subject_id: str) -> bool:
        return self._database.query_one(_TOLD_SQL, (subject_id,)) is not None

    def _tell(self, tx: Transaction, kind: str, subject_id: str, found: str, why: str, done: str) -> None:
        log.warning("%s %s: %s; %s", kind, subject_id, found, done)
        tx.event(STALE, kind, subject_id, {"found": found, "why": why, "done": done})


def _build_error(message: str) -> HotfolderError:
    return HotfolderError(message, code="queue.stale", hint="`hotfolder jobs retry` runs the job again.")
