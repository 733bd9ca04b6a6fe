"""Where the file of a reference lies: names as written, else alike, inside the allowed folders only."""

from __future__ import annotations

import difflib
import os
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Final

from hotfolder.errors import LibraryError
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import open_regular

_NEAR_NAMES: Final = 3
_NAMES_LISTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Beside:
    """What the paths of a job are relative to: its folder, and before that its bundle, if it came in one.

    To look for names that are near takes time in large folders; a job that waits needs no hint.
    `is_arriving` says of a file in the inbox or an allowed folder that somebody may still be writing it.
    """

    folder: Path
    bundle: Path | None = None
    is_arriving: Callable[[Path], bool] = lambda path: False  # noqa: ARG005 - the file stands still
    gives_hints: bool = True


class Missing(LibraryError):
    """A reference that is not there (yet): the job may wait for it."""

    default_code = "job.ref_missing"
    is_arriving = False


class Arriving(Missing):
    """A reference that somebody is still writing."""

    is_arriving = True


class ReferenceFinder:
    """Finds and opens the files that jobs name by path."""

    def __init__(
        self,
        paths: LibraryPaths,
        allowed_roots: Sequence[Path],
        find_taken: Callable[[str], str | None],
    ) -> None:
        self._paths = paths
        self._root = paths.root.resolve()
        self._inbox = paths.inbox.resolve()
        folders = (paths.inbox, paths.imports, paths.originals, paths.refs, paths.outbox)
        self._picture_folders = frozenset(each.name for each in folders)
        self._roots = [each.resolve() for each in allowed_roots]
        self._find_taken = find_taken

    def find(self, text: str, beside: Beside) -> Path:
        """The file that a path of a job means; raises Missing, or LibraryError for what may not be used."""
        try:
            if beside.bundle is not None:
                inside = self._find_in_bundle(text, beside.bundle)
                if inside is not None:
                    return inside
            return self._find_outside(text, beside)
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, no path at all
            raise _missing(text, None) from error

    def open(self, file: Path, text: str, beside: Beside) -> BufferedReader:
        """Open what `find` found. The opened file itself is checked: its name may mean another one by now."""
        stream = open_regular(file, follow_links=True)
        try:
            self._require_allowed(text, _real_path(stream, file), beside)
            self._require_no_database(text, os.fstat(stream.fileno()))
        except BaseException:
            stream.close()
            raise
        return stream

    def _find_in_bundle(self, text: str, bundle: Path) -> Path | None:
        wanted = Path(os.path.normpath(bundle / text))
        if not wanted.is_relative_to(bundle) or text.startswith("~/"):
            return None
        return _find_alike(bundle, wanted.relative_to(bundle).parts, text)

    def _find_outside(self, text: str, beside: Beside) -> Path:
        wanted = Path(text).expanduser() if text.startswith("~/") else beside.folder / text
        place = wanted.resolve()
        base = self._require_allowed(text, place, beside)
        found = _find_alike(base, place.relative_to(base).parts, text)
        if found is None:
            taken = self._find_library_copy(place)
            if taken is None:
                raise _missing(text, _near_names(place) if beside.gives_hints else None)
            return taken
        real = found.resolve()
        self._require_allowed(text, real, beside)
        self._require_no_database(text, real.stat())
        if self._may_be_arriving(real) and beside.is_arriving(real):
            raise Arriving(
                f"The reference `{text}` is still being written.", hint="Wait until its copy is done."
            )
        return real

    def _find_library_copy(self, place: Path) -> Path | None:
        """What lay there once, and was moved into the library because a job used it."""
        if not place.is_relative_to(self._inbox):
            return None
        relative = place.relative_to(self._inbox).as_posix()
        sha256 = self._find_taken(display_text(relative))
        return next(iter(sorted(self._paths.refs.glob(f"{sha256}.*"))), None) if sha256 else None

    def _may_be_arriving(self, place: Path) -> bool:
        return not place.is_relative_to(self._root) or place.is_relative_to(self._inbox)

    def _require_allowed(self, text: str, place: Path, beside: Beside) -> Path:
        """The allowed folder that holds the place. What lies outside is not even told to be there or not."""
        if beside.bundle is not None and place.is_relative_to(beside.bundle.resolve()):
            return beside.bundle.resolve()
        if place.is_relative_to(self._root):
            if {*place.relative_to(self._root).parts[:1]} & self._picture_folders:
                return self._root
        else:
            for root in self._roots:
                if place.is_relative_to(root):
                    return root
        raise LibraryError(
            f"The reference `{text}` lies outside the library's picture folders and the allowed folders.",
            hint="Put the picture beside the job file, or add its folder to `intake.allowed_roots`.",
        )

    def _require_no_database(self, text: str, found: os.stat_result) -> None:
        """Not even opened under another name: closing it again would drop SQLite's locks on it."""
        for suffix in ("", "-wal", "-shm"):
            try:
                database = Path(f"{self._paths.database}{suffix}").stat()
            except OSError:
                continue
            if (database.st_dev, database.st_ino) == (found.st_dev, found.st_ino):
                raise LibraryError(f"The reference `{text}` is the database.", hint="Name a picture.")


def _real_path(stream: BufferedReader, file: Path) -> Path:
    """Where an open file really lies, as the system knows it; elsewhere as its name says now."""
    try:
        return Path(f"/proc/self/fd/{stream.fileno()}").readlink()
    except OSError:
        return file.resolve()


def _find_alike(base: Path, parts: Sequence[str], text: str) -> Path | None:
    """The file below a folder whose names are these: exactly, else by Unicode NFC, else without case."""
    place = base.joinpath(*parts)
    if os.path.lexists(place):
        return place
    place = base
    for part in parts:
        name = _match(place, part, text)
        if name is None:
            return None
        place = place / name
    return place


def _match(folder: Path, name: str, text: str) -> str | None:
    if os.path.lexists(folder / name):
        return name
    try:
        names = [each.name for each in folder.iterdir()]
    except OSError:
        return None
    for alike in (_nfc, _folded):
        found = sorted(each for each in names if alike(each) == alike(name))
        if len(found) > 1:
            shown = "`, `".join(display_text(each) for each in found)
            raise LibraryError(
                f"The reference `{text}` may mean any of `{shown}`.",
                hint="Write the name exactly as that of the file, or rename the others.",
            )
        if found:
            return found[0]
    return None


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", _nfc(name).casefold())


def _missing(text: str, hint: str | None) -> Missing:
    return Missing(
        f"The reference `{text}` is not there.",
        hint=hint or "Put the picture beside the job file, then drop the job again.",
    )


def _near_names(wanted: Path) -> str | None:
    try:
        with os.scandir(wanted.parent) as entries:
            names = [each.name for each in entries if each.is_file()][:_NAMES_LISTED]
    except OSError:
        return None
    near = difflib.get_close_matches(wanted.name, names, n=_NEAR_NAMES, cutoff=0.6)
    return f"There is `{'`, `'.join(map(display_text, near))}`." if near else None
