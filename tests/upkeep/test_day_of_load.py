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
PICTURES_AN_HOUR = 20
JOBS_AN_HOUR = 40
SIZE_MAX = 60_000_000


class Studio:
    """The queue and the library at work, without engine and files; what a job leaves behind is all written."""

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

    def close(self) -> None:
        self.database.close()


import time,sys
def main(p, prune, hours):
    s=Studio(Path(p)/f"{prune}.db")
    h=History(s.database, days=0.25, events_max=50_000, pause_s=0.0)
    t=time.time(); n=0; tp=0
    for hour in range(hours):
        for _ in range(JOBS_AN_HOUR): s.submit(PICTURES_AN_HOUR)
        n+=s.work_off()
        s.clock.advance(3600)
        t0=time.time()
        if prune:
            stop=threading.Event()
            h.prune_progress(stop); r=h.prune(stop)
        tp+=time.time()-t0
    d=s.database
    print(prune, hours, n, "pics", round(time.time()-t,1),"s", "prune",round(tp,2), s.count_bytes()/1e6, "MB; events", d.query_one("select count(*) n from events")["n"], "work", d.query_one("select count(*) n from work_queue")["n"], "free", d.query_one("PRAGMA freelist_count")[0])
    for r in d.query("SELECT name, sum(pgsize)/1e6 mb FROM dbstat GROUP BY name ORDER BY 2 DESC LIMIT 14") if len(sys.argv)>3 else []: print(r[0], round(r[1],2))
import tempfile
if __name__=="__main__":
    with tempfile.TemporaryDirectory() as p:
        main(p, True, int(sys.argv[1])); main(p, False, int(sys.argv[2]))
