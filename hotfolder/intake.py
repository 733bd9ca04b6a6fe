"""The way in of job files: everything between the watched inbox and rows, built and driven together."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from hotfolder.app import Library
from hotfolder.clock import new_id, utc_now
from hotfolder.domain.recipe_jobs import job_of_picture
from hotfolder.errors import HotfolderError, JobFileError
from hotfolder.files.bundles import BundleRules
from hotfolder.files.names import display_name
from hotfolder.files.storage import open_regular
from hotfolder.generation.claimed import ClaimedFile
from hotfolder.generation.rerun import read_made_picture
from hotfolder.generation.returning import ReturnDesk
from hotfolder.watchers.claiming import ClaimDesk
from hotfolder.watchers.completeness import Completeness
from hotfolder.watchers.door import Door
from hotfolder.watchers.holding import hold_all
from hotfolder.watchers.inbox import Inbox
from hotfolder.watchers.inbox_files import is_job_picture, list_waiting
from hotfolder.watchers.inbox_pictures import InboxPictures
from hotfolder.watchers.loop import SETTLE_S, SETTLE_SILENT_S
from hotfolder.watchers.mounts import load_mounts
from hotfolder.watchers.opening import ClaimOpener, build_rules
from hotfolder.watchers.picture_jobs import PictureJobs
from hotfolder.watchers.processing import ProcessingWatch
from hotfolder.watchers.waiting import WaitingRoom

log = logging.getLogger(__name__)

SWEEP_S: Final = 30.0
STOP_S: Final = 5.0


class PictureThread:
    """`picture-jobs`: a picture takes as long to read as it is large, and who looks around has more to do."""

    def __init__(self, work_off: Callable[[], None]) -> None:
        self._work_off = work_off
        self._due = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="picture-jobs", daemon=True)

    def wake(self) -> None:
        """Work off what is due, beside the caller. From one thread."""
        if self._thread.ident is None:
            self._thread.start()
        self._due.set()

    def stop(self) -> None:
        """Begin nothing more; what a picture was to become is found by the next start. For good."""
        self._stopping.set()
        self._due.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._due.wait(SWEEP_S) and not self._stopping.is_set():
                self._due.clear()
                self._work_off()


@dataclass
class Intake:
    """The parts of the way in, in the order in which a file meets them."""

    library: Library
    claims: ClaimDesk
    inbox: Inbox
    completeness: Completeness
    door: Door
    pictures: InboxPictures
    picture_jobs: PictureJobs
    processing: ProcessingWatch
    picture_thread: PictureThread
    began_at_s: float = field(default_factory=time.monotonic)
    sweep_at_s: float = 0.0
    has_caught_up: bool = False

    def recover(self) -> None:
        """At start: what earlier runs claimed goes through the door again."""
        if self.library.settings.intake.on_start == "hold":
            hold_all(self.library.paths.inbox, self.library.recipes.find)
        jobs = self.library.jobs
        self.processing.expect(jobs.list_claimed_ids())
        self.door.put(self.claims.find_claims())

    def stop(self) -> None:
        """Claim and begin nothing more. For good."""
        self.claims.stop()
        self.door.stop()
        self.picture_thread.stop()

    def is_idle(self) -> bool:
        """Whether nothing is claimed and not taken in, and no picture is to become a job."""
        return self.picture_jobs.count() == 0 and self.door.is_idle()

    def look_around(self) -> None:
        """Now and then: what was deleted from processing/, and pictures that nobody named."""
        is_idle = self.door.is_idle()
        self.has_caught_up = self.has_caught_up or is_idle
        if (
            self.has_caught_up
        ):  # before that, a crash may have kept files from taking on the ids of their jobs
            self.processing.look()
        self.picture_thread.wake()
        if not is_idle or time.monotonic() < self.sweep_at_s or self._may_be_named():
            return
        self.sweep_at_s = time.monotonic() + SWEEP_S
        try:
            self.pictures.sweep()
        except (HotfolderError, OSError) as error:  # the next sweep repeats it
            log.warning("the pictures in the inbox could not be looked through: %s", error)

    def _may_be_named(self) -> bool:
        """After a start: whether job files lie in the inbox whose pictures may have waited, too."""
        is_new = time.monotonic() < self.began_at_s + SWEEP_S
        return is_new and bool(list_waiting(self.library.paths.inbox))


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
        settle_s=_settle_s(library),
        timeout_s=settings.refs_timeout_s,
        is_job=lambda place: is_job_picture(place, library.recipes.find(place.parent)),
    )
    returns = ReturnDesk(paths, library.jobs, library.seen)
    rules = _build_rules(library)
    opener = ClaimOpener(returns, paths.unpacked, rules)
    processing = ProcessingWatch(paths.processing, library.jobs, library.control.cancel)
    jobs = _DoorJobs(library, processing)
    door = Door(paths, library.seen, library.service, jobs, opener, pictures, room, clock=utc_now)
    picture_jobs = PictureJobs(
        paths,
        library.seen,
        _PictureJobRows(library),
        door,
        pictures,
        text_of_recipe_picture=job_of_picture,
        text_of_rerun=_read_rerun,
    )
    inbox = Inbox(
        paths.inbox,
        claims,
        door,
        pictures,
        picture_jobs,
        library.recipes,
    )
    completeness, thread = build_completeness(library), PictureThread(picture_jobs.work_off)
    return Intake(library, claims, inbox, completeness, door, pictures, picture_jobs, processing, thread)


def _settle_s(library: Library) -> float:
    """How long a picture or recipe of the inbox has to stand still before jobs may use it."""
    given_s = library.settings.intake.settle_s
    if given_s is not None:
        return given_s
    is_silent = load_mounts().is_silent(PurePosixPath(library.paths.inbox.resolve().as_posix()))
    return SETTLE_SILENT_S if is_silent else SETTLE_S


def build_completeness(library: Library) -> Completeness:
    """What files of the inbox wait for."""
    settings = library.settings.intake
    return Completeness(
        library.paths.inbox,
        library.recipes,
        _build_rules(library),
        require_end_marker=settings.require_end_marker,
        refs_timeout_s=settings.refs_timeout_s,
        settle_s=_settle_s(library),
    )


def _build_rules(library: Library) -> BundleRules:
    settings = library.settings.intake
    return build_rules(max_bytes=settings.bundle_max_bytes, max_job_bytes=settings.max_job_bytes)


def _read_rerun(picture: Path) -> bytes:
    with open_regular(picture) as stream:
        return read_made_picture(stream, display_name(picture))


class _PictureJobRows:
    """What pictures that are jobs ask of rows."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def is_known(self, job_id: str) -> bool:
        return self._library.jobs.is_known(job_id)

    def refuse(self, claimed: ClaimedFile, error: JobFileError) -> object:
        return self._library.service.refuse(claimed, error)


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
