"""Zip files from strangers: every name, kind and size is checked, and nothing that they claim is believed.

All that is wrong with one is a JobFileError with the code `job.bundle_refused`; nothing is written outside
the folder that the caller names, and no more than the caller allows. A zip in a zip is a file like any other.
"""

from __future__ import annotations

import errno
import io
import os
import re
import shutil
import stat
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import Final
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from hotfolder.errors import JobFileError, Problem
from hotfolder.files.names import MAX_NAME_BYTES
from hotfolder.files.storage import open_regular

MAX_MEMBERS: Final = 10_000
MAX_DEPTH: Final = 32

_CHUNK_BYTES: Final = 1024 * 1024
_MAX_TABLE_BYTES: Final = 4 * 1024 * 1024
_LOCAL_HEADER_BYTES: Final = 30
# No pictures are packed as well as this; what is small does no harm anyway.
_MAX_RATIO: Final = 100
_HARMLESS_BYTES: Final = 64 * 1024 * 1024
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_UTF8_NAME: Final = 0x800
_DRIVE: Final = re.compile(r"[A-Za-z]:")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_PACK_PLAINLY: Final = "Pack the job file and its pictures once more, with relative names."
_PACK_AGAIN: Final = "Pack it again, and drop it when it is whole."
# What the reader of zip files raises when the bytes make no sense.
_DAMAGE: Final = (BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OverflowError)


class Archive:
    """An open zip: its regular members by their checked names."""

    def __init__(self, archive: ZipFile, members: Mapping[PurePosixPath, ZipInfo]) -> None:
        self._archive = archive
        self.members = members

    def read(self, path: PurePosixPath, max_bytes: int) -> bytes:
        """The first bytes of a member; all of it when it has no more."""
        data = b""
        with closing(self._iter_chunks(path, max_bytes)) as chunks:
            while len(data) < max_bytes and (chunk := next(chunks, b"")):
                data += chunk
        return data[:max_bytes]

    def unpack(self, base: PurePosixPath, target: Path, max_bytes: int) -> None:
        """Write the members below the folder `base` into a folder, made anew; all of them or none."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        room_bytes = max_bytes
        try:
            for path in self.members:
                if path.is_relative_to(base):
                    room_bytes = self._write(path, target / path.relative_to(base), room_bytes)
        except BaseException:
            shutil.rmtree(target, ignore_errors=True)
            raise

    def _write(self, path: PurePosixPath, target: Path, room_bytes: int) -> int:
        """Write one member; gives how much room is left. Counted while it is read: sizes in headers lie."""
        with _clashes_refused(path):
            target.parent.mkdir(parents=True, exist_ok=True)
            writer = target.open("xb")
        with writer, closing(self._iter_chunks(path, _CHUNK_BYTES)) as chunks:
            for chunk in chunks:
                room_bytes -= len(chunk)
                if room_bytes < 0:
                    raise too_much()
                writer.write(chunk)
        return room_bytes

    def _iter_chunks(self, path: PurePosixPath, chunk_bytes: int) -> Generator[bytes, None, None]:
        with _damage_refused(), self._archive.open(self.members[path]) as reader:
            while chunk := reader.read(min(chunk_bytes, _CHUNK_BYTES)):
                yield chunk


@contextmanager
def open_zip(file: Path, *, max_bytes: int, is_ignored: Callable[[PurePosixPath], bool]) -> Iterator[Archive]:
    """Open a zip, its table of contents checked; ignored names are passed over."""
    with _SmallReads(open_regular(file).detach()) as stream:
        with _damage_refused():
            archive = ZipFile(stream)
        with archive:
            size_bytes = os.fstat(stream.fileno()).st_size
            yield Archive(archive, _check_table(archive.infolist(), size_bytes, max_bytes, is_ignored))


def refused(message: str, hint: str) -> JobFileError:
    """The error for a bundle that is not taken in."""
    return JobFileError([Problem("job.bundle_refused", message, hint)])


def too_much() -> JobFileError:
    """The error for a bundle that holds more bytes than allowed."""
    return refused(
        "The bundle holds more than it may, unpacked (`intake.bundle_max_bytes`).",
        "Make the pictures smaller, or raise the limit.",
    )


def too_many() -> JobFileError:
    """The error for a bundle with too many files."""
    return refused(
        f"The bundle has more than {MAX_MEMBERS:,} files and folders.",
        "Pack the job file and the pictures that it names, nothing else.",
    )


def check_depth(path: PurePosixPath) -> None:
    """Refuse a file that lies too deep."""
    if len(path.parts) > MAX_DEPTH + 1:
        raise refused(
            f"`{shown(path.name)}` lies more than {MAX_DEPTH} folders deep.", "Pack with fewer folders."
        )


def shown(name: str) -> str:
    """A stranger's name as a short text that can be printed."""
    text = "".join(each if each.isprintable() else "\ufffd" for each in name)
    return text if len(text) <= 120 else f"{text[:120]}..."


