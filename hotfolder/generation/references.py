"""References of a job: checked and copied by their hash when the job is accepted."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TypeVar

from hotfolder.domain.document import Node, child, find_node
from hotfolder.domain.job import Reference
from hotfolder.errors import LibraryError, NotFound, Problem
from hotfolder.files.decoding import MAX_PIXELS, check_start, decode_open
from hotfolder.files.images import check_image
from hotfolder.files.paths import LibraryPaths
from hotfolder.files.storage import display_name, open_regular, store_stream
from hotfolder.generation.finding import Beside, Missing, ReferenceFinder
from hotfolder.library.generations import GenerationStore
from hotfolder.library.media import MediaStore

T = TypeVar("T")

_EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp"})


@dataclass(frozen=True, slots=True)
class AcceptedReference:
    """A reference in refs/, named by its content; `source` is the file that may leave inbox/ for it."""

    sha256: str
    file_path: str
    original_name: str
    role: str | None
    media_id: str | None
    source: Path | None = None


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What could be taken, every problem, and the names of those that may still arrive."""

    references: list[AcceptedReference]
    problems: list[Problem]
    missing: list[str]
    is_arriving: bool = False

    @property
    def may_wait(self) -> bool:
        """Whether nothing is wrong but that references have not arrived, or that is not known yet."""
        return self.is_arriving or (bool(self.missing) and len(self.missing) == len(self.problems))


@dataclass(frozen=True, slots=True)
class _Found:
    """Where a reference lies, its name for people, and the library picture that it is."""

    file: Path
    name: str
    media_id: str | None = None
    is_named_by_path: bool = False


class ReferenceDesk:
    """Takes references in, or says what is wrong with each."""

    def __init__(
        self,
        paths: LibraryPaths,
        media: MediaStore,
        generations: GenerationStore,
        finder: ReferenceFinder,
    ) -> None:
        self._paths = paths
        self._media = media
        self._generations = generations
        self._finder = finder

    def accept_all(
        self,
        references: Sequence[Reference],
        node: Node,
        beside: Beside,
        limit: int,
        before: Sequence[AcceptedReference] = (),
    ) -> Acceptance:
        """Every reference in order, each content once.

        One that is gone counts as what an earlier run of the job (`before`) accepted under that name.
        """
        known = {each.original_name: each for each in before}
        found, problems, missing = _try_each(
            references, node, lambda each: self._accept_or_know(each, beside, known)
        )
        accepted: dict[str, AcceptedReference] = {}
        for each in found:
            accepted.setdefault(each.sha256, each)
        return Acceptance(
            list(accepted.values()),
            problems + _over_limit(node, len(accepted), limit),
            [name_of(references[index]) for index in missing],
            any(missing.values()),
        )

    def find_problems(
        self, references: Sequence[Reference], node: Node, beside: Beside, limit: int
    ) -> list[Problem]:
        """What `accept_all` would find wrong; nothing is stored."""
        hashes, problems, _ = _try_each(references, node, lambda each: self._inspect(each, beside))
        return problems + _over_limit(node, len(set(hashes)), limit)

    def find_missing(self, references: Sequence[Reference], beside: Beside) -> list[str]:
        """The names of those that have not arrived; a look at the disk, nothing is read."""
        missing = []
        for each in references:
            try:
                self._find(each, beside)
            except Missing:
                missing.append(name_of(each))
            except LibraryError:
                continue  # found, and refused: that is said when it is accepted
        return missing

    def _inspect(self, reference: Reference, beside: Beside) -> str:
        """What is the same for equal references."""
        found = self._find(reference, beside)
        if not beside.reads_pictures:
            with _named_errors(found):
                found.file.stat()
            return str(found.file)
        with _named_errors(found), self._open(found, beside) as stream:
            check_start(stream, found.file)
            decode_open(stream, found.file, max_pixels=MAX_PIXELS)
            stream.seek(0)
            return hashlib.file_digest(stream, "sha256").hexdigest()

    def _accept_or_know(
        self, reference: Reference, beside: Beside, known: dict[str, AcceptedReference]
    ) -> AcceptedReference:
        try:
            return self._accept(reference, beside)
        except Missing:
            if name_of(reference) in known:
                return known[name_of(reference)]
            raise

    def _accept(self, reference: Reference, beside: Beside) -> AcceptedReference:
        found = self._find(reference, beside)
        suffix = found.file.suffix.lower()
        with _named_errors(found), self._open(found, beside) as stream:
            extension = suffix if suffix in _EXTENSIONS else ".bin"
            name = display_name(found.file)
            check_start(stream, found.file)
            sha256, stored = store_stream(stream, name, self._paths.refs, extension)
        if not self._generations.is_reference(sha256):  # else it was checked, and others rely on it
            self._check_stored(stored, found)
        media_id = found.media_id
        if media_id is None:
            media = self._media.find_by_content(sha256)
            media_id = media.media_id if media else None
        return AcceptedReference(
            sha256,
            self._paths.relative(stored),
            found.name,
            reference.role,
            media_id,
            found.file if found.is_named_by_path and self._finder.may_take(found.file) else None,
        )

    def _check_stored(self, stored: Path, found: _Found) -> None:
        try:
            with _named_errors(_Found(stored, found.name)):
                check_image(stored)
        except LibraryError:
            stored.unlink(missing_ok=True)
            raise

    def _open(self, found: _Found, beside: Beside) -> BufferedReader:
        if found.is_named_by_path:
            return self._finder.open(found.file, found.name, beside)
        return open_regular(found.file)

    def _find(self, reference: Reference, beside: Beside) -> _Found:
        if reference.path is not None:
            return _Found(self._finder.find(reference.path, beside), reference.path, is_named_by_path=True)
        if reference.media is not None:
            return self._find_media(reference.media)
        assert reference.sha256 is not None
        return self._find_content(reference.sha256.lower(), name_of(reference))

    def _find_media(self, media_id: str) -> _Found:
        try:
            media = self._media.get(media_id)
        except NotFound as error:
            raise LibraryError(error.message, code="job.ref_missing", hint="Check the media id.") from error
        return _Found(self._paths.locate(media.file_path), f"media {media_id}", media_id)

    def _find_content(self, sha256: str, name: str) -> _Found:
        media = self._media.find_by_content(sha256)
        if media is not None:
            return _Found(self._paths.locate(media.file_path), name, media.media_id)
        stored = next(iter(sorted(self._paths.refs.glob(f"{sha256}.*"))), None)
        if stored is None:
            message = f"No file of the library has the content {name}."
            raise Missing(message, hint="Check the hash, or import the picture.")
        return _Found(stored, name)


