"""A day of work on a clock that is moved by hand: the database stays small because of the retention."""

from __future__ import annotations

import hashlib
import threading
from itertools import count
from pathlib import Path

from hotfolder.database import Database
from hotfolder.domain.instants import uuid7
from hotfolder.domain.work import NewWork, WorkItem
from hotfolder.events import GENERATION_MADE, GENERATION_PROGRESS, GENERATION_RESULT
from hotfolder.generation.closing import JobCloser
from hotfolder.generation.execute import EXECUTE, FINALIZE
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.library.media import Media, MediaStore
from hotfolder.migrations import migrate
from hotfolder.queue.store import WorkStore
from hotfolder.upkeep.history import History
from tests.upkeep.conftest import HandClock

HOURS = 24
JOBS_AN_HOUR, PICTURES_OF_A_JOB = 15, 5
SIZE_MAX = 7_500_000
"""Bytes after a day of 1,800 pictures; more than half of it is what the library knows of the pictures."""


class Studio:
    """The queue and the library at work, without engine and files; all that a job leaves is written."""

    def __init__(self, path: Path) -> None:
        migrate(path)
        self.clock = HandClock()
        self.database = Database(path, clock=self.clock.instant)
        numbers = count()
        self.new_id = lambda: uuid7(1_800_000_000_000, next(numbers))
        self.jobs, self.generations = JobStore(self.database), GenerationStore(self.database)
        self.media = MediaStore(self.database)
        self.work = WorkStore(self.database, make_id=self.new_id)
        self.closer = JobCloser(self.database, self.jobs, self.generations, self.work)

    def submit(self, pictures: int) -> None:
        """A job comes in."""
        job_id = self.new_id()
        with self.database.transaction(durable=False) as tx:
            text = b"params: {prompt: A quiet bay in the first light of a winter morning}\n" * 4
            self.jobs.insert(tx, Job(job_id, "received", "day/bay.yaml", "bay.yaml", text, tx.at))
            self.jobs.set_status(tx, job_id, "queued")
            for position in range(pictures):
                picture = self.new_id()
                params = {"prompt": "A quiet bay in the first light of a winter morning", "steps": 4}
                values = ("local", "local.image", "text-to-image", params, 1024, 1024, position)
                row = Generation(picture, job_id, position, *values, "pending", tx.at)
                self.generations.insert(tx, row, [])
                self.work.enqueue(
                    tx, NewWork(EXECUTE, "gpu", {"generationId": picture}, "generation", picture)
                )

    def work_off(self) -> int:
        """Do all that waits; gives the number of pictures."""
        pictures = 0
        while (item := self.work.claim("gpu")) is not None:
            self._make(item)
            self._save(self._claim("cpu"))
            pictures += 1
        while (item := self.work.claim("io")) is not None:
            self._deliver(item)
        return pictures

    def _claim(self, lane: str) -> WorkItem:
        item = self.work.claim(lane)
        assert item is not None
        return item

    def _make(self, item: WorkItem) -> None:
        picture = item.correlation_id
        with self.database.transaction(durable=False) as tx:
            self.generations.set_status(tx, picture, "processing", attempts=1)
            job_id = self.generations.get(picture).job_id
            if self.jobs.get(job_id).status == "queued":
                self.jobs.set_status(tx, job_id, "running")
            stages = {"sampling": tx.at, "saving": tx.at}
            progress = {"jobId": job_id, "stage": "saving", "currentStep": 4, "stages": stages}
            tx.event(GENERATION_PROGRESS, "generation", picture, progress)
            self.work.complete(tx, item)
            tx.event(GENERATION_MADE, "generation", picture, {"jobId": job_id, "stages": stages})
            payload = {"generationId": picture, "jobId": job_id, "outcome": "what was made " * 40}
            self.work.enqueue(tx, NewWork(FINALIZE, "cpu", payload, "generation", picture))

    def _save(self, item: WorkItem) -> None:
        picture, job_id = item.correlation_id, item.payload["jobId"]
        sha256 = hashlib.sha256(picture.encode()).hexdigest()
        name = f"originals/2026/11/21/{picture}.png"
        with self.database.transaction(durable=False) as tx:
            self.work.complete(tx, item)
            values = (f"{picture}.png", "generation", 1024, 1024, 2_000_000, "image/png")
            media = Media(picture, name, name + ".webp", *values, sha256, sha256, sha256, tx.at, picture)
            self.media.insert(tx, media, [])
            self.generations.set_status(tx, picture, "completed")
            tx.event(GENERATION_RESULT, "generation", picture, {"jobId": job_id, "path": name})
            self.closer.close_if_ended(tx, job_id)

    def _deliver(self, item: WorkItem) -> None:
        with self.database.transaction(durable=False) as tx:
            self.work.complete(tx, item)
            path = f"done/2026/11/21/{item.correlation_id}.yaml"
            self.jobs.set_final_path(tx, item.correlation_id, path)
            tx.event("delivery.completed", "job", item.correlation_id, {"path": path, "status": "completed"})

    def count_bytes(self) -> int:
        """The size of the database, with all that has been written so far."""
        self.database.query("PRAGMA wal_checkpoint(TRUNCATE)")
        return self.database.path.stat().st_size

    def count(self, table: str) -> int:
        row = self.database.query_one(f"SELECT count(*) AS n FROM {table}")
        return int(row["n"]) if row else 0


def run_hours(studio: Studio, hours: int, history: History | None, size_max: int | None = None) -> int:
    """So many hours of load, or until the database is larger than that; gives its size."""
    stop = threading.Event()
    for _ in range(hours):
        for _ in range(JOBS_AN_HOUR):
            studio.submit(PICTURES_OF_A_JOB)
        assert studio.work_off() == JOBS_AN_HOUR * PICTURES_OF_A_JOB
        studio.clock.advance(3600)
        if history is not None:
            history.prune_progress(stop)
            history.prune(stop)
        if size_max is not None and studio.count_bytes() > size_max:
            break
    return studio.count_bytes()


def test_day_of_load_leaves_a_small_database_because_of_the_retention(tmp_path: Path) -> None:
    kept, pruned = Studio(tmp_path / "kept.db"), Studio(tmp_path / "pruned.db")
    history = History(pruned.database, days=3 / 24, events_max=10_000, pause_s=0.0)

    assert run_hours(pruned, HOURS, history) < SIZE_MAX
    assert run_hours(kept, HOURS, None, SIZE_MAX) > SIZE_MAX, "without retention it would not be small"

    pictures = HOURS * JOBS_AN_HOUR * PICTURES_OF_A_JOB
    assert pruned.count("media") == pruned.count("generations") == pictures, "what was made is no history"
    assert pruned.count("events") <= 10_000
    kept.database.close()
    pruned.database.close()
