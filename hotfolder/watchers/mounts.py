"""Which file systems tell us nothing about what others do on them, from the lines of /proc/self/mountinfo."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, Self

_MOUNTINFO: Final = Path("/proc/self/mountinfo")
_ESCAPED: Final = re.compile(r"\\([0-7]{3})")

# Other machines, a host or a server change them unheard. `fuseblk` is a disk of this machine.
_SILENT: Final = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "ncpfs", "afs", "coda", "ceph", "davfs"),
        *("lustre", "beegfs", "gpfs", "gfs2", "ocfs2", "orangefs", "pvfs2", "glusterfs"),
        *("9p", "virtiofs", "vboxsf", "vmhgfs", "prl_fs", "drvfs", "fakeowner", "fuse"),
    }
)
_SILENT_FAMILY: Final = "fuse."


@dataclass(frozen=True, slots=True)
class Mount:
    """A line of mountinfo; `parent` is None where the mount below it is not shown to us."""

    number: int
    parent: int | None
    device: str
    point: PurePosixPath
    file_system: str

    @property
    def is_silent(self) -> bool:
        """Whether changes that others make are not told here."""
        return self.file_system in _SILENT or self.file_system.startswith(_SILENT_FAMILY)


@dataclass(frozen=True, slots=True)
class Mounts:
    """The mounts of this process, asked as the kernel walks a path: from mount to mount on the way down."""

    lines: tuple[Mount, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what /proc/self/mountinfo holds; a line that is not understood is left out."""
        mounts = [each for line in text.splitlines() if (each := _parse_line(line)) is not None]
        shown = {each.number for each in mounts}
        return cls(tuple(_without_unseen_parent(each, shown) for each in mounts))

    def of_path(self, path: PurePosixPath) -> Mount | None:
        """Find the mount that a path lies on; absolute and free of symbolic links."""
        mount = self._next(None, path)
        while mount is not None and (inner := self._next(mount.number, path)) is not None:
            mount = inner
        return mount

    def is_silent(self, path: PurePosixPath) -> bool:
        """Say whether changes that others make to this path are not told."""
        mount = self.of_path(path)
        return mount is not None and mount.is_silent

    def list_silent_below(self, folder: PurePosixPath) -> list[Mount]:
        """List the mounts inside a folder whose changes are not told, without those that are hidden."""
        inside = (each for each in self.lines if folder in each.point.parents)
        return [each for each in inside if each.is_silent and self.of_path(each.point) == each]

    def file_system_of(self, device: int) -> str | None:
        """Name the type of the file system with this device number."""
        number = f"{os.major(device)}:{os.minor(device)}"
        return next((each.file_system for each in self.lines if each.device == number), None)

    def _next(self, parent: int | None, path: PurePosixPath) -> Mount | None:
        """The first mount on the way: what was mounted further in before it is hidden by it."""
        met = [each for each in self._on_top_of(parent) if path.is_relative_to(each.point)]
        return min(reversed(met), key=lambda each: len(each.point.parts), default=None)

    def _on_top_of(self, parent: int | None) -> Iterator[Mount]:
        return (each for each in self.lines if each.parent == parent)


def load_mounts() -> Mounts:
    """Read the mounts of this process; none where the system does not tell."""
    try:
        return Mounts.parse(_MOUNTINFO.read_text(encoding="utf-8", errors="surrogateescape"))
    except OSError:
        return Mounts(())


def _parse_line(line: str) -> Mount | None:
    mount, _, source = line.partition(" - ")
    fields = mount.split(" ")
    file_system = source.split(" ")[0]
    if len(fields) < 6 or not file_system:
        return None
    number, parent, device, _root, point, *_ = fields
    if not number.isdecimal() or not parent.isdecimal():
        return None
    return Mount(int(number), int(parent), device, PurePosixPath(_unescape(point)), file_system)


def _unescape(text: str) -> str:
    """Blanks, tabs, line ends and backslashes are written as three octal digits."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)


def _without_unseen_parent(mount: Mount, shown: set[int]) -> Mount:
    if mount.parent in shown and mount.parent != mount.number:
        return mount
    return Mount(mount.number, None, mount.device, mount.point, mount.file_system)
