"""The signature of a path on the disk: of a plain file, or of a folder that counts as one thing."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator

from hotfolder.watchers.ignore import is_ignored, is_ignored_folder
from hotfolder.watchers.settle import Signature


def read_signature(path: str, is_unit: Callable[[str], bool]) -> Signature | None:
    """Stat a path without following a link; None unless it is a plain file or a unit that can be reached."""
    try:
        status = os.lstat(path)  # asked of very many files, and a Path costs more than the stat
        if stat.S_ISREG(status.st_mode):
            return Signature.of(status)
        if stat.S_ISDIR(status.st_mode) and is_unit(os.path.basename(path)):  # noqa: PTH119
            return _of_folder(path, status)
    except OSError:
        return None  # a passing fault too: the next listing finds the path again
    return None


def iter_files(folder: str) -> Iterator[os.DirEntry[str]]:
    """The plain files of a tree, temporary ones too; a folder that is gone or closed to us is passed over."""
    folders = [folder]
    for each in folders:  # grows while it is walked
        try:
            with os.scandir(each) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        yield entry
        except OSError:
            continue


def _of_folder(folder: str, status: os.stat_result) -> Signature:
    """Size and times are those of what is in it.

    A temporary file is no content, but a sign of somebody at work, so it is a part of `contents`.
    """
    size = mtime_ns = ctime_ns = 0
    seen = []
    for entry in iter_files(folder):
        try:
            file = entry.stat(follow_symlinks=False)
        except OSError:
            continue  # gone: the next look differs from the one before
        seen.append((entry.path, Signature.of(file)))
        mtime_ns, ctime_ns = max(mtime_ns, file.st_mtime_ns), max(ctime_ns, file.st_ctime_ns)
        size += file.st_size if _is_content(folder, entry.path) else 0
    contents = hash(tuple(sorted(seen, key=lambda each: each[0])))
    return Signature(status.st_dev, status.st_ino, size, mtime_ns, ctime_ns, contents)


def _is_content(folder: str, path: str) -> bool:
    *folders, name = path[len(folder) + 1 :].split(os.sep)  # noqa: PTH206 - text, not a Path, as it came
    return not is_ignored(name) and not any(is_ignored_folder(each) for each in folders)
