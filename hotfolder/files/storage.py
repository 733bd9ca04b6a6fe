"""How bytes get to their place on the disk whole: atomic writes, moves, copies, content hashes.

A file is written under a temporary name beside its target, flushed to the disk and renamed, so half a file
never has a real name. Paths and names (`paths.py`, `names.py`) can be imported from here too.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import hashlib
import itertools
import json
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO

from hotfolder.errors import DiskFull, LibraryError
from hotfolder.files.names import (
    MAX_NAME_BYTES,
    claim_name,
    display_name,
    dotted_extension,
    free_name,
    parse_claim_name,
    single_name,
)
from hotfolder.files.paths import LibraryPaths, ensure_folder, sync_folder

if sys.platform != "win32":
    import fcntl

__all__ = [
    "LibraryPaths",
    "claim_name",
    "copy_into",
    "display_name",
    "ensure_folder",
    "free_name",
    "move_folder",
    "move_to_free_name",
    "open_regular",
    "parse_claim_name",
    "remove_file",
    "remove_leftovers",
    "rename_new",
    "replace_file",
    "sha256_file",
    "store_by_hash",
    "store_stream",
    "sync_folder",
    "write_atomic",
    "write_json",
    "write_new",
    "write_to_free_name",
    "write_unlisted",
]

_CHUNK_BYTES = 1024 * 1024
_AT_FDCWD = -100
_RENAME_NOREPLACE = 1
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def open_regular(path: Path, *, follow_links: bool = False, dir_fd: int | None = None) -> BufferedReader:
    """Open a regular file for reading; anything else is refused at once, without waiting for a FIFO.

    A file that is missing or unreadable raises the system's own OSError. A path is relative to the folder
    that is open as `dir_fd`, where one is given.
    """
    flags = (_NO_FOLLOW & ~getattr(os, "O_NOFOLLOW", 0)) if follow_links else _NO_FOLLOW
    try:
        stream = os.fdopen(os.open(path, os.O_RDONLY | flags | _NO_WAIT, dir_fd=dir_fd), "rb")
    except IsADirectoryError as error:
        raise _not_a_file(path) from error
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):  # a link, a socket
            raise _not_a_file(path) from error
        raise
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    stream.close()
    raise _not_a_file(path)


def write_atomic(path: Path, data: bytes) -> None:
    """Give a file this content, all of it or nothing; parents are made."""
    write_unlisted(path, data)
    sync_folder(path.parent)


def write_unlisted(path: Path, data: bytes) -> None:
    """`write_atomic` for one of many: its name outlasts a loss of power once its folder is flushed, too."""
    with _temporary_file(path.parent, path.name) as (stream, temporary):
        stream.write(data)
        _settle(stream, temporary, path)


def write_json(path: Path, value: Any, *, write: Callable[[Path, bytes], None] = write_atomic) -> None:
    """Write a JSON file for people and programs; undecodable bytes of names stay as `\\udcXX` escapes."""
    text = json.dumps(value, indent=2, ensure_ascii=False) + "\n"
    write(path, text.encode("utf-8", "backslashreplace"))


def copy_into(source: int | Path, target: Path) -> None:
    """Copy a regular file, or an open descriptor from its beginning, to a target that appears whole."""
    opened = open_regular(source) if isinstance(source, Path) else os.fdopen(source, "rb", closefd=False)
    with opened as reader, _temporary_file(target.parent, target.name) as (writer, temporary):
        reader.seek(0)
        shutil.copyfileobj(reader, writer, _CHUNK_BYTES)
        _settle(writer, temporary, target)
    sync_folder(target.parent)


def remove_file(path: Path) -> None:
    """Remove a file, if it is there, and what a crash left of writing it."""
    path.unlink(missing_ok=True)
    path.with_name(f".{path.name}.tmp").unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Remove what crashes left of writing files into a folder, where no repeat writes the same names."""
    for path in folder.glob(".*.tmp"):
        with suppress(OSError), path.open("r+b") as stream:
            if _is_ours(stream, path):
                path.unlink()


def replace_file(source: Path, target: Path) -> None:
    """Move a regular file over a target, across file systems too; done means that it is on the disk."""
    with suppress(PermissionError), open_regular(source) as stream:  # it may be moved unread
        if sys.platform != "win32":  # only what is open for writing can be flushed there
            os.fsync(stream.fileno())
    ensure_folder(target.parent)
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_into(source, target)
        source.unlink()
    sync_folder(target.parent)
    sync_folder(source.parent)


def move_folder(source: Path, target: Path) -> None:
    """Move a folder to a name that is free; done means that it is on the disk."""
    ensure_folder(target.parent)
    source.rename(target)
    sync_folder(target.parent)
    sync_folder(source.parent)


def move_to_free_name(source: Path, folder: Path, name: str, taken: Callable[[Path], bool]) -> Path:
    """Move a file into a folder under the first free name, and give its place; nothing is written over."""
    ensure_folder(folder)
    while True:
        target = folder / free_name(folder, name, lambda path: path.exists() or taken(path))
        try:
            rename_new(source, target)
        except FileExistsError:  # somebody was quicker: the next name
            continue
        sync_folder(folder)
        sync_folder(source.parent)
        return target


