"""The status folder: a JSON file and a line for people for every job that has not ended."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hotfolder.database import Database
from hotfolder.delivery.documents import build_progress, build_status, build_status_line
from hotfolder.delivery.forecast import Forecast
from hotfolder.domain.generation import ACTIVE
from hotfolder.errors import NotFound
from hotfolder.events import (
    ENGINE_STATUS,
    GENERATION_CHANGED,
    GENERATION_PROGRESS,
    JOB_CHANGED,
    JOB_RECEIVED,
    Doorbell,
    Event,
)
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import write_atomic, write_json
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.library.timings import TimingStore
from hotfolder.queue.store import WorkStore

log = logging.getLogger(__name__)

INTERVAL_S = 0.5
"""A running job's status is written at most twice a second."""
WAITING_INTERVAL_S = 10.0
"""A waiting job's place in the queue is written at most every so often."""
NEXT_ITEMS = 200
"""So many items from the head of the queue have their places kept up to date."""
RETRY_S = 1.0
"""A file that could not be written or removed is tried again after this time."""
LAST_S = 1.0
"""At the stop, what has changed is written for at most this time."""
JOIN_S = 5.0
LANE = "gpu"
RUNNING = frozenset({"running", "cancelling", "processing"})
"""What job and generation events say of a job that is at work."""


@dataclass(frozen=True, slots=True)
class _Written:
    """What a job's file says, and the moment (monotonic) when that became known."""

    text_hash: int
    at_s: float


