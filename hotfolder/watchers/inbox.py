"""The inbox: claims settled job files by renaming them into processing/, and has them taken in."""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final, Protocol

from hotfolder.clock import Clock, NewId
from hotfolder.domain.instants import is_uuid
from hotfolder.errors import HotfolderError, JobFileError, LibraryError, Problem
from hotfolder.files.names import claim_name, display_text, free_name, parse_claim_name
from hotfolder.files.paths import LibraryPaths, ensure_folder, sync_folder
from hotfolder.files.storage import move_to_free_name, open_regular, write_atomic
from hotfolder.generation.service import Accepted, ClaimedFile, Split

log = logging.getLogger(__name__)

MAX_TRIES: Final = 10
"""So many starts try a claimed file that ended the process each time; the next one refuses it unread."""

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


class Service(Protocol):
    """What the inbox needs of the generation service."""

    def take_in(self, claimed: ClaimedFile) -> Accepted | Split:
        """Accept, refuse or split a claimed file."""

    def refuse(self, claimed: ClaimedFile, error: JobFileError) -> Accepted:
        """End the job of a file that cannot be read."""


class Seen(Protocol):
    """What the inbox needs of the record of seen files."""

    def record_claims(self, paths: Mapping[str, str]) -> None:
        """Note where files lay, before they are moved."""

    def find_path(self, job_id: str) -> str | None:
        """Where the file of a job lay."""

    def count_try(self, job_id: str) -> int:
        """Count a try before it begins."""

    def forget_tries(self, job_id: str) -> None:
        """Begin to count anew: the process outlived the last try."""


