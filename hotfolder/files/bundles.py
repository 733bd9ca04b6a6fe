"""Bundles: a job file and its references as one thing, a folder named `*.job` or a zip, read without trust.

All that is wrong with one is a JobFileError with the code `job.bundle_refused`; the system's own errors pass.
"""

from __future__ import annotations

import os
import posixpath
import stat
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Final

from hotfolder.domain.document import Node, child, format_of, parse_documents
from hotfolder.errors import JobFileError
from hotfolder.files.names import display_text
from hotfolder.files.storage import open_regular
from hotfolder.files.zips import MAX_MEMBERS, check_depth, open_zip, refused, shown, too_many, too_much

FOLDER_SUFFIX: Final = ".job"
ZIP_SUFFIX: Final = ".zip"

_FOLDER_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
)


@dataclass(frozen=True, slots=True)
class BundleRules:
    """What a bundle may hold; `is_ignored` is asked about paths in it, `is_job_file` about single names."""

    max_bytes: int
    max_job_bytes: int
    is_job_file: Callable[[PurePosixPath], bool]
    is_ignored: Callable[[PurePosixPath], bool]


@dataclass(frozen=True, slots=True)
class Bundle:
    """The job file of a bundle: its place in it and its text, a byte too long when it is too large."""

    path: Path
    rules: BundleRules
    job_file: PurePosixPath
    data: bytes

    def unpack(self, target: Path) -> Path:
        """The folder that the job's references are relative to.

        For a folder it lies in the bundle itself; a zip is unpacked into `target`, which is made anew and is
        not there when this fails.
        """
        base = self.job_file.parent
        if _is_folder(self.path):
            return self.path / base
        rules = self.rules
        with open_zip(self.path, max_bytes=rules.max_bytes, is_ignored=rules.is_ignored) as archive:
            archive.unpack(base, target, rules.max_bytes)
        return target


def read_bundle(path: Path, rules: BundleRules) -> Bundle:
    """Check all of a bundle and read its job file; the pictures are not read."""
    if _is_folder(path):
        job_file = _only_job_file(_list_folder(path, rules), rules)
        return Bundle(path, rules, job_file, _read_start(path, job_file, rules))
    with open_zip(path, max_bytes=rules.max_bytes, is_ignored=rules.is_ignored) as archive:
        job_file = _only_job_file(archive.members, rules)
        return Bundle(path, rules, job_file, archive.read(job_file, rules.max_job_bytes + 1))


def find_missing(folder: Path, rules: BundleRules) -> list[str] | None:
    """The references that a folder's job file names in it and that are not there yet.

    None while there is no job file. What will be refused, or cannot be read, misses nothing.
    """
    try:
        files = _list_folder(folder, rules)
    except JobFileError:
        return []
    job_files = _find_job_files(files, rules)
    if len(job_files) != 1:
        return [] if job_files else None
    return missing_references(_read_start(folder, job_files[0], rules), job_files[0], files)


def missing_references(data: bytes, job_file: PurePosixPath, present: Iterable[PurePosixPath]) -> list[str]:
    """The paths inside its bundle that a job file names and that are not among these; as written."""
    try:
        nodes = parse_documents(data, format_of(job_file.name) or "yaml", max_bytes=len(data))
    except JobFileError:
        return []
    known = {_folded(str(each)) for each in present}
    written = dict.fromkeys(path.written for node in nodes for path in iter_reference_paths(node))
    places = {each: _place_inside(job_file.parent, each) for each in written}
    return [each for each, place in places.items() if place is not None and _folded(place) not in known]


def open_member(folder: Path, member: PurePosixPath) -> BufferedReader:
    """Open a regular file of a bundle that is a folder; no part of the way may be a link.

    Each part is opened in the one before it: what its name means by then makes no difference.
    """
    with _opened_folder(folder, member.parent) as place:
        if isinstance(place, int):
            return open_regular(Path(member.name), dir_fd=place)
        return open_regular(place / member.name)


