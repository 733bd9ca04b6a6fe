"""The door: claimed files are opened one after the other, and become jobs with rows."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Final

from hotfolder.clock import Clock
from hotfolder.errors import HotfolderError, JobFileError, LibraryError, Problem
from hotfolder.files.names import claim_name, display_text, free_name
from hotfolder.files.paths import LibraryPaths, sync_folder
from hotfolder.files.storage import move_to_free_name, write_atomic
from hotfolder.generation.claimed import Accepted, ClaimedFile, Split, Waiting
from hotfolder.library.seen import Origin
from hotfolder.watchers.claim_queue import ClaimQueue
from hotfolder.watchers.claiming import Claim, find_origin
from hotfolder.watchers.door_needs import Jobs, Opener, Pictures, Seen, Service
from hotfolder.watchers.waiting import WaitingRoom

log = logging.getLogger(__name__)

MAX_TRIES: Final = 10
"""So many starts try a claimed file that ended the process each time; the next one refuses it unread."""
IDLE_S: Final = 0.5
BATCH_FILES: Final = 100

# The file itself is in order, as far as these say: it is tried again.
_TRANSIENT: Final = frozenset(
    {
        errno.ENOSPC,
        errno.EDQUOT,
        errno.EIO,
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOMEM,
        errno.EINTR,
        errno.ESTALE,
        errno.EAGAIN,
    }
)


class Door:
    """One thread, `inbox-door`; whatever goes wrong with a claimed file, it stays and is tried again."""

    def __init__(
        self,
        paths: LibraryPaths,
        seen: Seen,
        service: Service,
        jobs: Jobs,
        opener: Opener,
        pictures: Pictures,
        room: WaitingRoom,
        *,
        clock: Clock,
    ) -> None:
        self._paths = paths
        self._seen = seen
        self._service = service
        self._jobs = jobs
        self._opener = opener
        self._pictures = pictures
        self._room = room
        self._clock = clock
        self._claims = ClaimQueue()
        self._unfinished: list[Claim] = []
        self._failed: set[str] = set()  # ids of claims whose fault the log was told
        self._renamed: dict[str, Claim] = {}  # what a claim in hand became, by its first id
        self._is_busy = False
        self.taken = 0
        """So many claims were dealt with: who waits for the door knows by it that something has changed."""
        self._noted: list[tuple[str, str, str]] = []
        self._was_guest = False  # whether the last one was one of those that wait
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="inbox-door", daemon=True)

    def start(self) -> None:
        """Begin to take in."""
        self._thread.start()

    def stop(self, timeout_s: float = 0.0) -> None:
        """Begin no other file; what is claimed is found by the next start. From any thread, for good."""
        self._stopping.set()
        self.wake()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def put(self, claims: Iterable[Claim]) -> None:
        """Claimed files: in order, but for the priority of their folders. From any thread."""
        for claim in claims:
            with self._changed:
                self._claims.append(claim)
                self._changed.notify_all()

    @contextmanager
    def expecting(self, folders: Collection[PurePosixPath]) -> Iterator[None]:
        """While claims from these folders, below inbox/, are on their way to `put`."""
        with self._changed:
            self._claims.come(folders)
        try:
            yield
        finally:
            with self._changed:
                self._claims.leave(folders)

    def awaits(self, folder: PurePosixPath) -> bool:
        """Whether claims from a folder are on their way, or not taken in yet. From any thread."""
        with self._changed:
            return self._claims.awaits(folder)

    def wake(self) -> None:
        """Look now whether a waiting job has what it lacks. From any thread."""
        with self._changed:
            self._changed.notify_all()

    def is_idle(self) -> bool:
        """Whether nothing is claimed and not taken in, but for what waits or cannot be taken in."""
        with self._changed:
            return not self._claims and not self._is_busy and not self._room.is_due(time.monotonic())

    def work_off(self) -> None:
        """Take in all that is there; then those of the waiting whose time has come."""
        while (claim := self._next()) is not None:
            try:
                self._take_or_keep(claim)
            finally:
                with self._changed:
                    self._is_busy = False
                    self.taken += 1
                    self._claims.leave([claim.place.parent] if not self._was_guest else [])
            if len(self._noted) >= BATCH_FILES:
                self._note_contents()
        self._note_contents()

    def retry_unfinished(self) -> int:
        """Try again what could not be taken in (a full disk, a locked database); gives how much there is."""
        with self._changed:
            claims, self._unfinished = self._unfinished, []
            for claim in claims:
                self._claims.append(claim)
            self._changed.notify_all()
        return len(claims)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.work_off()
            with self._changed:
                if not self._claims and not self._stopping.is_set():
                    self._changed.wait(self._room.pause_s(time.monotonic(), IDLE_S))

    def _next(self) -> Claim | None:
        with self._changed:
            if self._stopping.is_set():
                return None
            is_new = bool(self._claims) and self._was_guest  # by turns: many that wait hold up nobody
            claim = None if is_new else self._room.next_due(time.monotonic())
            self._was_guest = claim is not None
            if claim is None:
                claim = self._claims.pop()
            self._is_busy = claim is not None
            return claim

    def _take_or_keep(self, claim: Claim) -> None:
        """A border: whatever goes wrong, the claimed file stays and is tried again."""
        try:
            self._room.listen()
            self._take(claim)
        except Exception as error:  # the service lives on
            if claim.job_id not in self._failed:  # the whole story once, not at each try
                log.warning(
                    "job file %s could not be taken in; it is tried again: %s",
                    claim.job_id,
                    error,
                    exc_info=not isinstance(error, HotfolderError),
                )
            self._failed.add(claim.job_id)
            kept = self._renamed.get(claim.job_id, claim)
            with self._changed:
                self._unfinished.append(kept)
            with suppress(HotfolderError):  # what fails in words has not ended the process
                self._seen.forget_tries(kept.job_id)
        else:
            self._failed.discard(claim.job_id)
        finally:
            self._renamed.pop(claim.job_id, None)

    def _take(self, claim: Claim) -> None:
        if claim.is_found and not self._is_to_take_up(claim):
            return
        tries = self._count_try(claim) if claim.is_found else 0
        opened = self._open(claim, tries)
        if opened is None:
            return
        if isinstance(opened, Split):
            self._split(claim, opened)
            return
        if opened.again is not None:
            self._note_return(claim, opened, opened.again)
        outcome = self._service.take_in(opened, self._pictures.is_arriving)
        if isinstance(outcome, Split):
            self._opener.forget_returned(claim, opened.data)
            self._split(claim, outcome)
            return
        self._settle(claim, opened, outcome)

    def _is_to_take_up(self, claim: Claim) -> bool:
        """Of what an earlier run claimed: a job that has a row only needs its door again if it waits."""
        if not os.path.lexists(claim.file):  # a part of a file that was split meanwhile may be gone
            return False
        if not self._jobs.is_known(claim.job_id):
            return True
        self._jobs.deliver_if_ended(claim.job_id)
        return self._jobs.is_waiting(claim.job_id)

    def _open(self, claim: Claim, tries: int) -> ClaimedFile | Split | None:
        """What is in the file; None when it has been dealt with already."""
        unread = ClaimedFile(claim.job_id, claim.name, claim.place, b"")
        try:
            if tries > MAX_TRIES:
                raise _dead(tries - 1)
            return self._opener.open(claim)
        except JobFileError as error:
            self._service.refuse(unread, error)
        except FileNotFoundError:
            if os.path.lexists(claim.file) or not self._paths.processing.is_dir():
                raise
            self._service.withdraw(unread)
        except (LibraryError, OSError) as error:
            if not _is_unreadable(error):
                raise
            self._service.refuse(unread, _unreadable(error))
        return None

    def _note_return(self, claim: Claim, opened: ClaimedFile, job_id: str) -> None:
        """Before it is taken in: after a crash the file is known to be the job's, and where it lay first."""
        self._seen.record_contents([(claim.job_id, job_id, _sha256(opened))])
        self._seen.record_claims({job_id: Origin(display_text(str(opened.job_file)))})

    def _settle(self, claim: Claim, opened: ClaimedFile, outcome: Accepted | Waiting) -> None:
        """The job has its row; what stands around it follows."""
        as_opened = claim
        if outcome.job_id != claim.job_id:
            if isinstance(outcome, Accepted) and outcome.is_repeat:
                self._jobs.count_repeat(outcome.job_id)
            claim = self._rename_claim(claim, outcome.job_id)
            self._opener.close(as_opened)
        self._jobs.expect_file(claim.job_id)
        if opened.again is None:  # else it is noted
            self._noted.append((opened.job_id, outcome.job_id, _sha256(opened)))
        if as_opened.is_found:  # its try was counted: what ends the process later is not its fault
            self._note_contents()
        if isinstance(outcome, Waiting):
            self._room.enter(replace(claim, place=opened.job_file, is_found=False), outcome)
            return
        self._opener.close(claim)
        self._room.let_go()
        self._pictures.take_used(outcome.used)
        if claim.job_id != as_opened.job_id and self._is_forgotten(claim.job_id):
            self.put([claim])

    def _is_forgotten(self, job_id: str) -> bool:
        """Whether a job waits and no claim of it does: a crash came before its file had its id."""
        return job_id not in self._room and self._jobs.is_waiting(job_id)

    def _note_contents(self) -> None:
        """What tells a file again when it is dragged back; many at once: a transaction takes its time."""
        noted, self._noted = self._noted, []
        try:
            if noted:
                self._seen.record_contents(noted)
        except HotfolderError as error:
            log.warning("the contents of %d job files could not be noted: %s", len(noted), error)

    def _count_try(self, claim: Claim) -> int:
        """Put the try on the disk before it begins: it may be the one that ends the process."""
        try:
            self._seen.record_claims({claim.job_id: find_origin(claim.file, claim.place)})
            return self._seen.count_try(claim.job_id)
        except HotfolderError:  # a full disk must not keep the service from starting
            log.exception("the try of job file %s could not be counted", claim.job_id)
            return 0

    def _rename_claim(self, claim: Claim, job_id: str) -> Claim:
        """The submitter's id, known only now, becomes the file's; several files may stand for one job."""
        processing = self._paths.processing
        target = processing / free_name(
            processing, claim_name(job_id, claim.name), lambda path: path.exists()
        )
        os.rename(claim.file, target)  # noqa: PTH104 - names may not be valid UTF-8
        renamed = replace(claim, file=target, job_id=job_id, is_found=True)
        self._renamed[claim.job_id] = renamed
        sync_folder(processing)
        self._jobs.deliver_if_ended(job_id)
        return renamed

    def _split(self, claim: Claim, split: Split) -> None:
        """Write one claimed file for each job, move the original to done/, then take the parts in."""
        parts = [
            Claim(
                self._paths.processing / claim_name(job_id, name),
                job_id,
                name,
                claim.place.with_name(name),
                is_made=True,
            )
            for job_id, name, _ in split.parts
        ]
        self._seen.record_claims({each.job_id: Origin(display_text(str(each.place))) for each in parts})
        parts_left = [each for each in parts if not self._jobs.is_known(each.job_id)]
        texts = {job_id: data for job_id, _, data in split.parts}
        for part in parts_left:
            write_atomic(part.file, texts[part.job_id])
        self._put_away(claim.file, claim.place.name)
        for part in parts_left:
            if self._stopping.is_set():
                break  # the next start finds them in processing/
            self._take_or_keep(part)

    def _put_away(self, file: Path, name: str) -> None:
        """The file that was split goes to done/; what became of its jobs stands beside each of them."""
        move_to_free_name(file, self._paths.done_dir(self._clock()), name, self._is_taken)

    def _is_taken(self, path: Path) -> bool:
        return path.exists() or self._jobs.is_final_path_taken(self._paths.relative(path))


def _sha256(opened: ClaimedFile) -> str:
    return hashlib.sha256(opened.data).hexdigest()


def _is_unreadable(error: LibraryError | OSError) -> bool:
    if isinstance(error, LibraryError):
        return error.code == "library.not_a_file"
    return error.errno not in _TRANSIENT


def _unreadable(error: LibraryError | OSError) -> JobFileError:
    reason = error.strerror or "it cannot be opened" if isinstance(error, OSError) else "not a regular file"
    hint = "Give the user of the service the right to read it, and drop the file itself, not a link to it."
    return JobFileError([Problem("job.unreadable", f"The job file cannot be read: {reason}.", hint)])


def _dead(tries: int) -> JobFileError:
    message = f"{tries} starts of the service could not take in this job file; it is not tried again."
    hint = "Read the log of the service, make the file smaller or simpler, and drop it again."
    return JobFileError([Problem("queue.dead", message, hint)])
