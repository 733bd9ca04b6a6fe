"""Where the file of a reference lies: names as written, else alike, inside the allowed folders only."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import Final

from hotfolder.domain.wording import one_line
from hotfolder.errors import LibraryError
from hotfolder.files.bundles import FOLDER_SUFFIX, open_member
from hotfolder.files.names import display_text
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import open_regular
from hotfolder.generation.folder_names import FolderNames

_NOT_WHOLE: Final = frozenset({FOLDER_SUFFIX, ".tmp", ".part"})
"""In the names of folders that are, or will become, one thing: nothing is taken out of them."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What the paths of a job are relative to: its folder, and before that its bundle, if it came in one.

    To look for names that are near takes time in large folders; a job that waits needs no hint. `names` are
    kept from one reference of the job file to the next.
    `is_arriving` says of a file in the inbox or an allowed folder that somebody may still be writing it.
    Without `reads_pictures` a file that is there counts as a picture: for who has to answer at once.
    """

    folder: Path
    bundle: Path | None = None
    is_arriving: Callable[[Path], bool] = lambda path: False  # noqa: ARG005 - the file stands still
    gives_hints: bool = True
    reads_pictures: bool = True
    names: FolderNames = field(default_factory=FolderNames, compare=False, repr=False)


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
        self._bundle_folders = (paths.processing, paths.unpacked)
        folders = (paths.inbox, paths.imports, paths.originals, paths.refs, paths.outbox)
        self._picture_folders = frozenset(each.name for each in folders)
        self._roots = [each.resolve() for each in allowed_roots]
        self._find_taken = find_taken

    def find(self, text: str, beside: Beside) -> Path:
        """The file that a path of a job means; raises Missing, or LibraryError for what may not be used."""
        try:
            if beside.bundle is not None:
                inside = self._find_in_bundle(text, beside.bundle, beside.names)
                if inside is not None:
                    return inside
            return self._find_outside(text, beside)
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, no path at all
            raise _missing(text, None) from error

    def open(self, file: Path, text: str, beside: Beside) -> BufferedReader:
        """Open what `find` found. The opened file itself is checked: its name may mean another one by now."""
        member = self._open_in_bundle(file, beside.bundle)
        stream = member or open_regular(file, follow_links=True)
        try:
            if member is None:
                self._require_allowed(text, _real_path(stream, file))
            self._require_no_database(text, os.fstat(stream.fileno()))
        except BaseException:
            stream.close()
            raise
        return stream

    def may_take(self, file: Path) -> bool:
        """Whether a file may leave the inbox once a job has used it: none in hold/, none of a bundle."""
        if not file.is_relative_to(self._inbox):
            return False
        folders = file.relative_to(self._inbox).parts[:-1]
        is_held = folders[:1] == (self._paths.hold.name,)
        return not is_held and not any(map(_is_closed, folders))

    def _find_in_bundle(self, text: str, bundle: Path, names: FolderNames) -> Path | None:
        top = self._top_of(bundle)
        wanted = Path(os.path.normpath(bundle / text))
        if not wanted.is_relative_to(top) or text.startswith("~/"):
            return None
        found = _find_alike(top, wanted.relative_to(top).parts, text, names)
        if found is not None:
            self._require_no_database(text, found.lstat())
        return found

    def _open_in_bundle(self, file: Path, bundle: Path | None) -> BufferedReader | None:
        """A file of the bundle; None for any other."""
        top = self._top_of(bundle) if bundle is not None else None
        if top is None or not file.is_relative_to(top):
            return None
        return open_member(top, PurePosixPath(file.relative_to(top).as_posix()))

    def _top_of(self, bundle: Path) -> Path:
        """The folder that is all of a bundle: its job file may lie in one below."""
        for folder in self._bundle_folders:
            if bundle.is_relative_to(folder):
                return folder.joinpath(*bundle.relative_to(folder).parts[:1])
        return bundle

    def _find_outside(self, text: str, beside: Beside) -> Path:
        wanted = Path(text).expanduser() if text.startswith("~/") else beside.folder / text
        place = wanted.resolve()
        base = self._require_allowed(text, place)
        found = _find_alike(base, place.relative_to(base).parts, text, beside.names)
        if found is None:
            taken = self._find_library_copy(place)
            if taken is None:
                raise _missing(text, beside.names.find_hint(place) if beside.gives_hints else None)
            return taken
        real = found.resolve()
        self._require_allowed(text, real)
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

    def _require_allowed(self, text: str, place: Path) -> Path:
        """The allowed folder that holds the place. What lies outside is not even told to be there or not."""
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


def _is_closed(folder: str) -> bool:
    """Whether what lies in a folder of this name belongs to a bundle, or is still being put together."""
    return folder.startswith(".") or not _NOT_WHOLE.isdisjoint(PurePosixPath(folder.casefold()).suffixes)


def _find_alike(base: Path, parts: Sequence[str], text: str, names: FolderNames) -> Path | None:
    """The file below a folder whose names are these: exactly, else by Unicode NFC, else without case."""
    place = base.joinpath(*parts)
    if os.path.lexists(place):
        return place
    place = base
    for part in parts:
        name = _match(place, part, text, names)
        if name is None:
            return None
        place = place / name
    return place


def _match(folder: Path, name: str, text: str, names: FolderNames) -> str | None:
    if os.path.lexists(folder / name):
        return name
    found = names.find_alike(folder, name)
    if len(found) > 1:
        shown = "`, `".join(map(one_line, found))
        raise LibraryError(
            f"The reference `{text}` may mean any of `{shown}`.",
            hint="Write the name exactly as that of the file, or rename the others.",
        )
    return found[0] if found else None


def _missing(text: str, hint: str | None) -> Missing:
    return Missing(
        f"The reference `{text}` is not there.",
        hint=hint or "Put the picture beside the job file, then drop the job again.",
    )