def name_of(reference: Reference) -> str:
    """What the submitter wrote, in short."""
    if reference.sha256 is not None:
        return f"sha256 {reference.sha256.lower()[:12]}..."
    return reference.path or f"media {reference.media}"


def _try_each(
    references: Sequence[Reference], node: Node, take: Callable[[Reference], T]
) -> tuple[list[T], list[Problem], dict[int, bool]]:
    """What could be taken, a problem with its place for each that could not, and which are just not there.

    Of these, by their index: whether they are arriving.
    """
    taken: list[T] = []
    problems: list[Problem] = []
    missing: dict[int, bool] = {}
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
            if isinstance(error, Missing):
                missing[index] = error.is_arriving
    return taken, problems, missing


def _over_limit(node: Node, count: int, limit: int) -> list[Problem]:
    if count <= limit:
        return []
    place = child(node, "refs") or node
    message = f"There are {count} different references; this endpoint takes at most {limit}."
    return [Problem("job.invalid_params", message, "Remove some.", place.line, place.column, "refs")]


@contextmanager
def _named_errors(found: _Found) -> Iterator[None]:
    """The same reasons under the name that the submitter wrote."""
    try:
        yield
    except Missing:
        raise
    except LibraryError as error:
        message = error.message.replace(display_name(found.file), f"`{found.name}`", 1)
        raise LibraryError(message, code=error.code, hint=error.hint, retryable=error.retryable) from error
    except FileNotFoundError as error:
        message = f"`{found.name}` cannot be read: {error.strerror}."
        raise Missing(message, hint="Check that the file is there.") from error
    except OSError as error:
        message = f"`{found.name}` cannot be read: {error.strerror or error}."
        hint = "Check that the file is there and that the sidecar may read it."
        raise LibraryError(message, code="job.ref_refused", hint=hint) from error