class StatusWriter:
    """Follows the events in a thread of its own; nobody else writes into status/.

    A job whose file may be out of date stands in a pile until the file was really written or removed.
    """

    def __init__(
        self,
        database: Database,
        paths: LibraryPaths,
        jobs: JobStore,
        generations: GenerationStore,
        work: WorkStore,
        doorbell: Doorbell,
    ) -> None:
        self._database = database
        self._paths = paths
        self._jobs = jobs
        self._generations = generations
        self._work = work
        self._bell = doorbell.listen()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="status", daemon=True)
        self._after = 0
        self._is_surveyed = False
        self._round_at_s = 0.0
        self._retry_at_s = 0.0
        self._live: dict[str, None] = {}  # running jobs with news
        self._changed: dict[str, None] = {}  # other jobs with news
        self._round: dict[str, None] = {}  # jobs to look at when there is no news
        self._failed: dict[str, None] = {}
        self._is_failing = False
        self._running: set[str] = set()
        self._positions: dict[str, int] = {}
        self._progress: dict[str, Mapping[str, Any]] = {}
        self._written: dict[str, _Written] = {}
        self._forecast = Forecast(TimingStore(database), database.now)

    def start(self) -> None:
        """Begin to follow; the files that an earlier run left are put right in the thread."""
        self._after = self._database.last_event_seq()
        self._thread.start()

    def stop(self) -> None:
        """End the thread, which first writes what has changed if that does not take long."""
        self._stop.set()
        self._bell.set()
        if self._thread.ident is None:
            return
        self._thread.join(JOIN_S)
        if self._thread.is_alive():
            log.warning("the status files are still being written after %g s", JOIN_S)

    def _loop(self) -> None:
        while not self._stop.is_set():
            began_at_s = time.monotonic()
            try:
                self._beat(began_at_s + INTERVAL_S)
            except Exception:  # a busy database must not end the reports for good
                log.exception("the status of the jobs could not be read; trying again")
            self._pause(began_at_s + INTERVAL_S)
        self._write_last()

    def _beat(self, until_s: float) -> None:
        """Take in the news, then bring files up to date, the most urgent first."""
        self._bell.clear()
        self._follow()
        self._survey()
        self._put_back_failed()
        self._begin_round()
        while not self._stop.is_set() and time.monotonic() < until_s:
            job_id = self._find_due()
            if job_id is None:
                return
            self._serve(job_id)

    def _pause(self, beat_ends_at_s: float) -> None:
        self._stop.wait(max(0.0, beat_ends_at_s - time.monotonic()))
        if self._live or self._changed or self._round:
            return
        due_at_s = min(self._round_at_s, self._retry_at_s) if self._failed else self._round_at_s
        self._bell.wait(min(max(0.0, due_at_s - time.monotonic()), WAITING_INTERVAL_S))

    def _write_last(self) -> None:
        """News only, for a moment: what is left is put right at the next start."""
        until_s = time.monotonic() + LAST_S
        try:
            self._follow()
            for job_id in [*self._live, *self._changed, *self._failed]:
                if time.monotonic() >= until_s:
                    return
                self._serve(job_id)
        except Exception:
            log.exception("the last status of the jobs could not be written")

    def _follow(self) -> None:
        while events := self._database.list_events(self._after):
            for event in events:
                self._after = event.seq
                self._note(event)

    def _note(self, event: Event) -> None:
        if event.topic in (JOB_CHANGED, JOB_RECEIVED):
            job_id = event.subject_id
        elif event.topic in (GENERATION_PROGRESS, GENERATION_CHANGED):
            job_id = event.data["jobId"]
            self._note_progress(event)
        else:
            if event.topic == ENGINE_STATUS:
                self._forecast.note_engine(event.data["state"])
            return
        is_running = event.topic == GENERATION_PROGRESS or event.data.get("status") in RUNNING
        pile = self._live if is_running or job_id in self._running else self._changed
        pile[job_id] = None
        if (
            event.data.get("status") == "queued" or "priority" in event.data
        ):  # its wait is told from who is ahead now
            self._round_at_s = 0.0

    def _note_progress(self, event: Event) -> None:
        if event.topic == GENERATION_PROGRESS:
            self._progress[event.subject_id] = event.data
        elif event.data["status"] != "processing":
            self._progress.pop(event.subject_id, None)

    def _survey(self) -> None:
        """Once: what an earlier run left behind goes, then come files that are missing or out of date."""
        if self._is_surveyed:
            return
        active = self._jobs.list_active_ids()
        found: set[str] = set()
        for file in (self._paths.root / "status").iterdir():
            if self._stop.is_set():
                return
            if file.suffix == ".tmp":
                file.unlink(missing_ok=True)
            elif file.suffix == ".json" or (file.suffix == ".txt" and file.stem not in active):
                found.add(file.stem)
        order = [*sorted(found - active), *sorted(active - found), *sorted(active & found)]
        self._round = dict.fromkeys(order)
        self._round_at_s = time.monotonic() + WAITING_INTERVAL_S
        self._is_surveyed = True

    def _put_back_failed(self) -> None:
        if self._failed and time.monotonic() >= self._retry_at_s:
            self._changed |= self._failed
            self._failed = {}

    def _begin_round(self) -> None:
        """Look again at what runs and at the head of the queue; the places come from one query."""
        if time.monotonic() < self._round_at_s:
            return
        self._round_at_s = time.monotonic() + WAITING_INTERVAL_S
        self._live |= dict.fromkeys(self._running)
        self._positions = {}
        head: dict[str, None] = {}
        waiting: list[Generation] = []
        for place, generation_id in enumerate(self._work.list_pending(LANE, NEXT_ITEMS)):
            self._positions.setdefault(generation_id, place)
            try:
                generation = self._generations.get(generation_id)
            except NotFound:  # work of another kind
                continue
            head[generation.job_id] = None
            waiting.append(generation)
        self._forecast.look(waiting, self._list_running())
        self._round = head | self._round

    def _list_running(self) -> list[Generation]:
        found = (self._generations.list_of_job(job_id) for job_id in self._running)
        return [each for generations in found for each in generations if each.status == "processing"]

    def _find_due(self) -> str | None:
        """The next job to bring up to date: not before its time, except on a change of state."""
        now_s = time.monotonic()
        piles = ((self._live, INTERVAL_S), (self._changed, 0.0), (self._round, WAITING_INTERVAL_S))
        for pile, interval_s in piles:
            for job_id in pile:
                written = self._written.get(job_id)
                if written is None or now_s - written.at_s >= interval_s:
                    return job_id
        return None

    def _serve(self, job_id: str) -> None:
        """Write or remove a job's files; what fails is kept for later, and said once."""
        for pile in (self._live, self._changed, self._round):
            pile.pop(job_id, None)
        try:
            self._write_one(job_id)
        except Exception:  # a full disk must not end the reports for good
            if not self._failed:
                self._retry_at_s = time.monotonic() + RETRY_S
            if not self._is_failing:
                log.exception("the status of job %s could not be written; trying again", job_id)
            self._is_failing = True
            self._failed[job_id] = None
        else:
            self._is_failing = False
            self._failed.pop(job_id, None)

    def _write_one(self, job_id: str) -> None:
        job = self._jobs.find(job_id)
        if job is None or job.status not in ACTIVE:
            self._remove(job_id)
            return
        (self._running.add if job.status in RUNNING else self._running.discard)(job_id)
        progress = self._build_progress(job)
        status, line = build_status(job, progress), build_status_line(job, progress)
        text_hash = hash(json.dumps(status))
        written = self._written.pop(job_id, None)
        earlier = written.text_hash if written else _read_hash(self._paths.status_json(job_id))
        is_same = earlier == text_hash
        if not is_same:  # the JSON last: when it is right, so is the line
            write_atomic(self._paths.status_text(job_id), (line + "\n").encode("utf-8", "replace"))
            write_json(self._paths.status_json(job_id), status)
        at_s = written.at_s if written and is_same else time.monotonic()
        self._written[job_id] = _Written(text_hash, at_s)

    def _remove(self, job_id: str) -> None:
        self._written.pop(job_id, None)
        self._running.discard(job_id)
        self._paths.status_json(job_id).unlink(missing_ok=True)
        self._paths.status_text(job_id).unlink(missing_ok=True)

    def _build_progress(self, job: Job) -> dict[str, Any]:
        generations = self._generations.list_of_job(job.job_id)
        first = next((each for each in generations if each.status == "pending"), None)
        position = self._find_position(first.generation_id) if first and job.status == "queued" else None
        left = self._forecast.left(generations, self._progress, job.status, position)
        return build_progress(generations, self._progress, position, left)

    def _find_position(self, generation_id: str) -> int | None:
        place = self._positions.pop(generation_id, None)  # good for one file: after that it may have moved
        return self._work.queue_position(generation_id, LANE) if place is None else place


def _read_hash(path: Path) -> int | None:
    """What the file of an earlier run says, to be compared; None when there is none to read."""
    try:
        return hash(json.dumps(json.loads(path.read_bytes())))
    except (OSError, ValueError):
        return None