class Jobs(Protocol):
    """What the inbox needs to know and say of jobs."""

    def is_known(self, job_id: str) -> bool:
        """Whether the job has a row."""

    def is_final_path_taken(self, path: str) -> bool:
        """Whether an ended job has reserved this place, relative to the library."""

    def deliver_if_ended(self, job_id: str) -> None:
        """Hand out the result of a job once more, if it has ended: another file stands for it."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """A file in processing/: under which id, its own name, where it lay below inbox/; tries at starts."""

    file: Path
    job_id: str
    name: str
    place: PurePosixPath
    tries: int = 0


class Inbox:
    """The door: from a settled file to a job with a row. Every step is repeatable after a crash."""

    def __init__(
        self,
        paths: LibraryPaths,
        seen: Seen,
        service: Service,
        jobs: Jobs,
        *,
        make_id: NewId,
        clock: Clock,
        max_read_bytes: int,
    ) -> None:
        self._paths = paths
        self._seen = seen
        self._service = service
        self._jobs = jobs
        self._make_id = make_id
        self._clock = clock
        self._max_read_bytes = max_read_bytes
        self._unfinished: list[_Claim] = []
        self._failed: set[str] = set()  # ids of claims whose fault the log was told
        self._unmovable: set[PurePosixPath] = set()  # places that the log was told about
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._taking = threading.RLock()

    def check(self) -> None:
        """Raise LibraryError if a file can never be renamed from the inbox into processing/."""
        if self._paths.inbox.stat().st_dev != self._paths.processing.stat().st_dev:
            raise LibraryError(
                f"{self._paths.inbox} and {self._paths.processing} are on two file systems.",
                code="library.unusable",
                hint="Put the whole library on one; only then does a job file move in one step.",
            )

    def stop(self) -> None:
        """Begin no other file; what is not claimed stays in the inbox. From any thread, for good."""
        self._stopping.set()

    def take_all(self, files: Sequence[Path]) -> None:
        """Claim settled files in order, then take each in."""
        claims = []
        for file in files:
            job_id = self._make_id()
            target = self._paths.processing / claim_name(job_id, file.name)
            claims.append(_Claim(target, job_id, file.name, self._relative(file)))
        self._seen.record_claims({each.job_id: display_text(str(each.place)) for each in claims})
        ensure_folder(self._paths.processing)
        for file, claim in zip(files, claims, strict=True):
            if self._stopping.is_set():
                break
            if self._is_claimed(file, claim):
                self._take_or_keep(claim)
        sync_folder(self._paths.processing)

    def recover(self) -> int:
        """At start: every claimed file without a job goes through the door again; gives their number."""
        recovered = 0
        # A part's name is longer than that of the file it was split from, which goes first: else a part that
        # has taken on its submitter's id would be written, and answered, once more.
        for file in sorted(self._paths.processing.iterdir(), key=lambda each: (len(each.name), each.name)):
            if self._stopping.is_set():
                break
            named = parse_claim_name(file.name)
            if named is None or not is_uuid(named[0]) or not file.is_file():
                continue
            job_id, name = named
            if self._jobs.is_known(job_id):
                self._jobs.deliver_if_ended(job_id)
            elif file.exists():  # a part of a file that was split meanwhile may be gone
                recovered += 1
                place = self._seen.find_path(job_id)
                claim = _Claim(file, job_id, name, PurePosixPath(place or name))
                self._take_or_keep(self._counted(claim, is_noted=place is not None))
        return recovered

    def retry_unfinished(self) -> int:
        """Try again what could not be taken in (a full disk, a locked database); gives what is left."""
        with self._lock:
            claims, self._unfinished = self._unfinished, []
        for claim in claims:
            if self._stopping.is_set():
                self._keep(claim)
            elif claim.file.exists():
                self._take_or_keep(claim)
        return len(self._unfinished)

    def _relative(self, file: Path) -> PurePosixPath:
        return PurePosixPath(file.relative_to(self._paths.inbox).as_posix())

    def _is_claimed(self, file: Path, claim: _Claim) -> bool:
        """Rename the file into processing/; one that is gone, or can never be moved, is left out."""
        place = display_text(str(claim.place))
        try:
            os.rename(file, claim.file)  # noqa: PTH104 - names may not be valid UTF-8
        except FileNotFoundError:
            if os.path.lexists(file):  # it is processing/ that is gone: the watcher gives the file again
                raise
            log.info("%s was withdrawn before it was claimed", place)
            return False
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            if claim.place not in self._unmovable:
                self._unmovable.add(claim.place)
                log.warning("%s stays where it is: its folder is on another file system", place)
            return False
        return True

    def _counted(self, claim: _Claim, *, is_noted: bool) -> _Claim:
        """Put the try on the disk before it begins: it may be the one that ends the process."""
        try:
            if not is_noted:
                self._seen.record_claims({claim.job_id: display_text(str(claim.place))})
            return replace(claim, tries=self._seen.count_try(claim.job_id))
        except HotfolderError:  # a full disk must not keep the service from starting
            log.exception("the try of job file %s could not be counted", claim.job_id)
            return claim

    def _take_or_keep(self, claim: _Claim) -> None:
        """A border: whatever goes wrong, the claimed file stays and is tried again."""
        try:
            with self._taking:
                self._take(claim)
        except Exception:  # the service lives on
            if claim.job_id not in self._failed:  # the whole story once, not at each try
                log.exception("job file %s could not be taken in; it is tried again", claim.job_id)
            self._failed.add(claim.job_id)
            self._keep(claim)
            with suppress(HotfolderError):  # what fails in words has not ended the process
                self._seen.forget_tries(claim.job_id)
        else:
            self._failed.discard(claim.job_id)

    def _keep(self, claim: _Claim) -> None:
        with self._lock:
            self._unfinished.append(claim)

    def _take(self, claim: _Claim) -> None:
        outcome = self._open_door(claim)
        if isinstance(outcome, Split):
            self._split(claim, outcome)
        elif outcome.job_id != claim.job_id:
            self._rename_claim(claim, outcome.job_id)

    def _open_door(self, claim: _Claim) -> Accepted | Split:
        claimed = ClaimedFile(claim.job_id, claim.place.name, claim.place, b"")
        if claim.tries > MAX_TRIES:
            return self._service.refuse(claimed, _dead(claim.tries - 1))
        try:
            with open_regular(claim.file) as stream:
                data = stream.read(self._max_read_bytes)
        except (LibraryError, OSError) as error:
            if not _is_unreadable(error):
                raise
            return self._service.refuse(claimed, _unreadable(error))
        return self._service.take_in(replace(claimed, data=data))

    def _rename_claim(self, claim: _Claim, job_id: str) -> None:
        """The submitter's id, known only now, becomes the file's; several files may stand for one job."""
        processing = self._paths.processing
        target = free_name(processing, claim_name(job_id, claim.name), lambda path: path.exists())
        os.rename(claim.file, processing / target)  # noqa: PTH104 - names may not be valid UTF-8
        sync_folder(processing)
        self._jobs.deliver_if_ended(job_id)

    def _split(self, claim: _Claim, split: Split) -> None:
        """Write one claimed file for each job, move the original to done/, then take the parts in."""
        parts = [
            _Claim(
                self._paths.processing / claim_name(job_id, name), job_id, name, claim.place.with_name(name)
            )
            for job_id, name, _ in split.parts
        ]
        self._seen.record_claims({each.job_id: display_text(str(each.place)) for each in parts})
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