class _SmallReads(io.BufferedReader):
    """A file that is never read in large pieces: a table of contents may claim to be of any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_TABLE_BYTES:
            raise BadZipFile("its table of contents is too large")
        return super().read(size)


def _check_table(
    infos: Sequence[ZipInfo], size_bytes: int, max_bytes: int, is_ignored: Callable[[PurePosixPath], bool]
) -> dict[PurePosixPath, ZipInfo]:
    if len(infos) > MAX_MEMBERS:
        raise too_many()
    _check_overlaps(infos, size_bytes)
    members: dict[PurePosixPath, ZipInfo] = {}
    for info in infos:
        name = _name_of(info)
        path = _checked_path(name)
        if name.endswith("/") or is_ignored(path):  # folders are made as files need them
            continue
        _check_kind(info, name)
        if path in members:
            raise refused(f"`{shown(name)}` is in the bundle twice.", _PACK_AGAIN)
        members[path] = info
    _check_folders(members)
    _check_sizes(sum(info.file_size for info in members.values()), size_bytes, max_bytes)
    return members


def _check_overlaps(infos: Sequence[ZipInfo], size_bytes: int) -> None:
    """Members that share bytes are a way to pack terabytes into a megabyte."""
    starts = sorted((each.header_offset, each.compress_size) for each in infos)
    ends = [start for start, _ in starts[1:]] + [size_bytes]
    if any(
        start < 0 or start + _LOCAL_HEADER_BYTES + packed > end
        for (start, packed), end in zip(starts, ends, strict=False)
    ):
        raise refused("Files in the zip overlap, or lie outside of it.", _PACK_AGAIN)


def _name_of(info: ZipInfo) -> str:
    """The whole name, also behind a NUL. Some programs write UTF-8 and do not say so."""
    name = info.orig_filename
    if info.flag_bits & _UTF8_NAME:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeDecodeError:
        return name


def _checked_path(name: str) -> PurePosixPath:
    reason = _name_fault(name)
    if reason is not None:
        raise refused(f"The name `{shown(name)}` in the zip {reason}.", _PACK_PLAINLY)
    path = PurePosixPath(name)  # leaves out `.` and empty parts
    check_depth(path)
    return path


def _name_fault(name: str) -> str | None:
    parts = name.split("/")
    faults = (
        (name.startswith("/"), "is absolute"),
        (_DRIVE.match(name) is not None, "begins with a drive letter"),
        ("\\" in name, "has backslashes"),
        (".." in parts, "leads out of its folder with `..`"),
        (_CONTROL.search(name) is not None, "has control characters"),
        (any(len(each.encode("utf-8")) > MAX_NAME_BYTES for each in parts), "is too long"),
        (not PurePosixPath(name).parts and not name.endswith("/"), "is empty"),
    )
    return next((reason for is_so, reason in faults if is_so), None)


def _check_kind(info: ZipInfo, name: str) -> None:
    if info.flag_bits & _ENCRYPTED:
        raise refused(f"`{shown(name)}` in the zip is encrypted.", "Pack it again without a password.")
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
        raise refused(
            f"`{shown(name)}` in the zip is a link, a device or a pipe.", "Pack the files themselves."
        )
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise refused(
            f"`{shown(name)}` in the zip is compressed in a way that is not read here.",
            "Pack it without compression, or with the usual one (deflate).",
        )


def _check_folders(members: Mapping[PurePosixPath, ZipInfo]) -> None:
    folders = {folder for path in members for folder in path.parents}
    if len(members) + len(folders) > MAX_MEMBERS:
        raise too_many()
    for path in folders & members.keys():
        raise refused(f"`{shown(str(path))}` in the zip is a file and a folder at once.", _PACK_AGAIN)


def _check_sizes(unpacked_bytes: int, size_bytes: int, max_bytes: int) -> None:
    """By what the table claims: an early end. Members that hold more than they claim are damaged."""
    if unpacked_bytes > max_bytes:
        raise too_much()
    if unpacked_bytes > max(_HARMLESS_BYTES, size_bytes * _MAX_RATIO):
        raise refused(
            f"The zip would grow to more than {_MAX_RATIO} times its size.",
            "Pack the pictures without compression.",
        )


@contextmanager
def _damage_refused() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        reason = shown(str(error)) or "it ends too early"
        raise refused(f"The zip is damaged, incomplete or no zip at all: {reason}.", _PACK_AGAIN) from error


@contextmanager
def _clashes_refused(path: PurePosixPath) -> Iterator[None]:
    """Names that mean one file on this disk, or none, though they differ or are good in the zip."""
    try:
        yield
    except (FileExistsError, NotADirectoryError) as error:
        message = f"`{shown(str(path))}` and another file of the zip have the same name on this disk."
        raise refused(message, "Give them names that differ in more than case or accents.") from error
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL):
            raise
        message = f"No file on this disk can have the name `{shown(str(path))}`."
        raise refused(message, _PACK_PLAINLY) from error