def write_to_free_name(folder: Path, name: str, data: bytes) -> Path:
    """Write a new file, whole at once, under the first free name, and give its place."""
    with _temporary_file(folder, name) as (stream, temporary):
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
        return move_to_free_name(temporary, folder, name, lambda path: False)  # noqa: ARG005


def write_new(target: Path, data: bytes) -> None:
    """Write a new file, whole at once; FileExistsError when there is one of that name."""
    with _temporary_file(target.parent, target.name) as (stream, temporary):
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
        rename_new(temporary, target)
    sync_folder(target.parent)


def rename_new(source: Path, target: Path) -> None:
    """Rename a file to a name that is not there yet; FileExistsError when it is, never an overwrite."""
    if sys.platform == "win32":
        source.rename(target)  # refuses an existing target there
        return
    if sys.platform == "linux" and _renamed_by_system(source, target):
        return
    os.link(source, target, follow_symlinks=False)
    source.unlink()


def _renamed_by_system(source: Path, target: Path) -> bool:
    """renameat2(2) with RENAME_NOREPLACE; False where the C library or the file system has none."""
    rename = _find_renameat2()
    if rename is None:
        return False
    if rename(_AT_FDCWD, os.fsencode(source), _AT_FDCWD, os.fsencode(target), _RENAME_NOREPLACE) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.ENOSYS, errno.EINVAL):
        return False
    raise OSError(number, os.strerror(number), str(source), None, str(target))


@functools.cache  # ctypes makes a class at every look
def _find_renameat2() -> Callable[..., int] | None:
    return getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)


def sha256_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex; links are followed."""
    with open_regular(path, follow_links=True) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def store_by_hash(source: Path, folder: Path, extension: str) -> tuple[str, Path]:
    """Copy a file into a folder under the name of its content; return its SHA-256 and its new place."""
    with open_regular(source) as stream:
        return store_stream(stream, display_name(source), folder, extension)


def store_stream(reader: BufferedReader, name: str, folder: Path, extension: str) -> tuple[str, Path]:
    """The same for an open file; `name` is what errors call it.

    The bytes that are hashed are the bytes that are kept, even if the source changes meanwhile.
    """
    digest = hashlib.sha256()
    identity = os.fstat(reader.fileno())
    with _temporary_file(folder, f"{identity.st_dev}-{identity.st_ino}") as (writer, temporary):
        while chunk := reader.read(_CHUNK_BYTES):
            digest.update(chunk)
            writer.write(chunk)
        size_bytes = writer.tell()
        if size_bytes == 0:
            raise LibraryError(
                f"{name} cannot be used: the file is empty",
                code="library.empty_file",
                hint="Its copy may have failed; drop it again.",
            )
        target = folder / single_name(digest.hexdigest() + dotted_extension(extension))
        if _is_file_of_size(target, size_bytes) and sha256_file(target) == digest.hexdigest():
            temporary.unlink()
        else:
            _settle(writer, temporary, target)
    sync_folder(folder)
    return digest.hexdigest(), target


def _not_a_file(path: Path) -> LibraryError:
    return LibraryError(
        f"{display_name(path)} is not a regular file",
        code="library.not_a_file",
        hint="Give the file itself; links, folders, pipes and devices are not read.",
    )


def _settle(stream: BinaryIO, temporary: Path, target: Path) -> None:
    stream.flush()
    os.fsync(stream.fileno())
    if sys.platform == "win32":
        stream.close()  # an open file cannot be renamed there
    temporary.replace(target)


@contextmanager
def _temporary_file(folder: Path, name: str) -> Iterator[tuple[BinaryIO, Path]]:
    try:
        ensure_folder(folder)
        stream, path = _open_temporary(folder, name)
        with stream:
            try:
                yield stream, path
            except BaseException:
                path.unlink(missing_ok=True)
                raise
    except OSError as error:
        if error.errno in _DISK_FULL:
            raise DiskFull(f"there is no room left to write {display_name(folder / name)}") from error
        raise


def _open_temporary(folder: Path, name: str) -> tuple[BinaryIO, Path]:
    """Open the first of `.name.tmp`, `.name.2.tmp`, ... that no living writer holds.

    A leftover of a crash is nobody's, so it is emptied and used again.
    """
    if len(os.fsencode(name)) > MAX_NAME_BYTES - 16:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()
    for ending in itertools.chain(("",), (f".{number}" for number in itertools.count(2))):
        path = folder / f".{name}{ending}.tmp"
        stream = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | _NO_FOLLOW, 0o666), "r+b")
        if _is_ours(stream, path):
            stream.truncate(0)
            return stream, path
        stream.close()
    raise AssertionError("the names never end")


def _is_ours(stream: BinaryIO, path: Path) -> bool:
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # a file system without locks: two writers of one file at once are not told apart there
    try:
        named = path.stat(follow_symlinks=False)
    except FileNotFoundError:  # its writer renamed it between our open and our lock
        return False
    return os.path.samestat(named, os.fstat(stream.fileno()))


def _is_file_of_size(path: Path, size_bytes: int) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size == size_bytes