def iter_reference_paths(node: Node) -> Iterator[Node]:
    """Where a job names its references by path, whether or not the rest of it is sound."""
    references = child(node, "refs")
    for each in references.value if references is not None and references.kind == "list" else ():
        path = child(each, "path") if each.kind == "map" else each
        if path is not None and path.kind not in ("null", "list", "map"):
            yield path


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)


def _list_folder(folder: Path, rules: BundleRules) -> list[PurePosixPath]:
    """The files in a folder and below, checked."""
    files, total_bytes = [], 0
    for count, (path, found) in enumerate(_walk(folder), 1):
        if count > MAX_MEMBERS:
            raise too_many()
        check_depth(path)
        if stat.S_ISDIR(found.st_mode) or rules.is_ignored(path):
            continue
        if not stat.S_ISREG(found.st_mode):
            name = shown(display_text(str(path)))
            raise refused(
                f"`{name}` in the bundle is a link, a device or a pipe.", "Put the file itself there."
            )
        total_bytes += found.st_size
        if total_bytes > rules.max_bytes:
            raise too_much()
        files.append(path)
    return files


def _walk(folder: Path) -> Iterator[tuple[PurePosixPath, os.stat_result]]:
    pending = [PurePosixPath()]
    while pending:
        relative = pending.pop()
        with _opened_folder(folder, relative) as place, os.scandir(place) as entries:
            for entry in entries:
                found = entry.stat(follow_symlinks=False)
                if stat.S_ISDIR(found.st_mode):
                    pending.append(relative / entry.name)
                yield relative / entry.name, found


@contextmanager
def _opened_folder(folder: Path, relative: PurePosixPath) -> Iterator[int | Path]:
    """A folder below another, open; its path where the system opens none (Windows)."""
    if os.open not in os.supports_dir_fd:
        yield folder / relative
        return
    descriptor = os.open(folder, _FOLDER_FLAGS)
    try:
        for part in relative.parts:
            inner = os.open(part, _FOLDER_FLAGS, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _only_job_file(files: Collection[PurePosixPath], rules: BundleRules) -> PurePosixPath:
    found = _find_job_files(files, rules)
    if not found:
        raise refused(
            "The bundle holds no job file.",
            "Put the .yaml or .json of the job at its top, beside the pictures.",
        )
    if len(found) > 1:
        names = ", ".join(f"`{shown(display_text(each.name))}`" for each in sorted(found)[:3])
        message = f"The bundle holds {len(found)} job files ({names}{', ...' if len(found) > 3 else ''})."
        raise refused(message, "Make a bundle of each job; other .json files go into a folder inside it.")
    return found[0]


def _find_job_files(files: Collection[PurePosixPath], rules: BundleRules) -> list[PurePosixPath]:
    """Those at the top; if there are none, those in the only folder, for many zips hold just one."""
    tops = {each.parts[0] for each in files if len(each.parts) > 1}
    bases = (PurePosixPath(), PurePosixPath(*tops)) if len(tops) == 1 else (PurePosixPath(),)
    for base in bases:
        found = [
            each for each in files if each.parent == base and rules.is_job_file(PurePosixPath(each.name))
        ]
        if found:
            return found
    return []


def _read_start(folder: Path, job_file: PurePosixPath, rules: BundleRules) -> bytes:
    with open_member(folder, job_file) as stream:
        return stream.read(rules.max_job_bytes + 1)


def _place_inside(base: PurePosixPath, written: str) -> str | None:
    """Where in the bundle a path leads that is relative to a folder in it; None when it leads out."""
    if written.startswith(("/", "~/")):
        return None
    path = posixpath.normpath(base / written)
    return None if path in (".", str(base)) or path.split("/")[0] == ".." else path


def _folded(path: str) -> str:
    """Names that look alike are alike, as when the reference is taken in."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
