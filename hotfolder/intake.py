"""The way in of job files: everything between the watched inbox and rows, built and driven together."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from hotfolder.app import Library
from hotfolder.clock import new_id, utc_now
from hotfolder.errors import HotfolderError
from hotfolder.generation.returning import ReturnDesk
from hotfolder.watchers.claiming import ClaimDesk
from hotfolder.watchers.door import Door
from hotfolder.watchers.inbox import Inbox
from hotfolder.watchers.inbox_pictures import InboxPictures
from hotfolder.watchers.opening import ClaimOpener, build_rules
from hotfolder.watchers.processing import ProcessingWatch
from hotfolder.watchers.waiting import WaitingRoom

log = logging.getLogger(__name__)

LOCAL_SETTLE_S: Final = 0.5
SWEEP_S: Final = 30.0


@dataclass
class Intake:
    """The parts of the way in, in the order in which a file meets them."""

    library: Library
    claims: ClaimDesk
    inbox: Inbox
    door: Door
    pictures: InboxPictures
    processing: ProcessingWatch
    sweep_at_s: float = 0.0

    def recover(self) -> None:
        """At start: what earlier runs claimed goes through the door again."""
        jobs = self.library.jobs
        self.processing.expect(jobs.list_claimed_ids())
        self.door.put(self.claims.find_claims())

    def stop(self) -> None:
        """Claim and begin nothing more. For good."""
        self.claims.stop()
        self.door.stop()

    def look_around(self) -> None:
        """Now and then: what was deleted from processing/, and pictures that nobody named."""
        self.processing.look()
        if time.monotonic() < self.sweep_at_s:
            return
        self.sweep_at_s = time.monotonic() + SWEEP_S
        try:
            self.pictures.sweep()
        except (HotfolderError, OSError) as error:  # the next sweep repeats it
            log.warning("the pictures in the inbox could not be looked through: %s", error)


def build_intake(library: Library) -> Intake:
    """The way in of a running service."""
    paths, settings = library.paths, library.settings.intake
    room = WaitingRoom()
    claims = ClaimDesk(paths, library.seen, new_id)
    pictures = InboxPictures(
        paths,
        library.seen,
        library.import_desk,
        room,
        keep=settings.refs,
        settle_s=LOCAL_SETTLE_S if settings.settle_ms is None else settings.settle_ms / 1000,
        timeout_s=settings.refs_timeout_s,
    )
    returns = ReturnDesk(paths, library.jobs, library.seen)
    rules = build_rules(max_bytes=settings.bundle_max_bytes, max_job_bytes=settings.max_job_bytes)
    opener = ClaimOpener(returns, paths.unpacked, rules)
    processing = ProcessingWatch(paths.processing, library.jobs, library.control.cancel)
    jobs = _DoorJobs(library, processing)
    door = Door(paths, library.seen, library.service, jobs, opener, pictures, room, clock=utc_now)
    return Intake(library, claims, Inbox(paths.inbox, claims, door, pictures), door, pictures, processing)


class _DoorJobs:
    """What the door asks of jobs."""

    def __init__(self, library: Library, processing: ProcessingWatch) -> None:
        self._library = library
        self._processing = processing

    def count_repeat(self, job_id: str) -> None:
        self._library.jobs.count_repeat(job_id)

    def expect_file(self, job_id: str) -> None:
        self._processing.expect([job_id])

    def is_known(self, job_id: str) -> bool:
        return self._library.jobs.is_known(job_id)

    def is_waiting(self, job_id: str) -> bool:
        job = self._library.jobs.find(job_id)
        return job is not None and job.status == "waiting_refs"

    def is_final_path_taken(self, path: str) -> bool:
        return self._library.jobs.is_final_path_taken(path)

    def deliver_if_ended(self, job_id: str) -> None:
        self._library.closer.deliver_if_ended(job_id)
