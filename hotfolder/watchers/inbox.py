"""The inbox: claims settled job files by renaming them into processing/, and has them taken in."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import Protocol

from hotfolder.clock import Clock, NewId
from hotfolder.domain.document import format_of
from hotfolder.domain.instants import is_uuid
from hotfolder.files.names import claim_name, display_text, free_name, parse_claim_name
from hotfolder.files.paths import LibraryPaths, sync_folder
from hotfolder.files.storage import open_regular, replace_file, write_atomic
from hotfolder.generation.service import Accepted, ClaimedFile, Split

log = logging.getLogger(__name__)

HOLD = "hold"


class Service(Protocol):
    """What the inbox needs of the generation service."""

    def take_in(self, claimed: ClaimedFile) -> Accepted | Split:
        """Accept, refuse or split a claimed file."""


class Seen(Protocol):
    """What the inbox needs of the record of seen files."""

    def record_claims(self, paths: Mapping[str, str]) -> None:
        """Note where files lay, before they are moved."""

    def find_path(self, job_id: str) -> str | None:
        """Where the file of a job lay."""


class Jobs(Protocol):
    """What the inbox needs to know and say of jobs."""

    def is_known(self, job_id: str) -> bool:
        """Whether the job has a row."""

    def is_final_path_taken(self, path: str) -> bool:
        """Whether an ended job has reserved this place, relative to the library."""

    def deliver_if_ended(self, job_id: str) -> None:
        """Hand out the result of a job once more, if it has ended: another file stands for it."""


def is_job_file(relative: PurePath) -> bool:
    """Whether the inbox takes this file: named like a job, not in hold/, and no `_folder.yaml`."""
    return (
        relative.parts[0] != HOLD
        and not relative.name.startswith("_folder.")
        and format_of(relative.name) is not None
    )


def list_held(inbox: Path) -> list[str]:
    """Job files in hold/, relative to the inbox: they wait until somebody moves them out."""
    folder = inbox / HOLD
    files = (each for each in folder.rglob("*") if each.is_file() and format_of(each.name) is not None)
    return sorted(each.relative_to(inbox).as_posix() for each in files)


def list_waiting(inbox: Path) -> list[str]:
    """Job files that have not been claimed yet, relative to the inbox."""
    files = (each.relative_to(inbox) for each in inbox.rglob("*") if each.is_file())
    return sorted(each.as_posix() for each in files if is_job_file(each))


@dataclass(frozen=True, slots=True)
class _Claim:
    """A file in processing/: under which id, its own name, and where it lay below inbox/."""

    file: Path
    job_id: str
    name: str
    place: PurePosixPath


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
        self._lock = threading.Lock()
        self._taking = threading.RLock()

    def take_all(self, files: Sequence[Path]) -> None:
        """Claim settled files in order, then take each in."""
        claims = []
        for file in files:
            job_id = self._make_id()
            target = self._paths.processing / claim_name(job_id, file.name)
            claims.append(_Claim(target, job_id, file.name, self._relative(file)))
        self._seen.record_claims({each.job_id: display_text(str(each.place)) for each in claims})
        for file, claim in zip(files, claims, strict=True):
            try:
                os.rename(file, claim.file)  # noqa: PTH104 - names may not be valid UTF-8
            except FileNotFoundError:
                log.info("%s was withdrawn before it was claimed", display_text(str(claim.place)))
            else:
                self._take_or_keep(claim)
        sync_folder(self._paths.processing)

    def recover(self) -> int:
        """At start: every claimed file without a job goes through the door again; gives their number."""
        recovered = 0
        # A part's name is longer than that of the file it was split from, which goes first: else a part that
        # has taken on its submitter's id would be written, and answered, once more.
        for file in sorted(self._paths.processing.iterdir(), key=lambda each: (len(each.name), each.name)):
            claim = parse_claim_name(file.name)
            if claim is None or not is_uuid(claim[0]) or not file.is_file():
                continue
            job_id, name = claim
            if self._jobs.is_known(job_id):
                self._jobs.deliver_if_ended(job_id)
            elif file.exists():  # a part of a file that was split meanwhile may be gone
                recovered += 1
                place = self._seen.find_path(job_id)
                self._take_or_keep(_Claim(file, job_id, name, PurePosixPath(place or name)))
        return recovered

    def retry_unfinished(self) -> int:
        """Try again what could not be taken in (a full disk, a locked database); gives what is left."""
        with self._lock:
            claims, self._unfinished = self._unfinished, []
        for claim in claims:
            if claim.file.exists():
                self._take_or_keep(claim)
        return len(self._unfinished)

    def _relative(self, file: Path) -> PurePosixPath:
        return PurePosixPath(file.relative_to(self._paths.inbox).as_posix())

    def _take_or_keep(self, claim: _Claim) -> None:
        """A border: whatever goes wrong, the claimed file stays and is tried again."""
        try:
            with self._taking:
                self._take(claim)
        except Exception:  # the service lives on
            log.exception("job file %s could not be taken in; it is tried again", claim.job_id)
            with self._lock:
                self._unfinished.append(claim)

    def _take(self, claim: _Claim) -> None:
        with open_regular(claim.file) as stream:
            data = stream.read(self._max_read_bytes)
        outcome = self._service.take_in(ClaimedFile(claim.job_id, claim.place.name, claim.place, data))
        if isinstance(outcome, Split):
            self._split(claim, outcome)
        elif outcome.job_id != claim.job_id:
            self._rename_claim(claim, outcome.job_id)

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
            self._take_or_keep(part)

    def _put_away(self, file: Path, name: str) -> None:
        """The file that was split goes to done/; what became of its jobs stands beside each of them."""
        folder = self._paths.done_dir(self._clock())
        free = free_name(folder, name, self._is_taken)
        replace_file(file, folder / free)

    def _is_taken(self, path: Path) -> bool:
        return path.exists() or self._jobs.is_final_path_taken(self._paths.relative(path))
