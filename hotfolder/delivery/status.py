"""The status folder: a JSON file and a line for people for every job that has not ended."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from hotfolder.database import Database
from hotfolder.delivery.documents import build_progress, build_status, build_status_line
from hotfolder.domain.generation import ACTIVE
from hotfolder.events import (
    GENERATION_CHANGED,
    GENERATION_PROGRESS,
    JOB_CHANGED,
    JOB_RECEIVED,
    Doorbell,
    Event,
)
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import write_atomic, write_json
from hotfolder.library.generations import GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.queue.store import WorkStore

log = logging.getLogger(__name__)

INTERVAL_S = 0.5
"""A running job's status is written at most twice a second."""
WAITING_INTERVAL_S = 10.0
"""A waiting job's place in the queue is written at most every so often."""


class StatusWriter:
    """Follows the events in a thread of its own; nobody else writes into status/."""

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
        self._progress: dict[str, Mapping[str, Any]] = {}

    def start(self) -> None:
        """Write the status of every active job, remove the rest, then follow."""
        self._after = self._database.last_event_seq()
        self._write_all(remove_others=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what has changed once more, and end."""
        self._stop.set()
        self._bell.set()
        if self._thread.ident is not None:
            self._thread.join(5.0)
            self._follow()

    def _loop(self) -> None:
        write_all_at = time.monotonic() + WAITING_INTERVAL_S
        while not self._stop.is_set():
            self._bell.wait(WAITING_INTERVAL_S)
            self._bell.clear()
            try:
                self._follow()
                if time.monotonic() >= write_all_at:
                    self._write_all(remove_others=False)
                    write_all_at = time.monotonic() + WAITING_INTERVAL_S
            except Exception:  # a full disk must not end the reports for good
                log.exception("the status files could not be written; the next change tries again")
            self._stop.wait(INTERVAL_S)

    def _follow(self) -> None:
        changed: dict[str, None] = {}
        while events := self._database.list_events(self._after):
            for event in events:
                self._after = event.seq
                changed |= dict.fromkeys(self._jobs_of(event))
        for job_id in changed:
            self._write_one(job_id)

    def _jobs_of(self, event: Event) -> list[str]:
        if event.topic in (JOB_CHANGED, JOB_RECEIVED):
            return [event.subject_id]
        if event.topic == GENERATION_PROGRESS:
            self._progress[event.subject_id] = event.data
            return [event.data["jobId"]]
        if event.topic == GENERATION_CHANGED:
            if event.data["status"] != "processing":
                self._progress.pop(event.subject_id, None)
            return [event.data["jobId"]]
        return []

    def _write_all(self, *, remove_others: bool) -> None:
        active = self._jobs.list_active_ids()
        for job_id in sorted(active):
            self._write_one(job_id)
        if remove_others:
            for file in (self._paths.root / "status").iterdir():
                if file.suffix == ".tmp" or (file.stem not in active and file.suffix in (".json", ".txt")):
                    file.unlink(missing_ok=True)

    def _write_one(self, job_id: str) -> None:
        job = self._jobs.find(job_id)
        if job is None:
            return
        if job.status not in ACTIVE:
            self._paths.status_json(job_id).unlink(missing_ok=True)
            self._paths.status_text(job_id).unlink(missing_ok=True)
            return
        progress = self._build_progress(job)
        write_json(self._paths.status_json(job_id), build_status(job, progress))
        line = build_status_line(job, progress) + "\n"
        write_atomic(self._paths.status_text(job_id), line.encode("utf-8", "replace"))

    def _build_progress(self, job: Job) -> dict[str, Any]:
        generations = self._generations.list_of_job(job.job_id)
        first = next((each for each in generations if each.status == "pending"), None)
        position = self._work.queue_position(first.generation_id, "gpu") if first else None
        return build_progress(generations, self._progress, position if job.status == "queued" else None)
