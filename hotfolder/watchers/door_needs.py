"""What the door needs of those behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from hotfolder.errors import JobFileError
from hotfolder.generation.claimed import Accepted, ClaimedFile, Split, Waiting
from hotfolder.library.seen import Origin
from hotfolder.watchers.claiming import Claim


class Service(Protocol):
    """What the door needs of the generation service."""

    def take_in(
        self, claimed: ClaimedFile, is_arriving: Callable[[Path], bool]
    ) -> Accepted | Waiting | Split:
        """Accept, refuse, keep waiting or split a claimed file."""

    def refuse(self, claimed: ClaimedFile, error: JobFileError) -> Accepted:
        """End the job of a file that cannot be read."""

    def withdraw(self, claimed: ClaimedFile) -> Accepted:
        """End the job of a file that somebody removed before it was read."""


class Seen(Protocol):
    """What the door needs of the record of seen files."""

    def record_claims(self, origins: Mapping[str, Origin]) -> None:
        """Note where files lay, before they are moved."""

    def record_contents(self, contents: Sequence[tuple[str, str, str]]) -> None:
        """Note which job a file stands for, and what was in it."""

    def count_try(self, job_id: str) -> int:
        """Count a try before it begins."""

    def forget_tries(self, job_id: str) -> None:
        """Begin to count anew: the process outlived the last try."""


class Jobs(Protocol):
    """What the door needs to know and say of jobs."""

    def is_known(self, job_id: str) -> bool:
        """Whether the job has a row."""

    def is_waiting(self, job_id: str) -> bool:
        """Whether the job has a row, and waits for references."""

    def count_repeat(self, job_id: str) -> None:
        """Note that one more file stands for the job."""

    def expect_file(self, job_id: str) -> None:
        """The job's file lies in processing/ from now on; who deletes it cancels the job."""

    def is_final_path_taken(self, path: str) -> bool:
        """Whether an ended job has reserved this place, relative to the library."""

    def deliver_if_ended(self, job_id: str) -> None:
        """Hand out the result of a job once more, if it has ended: another file stands for it."""


class Opener(Protocol):
    """Reads what was claimed."""

    def open(self, claim: Claim) -> ClaimedFile | Split:
        """The job file, or the jobs, in it; the system's error, or JobFileError, when it cannot be read."""

    def forget_returned(self, claim: Claim, data: bytes) -> None:
        """The file becomes other jobs: if it was dragged back, the reports on it go."""

    def close(self, claim: Claim) -> None:
        """Remove what opening it laid out on the disk."""


class Pictures(Protocol):
    """What the door tells of the pictures of the inbox."""

    def is_arriving(self, picture: Path) -> bool:
        """Whether somebody may still be writing it."""

    def take_used(self, used: Mapping[Path, str]) -> None:
        """Jobs have accepted these, with their contents: they join the library."""
