"""What goes through the door, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from hotfolder.domain.document import DocumentFormat, format_of


def stands_still(path: Path) -> bool:  # noqa: ARG001 - it is
    """Nobody writes where nobody watches."""
    return False


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """A job file in processing/: under which id, and where it lay below inbox/.

    Of a bundle, `data` and `text_name` are those of the job file in it, and `bundle` is where its files are.
    `again` is the ended job whose file was dragged back for another run.
    """

    job_id: str
    name: str
    job_file: PurePosixPath
    data: bytes
    text_name: str | None = None
    bundle: Path | None = None
    again: str | None = None

    @property
    def folder(self) -> PurePosixPath:
        """What its references are relative to, below inbox/: a bundle is a folder of its own."""
        return self.job_file.parent if self.bundle is None else self.job_file

    @property
    def document_format(self) -> DocumentFormat:
        """How the text is read."""
        return format_of(self.text_name or self.name) or "yaml"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The file stands for this job, `is_repeat`: beside another one; `used` are the pictures it takes."""

    job_id: str
    used: Mapping[Path, str] = field(default_factory=dict)
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Waiting:
    """The job has a row, and waits for the references that it lacks; `names` are all that it has.

    `is_arriving` says that somebody is writing one of them just now.
    """

    job_id: str
    lacks: Sequence[str]
    names: Sequence[str]
    remaining_s: float
    is_arriving: bool


@dataclass(frozen=True, slots=True)
class Split:
    """The file holds several jobs; each becomes a file of its own: (id, name, data)."""

    parts: Sequence[tuple[str, str, bytes]]
