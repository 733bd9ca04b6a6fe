"""A job file that somebody deletes from processing/ cancels its job."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from hotfolder.errors import HotfolderError
from hotfolder.events import FILE_MANAGER
from hotfolder.files.names import parse_claim_name
from hotfolder.library.jobs import Job

log = logging.getLogger(__name__)


class Jobs(Protocol):
    """What is asked of jobs."""

    def list_active_ids(self) -> set[str]:
        """Ids of the jobs that have not ended."""

    def get(self, job_id: str) -> Job:
        """The job."""


class ProcessingWatch:
    """Compares listings of processing/; one thread looks, any may say what to expect.

    A job counts as cancelled when its file was seen before and is missing in two looks while the job goes on:
    for an instant it is missing too when it takes on its submitter's id. The file of a job that ended and was
    tried again since lies in failed/.
    """

    def __init__(self, folder: Path, jobs: Jobs, cancel: Callable[[str, str], object]) -> None:
        self._folder = folder
        self._jobs = jobs
        self._cancel = cancel
        self._there: set[str] = set()
        self._missed: set[str] = set()
        self._mtime_ns = -1
        self._is_told = False
        self._lock = threading.Lock()

    def expect(self, job_ids: Iterable[str]) -> None:
        """These jobs have their files there: just taken in, or when an earlier run ended."""
        with self._lock:
            self._there.update(job_ids)
            self._mtime_ns = -1  # it may have gone before anybody knew that it was to be there

    def look(self) -> None:
        """Compare with the last look, if the folder has changed or somebody was missed."""
        with self._lock:
            seen_ns, self._mtime_ns = self._mtime_ns, 0  # `expect` may set it anew meanwhile
        try:
            mtime_ns = self._folder.stat().st_mtime_ns
            if mtime_ns == seen_ns and not self._missed:  # nothing came or went
                self._keep(mtime_ns)
                return
            now = {named[0] for file in self._folder.iterdir() if (named := parse_claim_name(file.name))}
        except OSError as error:
            self._tell(error)
            return
        self._is_told = False
        with self._lock:
            gone = self._there - now
            self._there = now | (gone - self._missed)
        for job_id in gone & self._missed & (self._jobs.list_active_ids() if gone & self._missed else set()):
            self._try_to_cancel(job_id)
        self._missed = gone - self._missed
        self._keep(mtime_ns)

    def _keep(self, mtime_ns: int) -> None:
        with self._lock:
            if self._mtime_ns == 0:
                self._mtime_ns = mtime_ns

    def _tell(self, error: OSError) -> None:
        if not self._is_told:
            log.warning("processing/ cannot be listed: %s", error)
        self._is_told = True

    def _try_to_cancel(self, job_id: str) -> None:
        try:
            before = self._jobs.get(job_id).retry_of_path
            if before is not None and (self._folder.parent / before).exists():
                return
            self._cancel(job_id, FILE_MANAGER)
            log.info("job %s is cancelled: its file was deleted from processing/", job_id)
        except HotfolderError as error:
            log.info("job %s is not cancelled: %s", job_id, error)
