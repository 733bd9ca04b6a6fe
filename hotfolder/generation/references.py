"""References of a job: found, checked and copied by their hash when the job is accepted."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from hotfolder.domain.document import Node, child, find_node
from hotfolder.domain.job import Reference
from hotfolder.errors import LibraryError, NotFound, Problem
from hotfolder.files.images import check_image
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import display_name, sha256_file, store_by_hash
from hotfolder.library.generations import GenerationStore
from hotfolder.library.media import MediaStore

T = TypeVar("T")

_PICTURE_FOLDERS = frozenset({("inbox",), ("import",), ("originals",), ("refs",), ("outbox",)})
_EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp"})


@dataclass(frozen=True, slots=True)
class AcceptedReference:
    """A reference in refs/, named by its content."""

    sha256: str
    file_path: str
    original_name: str
    role: str | None
    media_id: str | None


class ReferenceDesk:
    """Takes references in, or says what is wrong with each."""

    def __init__(
        self,
        paths: LibraryPaths,
        media: MediaStore,
        generations: GenerationStore,
        allowed_roots: Sequence[Path],
    ) -> None:
        self._paths = paths
        self._media = media
        self._generations = generations
        self._root = paths.root.resolve()
        self._roots = [each.resolve() for each in allowed_roots]

    def accept_all(
        self, references: Sequence[Reference], node: Node, folder: Path, limit: int
    ) -> tuple[list[AcceptedReference], list[Problem]]:
        """Every reference in order, each content once; `folder` is where the job file lay."""
        found, problems = _try_each(references, node, lambda each: self._accept(each, folder))
        accepted: dict[str, AcceptedReference] = {}
        for each in found:
            accepted.setdefault(each.sha256, each)
        return list(accepted.values()), problems + _over_limit(node, len(accepted), limit)

    def find_problems(
        self, references: Sequence[Reference], node: Node, folder: Path, limit: int
    ) -> list[Problem]:
        """What `accept_all` would find wrong; nothing is stored."""
        hashes, problems = _try_each(references, node, lambda each: self._inspect(each, folder))
        return problems + _over_limit(node, len(set(hashes)), limit)

    def _inspect(self, reference: Reference, folder: Path) -> str:
        source, name, _ = self._find(reference, folder)
        with _named_errors(source, name):
            check_image(source)
            return sha256_file(source)

    def _accept(self, reference: Reference, folder: Path) -> AcceptedReference:
        source, name, media_id = self._find(reference, folder)
        extension = source.suffix.lower() if source.suffix.lower() in _EXTENSIONS else ".bin"
        with _named_errors(source, name):
            sha256, stored = store_by_hash(source, self._paths.refs, extension)
        if not self._generations.is_reference(sha256):  # else it was checked, and others rely on it
            try:
                with _named_errors(stored, name):
                    check_image(stored)
            except LibraryError:
                stored.unlink(missing_ok=True)
                raise
        if media_id is None:
            known = self._media.find_by_content(sha256)
            media_id = known.media_id if known else None
        return AcceptedReference(sha256, self._paths.relative(stored), name, reference.role, media_id)

    def _find(self, reference: Reference, folder: Path) -> tuple[Path, str, str | None]:
        """The file, its name for people, and the library picture that it is."""
        if reference.path is not None:
            return self._find_path(reference.path, folder), reference.path, None
        if reference.media is not None:
            return self._find_media(reference.media)
        assert reference.sha256 is not None
        return self._find_content(reference.sha256.lower())

    def _find_path(self, text: str, folder: Path) -> Path:
        wanted = folder / text
        try:
            wanted = Path(text).expanduser() if text.startswith("~/") else wanted
            place = wanted.resolve()
            self._require_allowed(text, place)
            self._require_no_database(text, place.stat())
        except (OSError, RuntimeError, ValueError) as error:  # not there, a loop of links, no path at all
            raise LibraryError(
                f"The reference `{text}` is not there.",
                code="job.ref_missing",
                hint=_near_names(wanted) or "Put the picture beside the job file, then drop the job again.",
            ) from error
        return place

    def _require_allowed(self, text: str, place: Path) -> None:
        """Asked before the disk is: what lies outside is not even told to be there or not."""
        if place.is_relative_to(self._root):
            allowed = place.relative_to(self._root).parts[:1] in _PICTURE_FOLDERS
        else:
            allowed = any(place.is_relative_to(root) for root in self._roots)
        if not allowed:
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

    def _find_media(self, media_id: str) -> tuple[Path, str, str | None]:
        try:
            media = self._media.get(media_id)
        except NotFound as error:
            raise LibraryError(error.message, code="job.ref_missing", hint="Check the media id.") from error
        return self._paths.locate(media.file_path), f"media {media_id}", media_id

    def _find_content(self, sha256: str) -> tuple[Path, str, str | None]:
        name = f"sha256 {sha256[:12]}..."
        media = self._media.find_by_content(sha256)
        if media is not None:
            return self._paths.locate(media.file_path), name, media.media_id
        stored = next(iter(sorted(self._paths.refs.glob(f"{sha256}.*"))), None)
        if stored is None:
            message = f"No file of the library has the content {name}."
            raise LibraryError(message, code="job.ref_missing", hint="Check the hash, or import the picture.")
        return stored, name, None


def _try_each(
    references: Sequence[Reference], node: Node, take: Callable[[Reference], T]
) -> tuple[list[T], list[Problem]]:
    """What could be taken, and a problem with its place for each that could not."""
    taken: list[T] = []
    problems: list[Problem] = []
    for index, reference in enumerate(references):
        try:
            taken.append(take(reference))
        except LibraryError as error:
            if error.retryable:  # a full disk is not the job's fault
                raise
            place = find_node(node, ("refs", index)) or node
            code = error.code if error.code.startswith("job.") else "job.ref_refused"
            problems.append(
                Problem(code, error.message, error.hint, place.line, place.column, f"refs.{index}")
            )
    return taken, problems


def _over_limit(node: Node, count: int, limit: int) -> list[Problem]:
    if count <= limit:
        return []
    place = child(node, "refs") or node
    message = f"There are {count} different references; this endpoint takes at most {limit}."
    return [Problem("job.invalid_params", message, "Remove some.", place.line, place.column, "refs")]


@contextmanager
def _named_errors(file: Path, name: str) -> Iterator[None]:
    """The same reasons under the name that the submitter wrote."""
    try:
        yield
    except LibraryError as error:
        message = error.message.replace(display_name(file), f"`{name}`", 1)
        raise LibraryError(message, code=error.code, hint=error.hint, retryable=error.retryable) from error
    except OSError as error:
        message = f"`{name}` cannot be read: {error.strerror or error}."
        code = "job.ref_missing" if isinstance(error, FileNotFoundError) else "job.ref_refused"
        hint = "Check that the file is there and that the sidecar may read it."
        raise LibraryError(message, code=code, hint=hint) from error


def _near_names(wanted: Path) -> str | None:
    try:
        names = [each.name for each in wanted.parent.iterdir() if each.is_file()]
    except OSError:
        return None
    near = difflib.get_close_matches(wanted.name, names, n=3, cutoff=0.6)
    return f"There is `{'`, `'.join(near)}`; names must match exactly." if near else None
