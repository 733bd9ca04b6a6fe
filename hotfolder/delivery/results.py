"""Queue handler that ends a job's file: into done/ or failed/, with its result and its report."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from hotfolder.database import Database, Transaction
from hotfolder.delivery.documents import build_report, build_result
from hotfolder.delivery.flood import FailureTally
from hotfolder.domain.generation import ENDED
from hotfolder.domain.instants import parse_instant
from hotfolder.domain.work import EndStatus, WorkItem
from hotfolder.errors import HotfolderError
from hotfolder.files.names import REPORT_SUFFIX, RESULT_SUFFIX, claim_name, free_name
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import (
    move_folder,
    rename_new,
    replace_file,
    sync_folder,
    write_atomic,
    write_json,
)
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.library.media import MediaStore
from hotfolder.metrics import DELIVERIES, REPORTS_SHARED
from hotfolder.queue.worker import Done

log = logging.getLogger(__name__)

DELIVERED = "delivery.completed"
_TURNS = 64


class ResultHandler:
    """`delivery.result`: repeatable, since the final place is reserved in the job's row first."""

    def __init__(
        self,
        database: Database,
        paths: LibraryPaths,
        jobs: JobStore,
        generations: GenerationStore,
        media: MediaStore,
        *,
        failed_layout: Literal["flat", "dated"] = "flat",
        tally: FailureTally | None = None,
    ) -> None:
        self._database = database
        self._paths = paths
        self._jobs = jobs
        self._generations = generations
        self._media = media
        self._failed_layout = failed_layout
        self._started = format(int(time.time()), "x")
        self._tally = tally or FailureTally()
        self._sharing = threading.Lock()
        self._turns = [threading.Lock() for _ in range(_TURNS)]

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:  # noqa: ARG002 - short work
        """Move every file that stands for the job, and write its result beside each, last of all.

        Several items of one job (a repeat was dropped, a restart was not sure) take turns; what is left of an
        earlier run of the job does nothing.
        """
        job_id = item.payload["jobId"]
        with self._turns[hash(job_id) % _TURNS]:
            job = self._jobs.get(job_id)
            return self._deliver(job) if _has_ended(job, item.payload["run"]) else _nothing()

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        """Nothing to take back."""

    def ended(self, tx: Transaction, item: WorkItem, status: EndStatus, error: HotfolderError) -> None:
        """The result could not be written (a full disk, a read-only folder): the rows still have it."""
        data = {"code": error.code, "message": error.message, "status": status}
        tx.event("delivery.failed", "job", item.payload["jobId"], data)
        tx.count(DELIVERIES, {"kind": "result", "outcome": status})

    def _deliver(self, job: Job) -> Done:
        files = self._find_files(job)
        final = self._paths.absolute(job.final_path) if job.final_path else self._reserve(job, bool(files))
        if final is None:
            return _nothing()
        if not final.exists():
            self._move_own(job, files, final)
        shares_report = self._write_documents(job, final)
        for repeat in filter(Path.exists, files):  # all but the one that has just been moved
            self._put_beside(job, repeat, final.parent)
        self._remove_old_documents(job, final)

        def record(tx: Transaction) -> None:
            tx.event(
                DELIVERED, "job", job.job_id, {"path": self._paths.relative(final), "status": job.status}
            )
            tx.count(DELIVERIES, {"kind": "result", "outcome": "completed"})
            if shares_report:
                tx.count(REPORTS_SHARED)

        log.info("job %s %s: %s", job.job_id, job.status, self._paths.relative(final))
        return Done(record)

    def _find_files(self, job: Job) -> list[Path]:
        """What stands for the job in processing/; only then listed when it cannot be known by name."""
        own = self._paths.processing / claim_name(job.job_id, job.file_name)
        if not job.repeats and os.path.lexists(own):
            return [own]
        return sorted(self._paths.processing.glob(f"{job.job_id}--*"))

    def _reserve(self, job: Job, has_file: bool) -> Path | None:
        """Choose the place and note it, so that a repeat after a crash takes the same one.

        None when the job has begun to run again meanwhile: the place would be taken for that run's.
        """
        folder = self._folder(job)
        old = self._old_place(job)
        reuse = old is not None and old.parent == folder and not (has_file and old.exists())
        place = old if reuse and old is not None else self._free_place(job, folder)
        while True:
            with self._database.transaction() as tx:
                if not _has_ended(self._jobs.get(job.job_id), job.run):
                    return None
                relative = self._paths.relative(place)
                if not self._jobs.is_final_path_taken(relative):
                    self._jobs.set_final_path(tx, job.job_id, relative)
                    return place
            place = self._free_place(job, folder)  # another job of that name was quicker

    def _folder(self, job: Job) -> Path:
        if job.completed_at is None:
            return self._paths.failed
        at = parse_instant(job.completed_at)
        if job.status == "completed":
            return self._paths.done_dir(at)
        return self._paths.failed_dir(at) if self._failed_layout == "dated" else self._paths.failed

    def _free_place(self, job: Job, folder: Path) -> Path:
        return folder / free_name(folder, job.file_name, self._is_taken)

    def _is_taken(self, path: Path) -> bool:
        beside = (path, *(path.with_name(path.name + suffix) for suffix in (RESULT_SUFFIX, REPORT_SUFFIX)))
        return any(each.exists() for each in beside) or self._jobs.is_final_path_taken(
            self._paths.relative(path)
        )

    def _old_place(self, job: Job) -> Path | None:
        return self._paths.absolute(job.retry_of_path) if job.retry_of_path else None

    def _move_own(self, job: Job, files: list[Path], final: Path) -> None:
        """The claimed file, else the one that an earlier run left, else the text as it was accepted."""
        old = self._old_place(job)
        sources = [*files, *([old] if old is not None and old != final else [])]
        for source in sources:
            with contextlib.suppress(FileNotFoundError):
                (move_folder if source.is_dir() else replace_file)(source, final)
                return
        write_atomic(final, job.text)

    def _put_beside(self, job: Job, repeat: Path, folder: Path) -> None:
        """Another file of the job; its result comes first, and keeps the place if a crash comes between."""
        name = free_name(
            folder, job.file_name, lambda path: self._is_taken(path) and not _is_kept_for(path, job)
        )
        self._write_documents(job, folder / name)
        rename_new(repeat, folder / name)
        sync_folder(folder)
        sync_folder(repeat.parent)

    def _write_documents(self, job: Job, final: Path) -> bool:
        """Result and report; gives whether the report is that of a flood."""
        generations = self._generations.list_of_job(job.job_id)
        shares = final.is_relative_to(self._paths.failed) and self._write_report(job, generations, final)
        pairs = [(each, self._media.list_of_generation(each.generation_id)) for each in generations]
        write_json(final.with_name(final.name + RESULT_SUFFIX), build_result(job, pairs))
        return shares

    def _write_report(self, job: Job, generations: list[Generation], final: Path) -> bool:
        """Beside the file, unless very many failed for the same reason: then all have one."""
        if job.error and self._write_shared(job.error, final):
            return True
        report = build_report(job, generations, final.name, self._paths.inbox.name)
        write_atomic(final.with_name(final.name + REPORT_SUFFIX), report.encode("utf-8", "replace"))
        return False

    def _write_shared(self, error: Mapping[str, Any], final: Path) -> bool:
        with self._sharing:  # who is counted last writes last
            flood = self._tally.count(error, final.name)
            if flood is None:
                return False
            number, report = flood
            name = f"many-{self._started}-{number}{REPORT_SUFFIX}"
            write_atomic(final.with_name(name), report.encode("utf-8", "replace"))
            return True

    def _remove_old_documents(self, job: Job, final: Path) -> None:
        """The reports of an earlier run go once its file has left them."""
        old = self._old_place(job)
        if old is None or old == final or old.exists():
            return
        for suffix in (REPORT_SUFFIX, RESULT_SUFFIX):
            old.with_name(old.name + suffix).unlink(missing_ok=True)


def _has_ended(job: Job, run: int) -> bool:
    return job.status in ENDED and job.run == run


def _nothing() -> Done:
    """The job runs again: that run has its own delivery."""
    return Done(lambda tx: None)  # noqa: ARG005 - nothing to record


def _is_kept_for(place: Path, job: Job) -> bool:
    """Whether a result of this job lies there without its file."""
    try:
        result = json.loads(place.with_name(place.name + RESULT_SUFFIX).read_bytes())
    except (OSError, ValueError):
        return False
    return not place.exists() and isinstance(result, dict) and result.get("jobId") == job.job_id
