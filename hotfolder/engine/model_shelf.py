"""The model files below some folders and what each is; what was read once is kept in a book."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from hotfolder.domain.model_file import ModelFileKey
from hotfolder.engine.model_headers import read_header
from hotfolder.engine.model_kinds import ModelFacts, classify

SUFFIXES: Final = (".gguf", ".safetensors")
MAX_DEPTH: Final = 6
MAX_ENTRIES: Final = 50_000
_READING: Final = 1  # raised when the same header is to be understood anew


@dataclass(frozen=True, slots=True)
class ShelfFile:
    """A model file, and what it is, or why that cannot be told."""

    path: Path
    size: int = 0
    facts: ModelFacts | None = None
    problem: str | None = None
    is_missing: bool = False


@dataclass(frozen=True, slots=True)
class Shelf:
    """The files found, and what could not be looked through."""

    files: tuple[ShelfFile, ...]
    problems: tuple[str, ...] = ()


class FactsBook(Protocol):
    """Keeps what was found out about a file for as long as the file stays as it is."""

    def find_facts(self, keys: Sequence[ModelFileKey]) -> Mapping[ModelFileKey, Mapping[str, Any]]:
        """What is kept about these."""
        ...

    def keep_facts(self, found: Mapping[ModelFileKey, Mapping[str, Any]]) -> None:
        """Keep this, in place of what was known of these paths."""
        ...


class ModelShelf:
    """Looks at model files; without a book each look reads all headers."""

    def __init__(self, book: FactsBook | None = None) -> None:
        self._book = book

    def scan(self, roots: Iterable[Path]) -> Shelf:
        """All model files below the roots, a file that has several names once."""
        problems: list[str] = []
        paths = list(_iter_files(roots, problems))
        files: dict[str, ShelfFile] = {}
        for path, each in zip(paths, self.look(paths), strict=True):
            files.setdefault(os.path.realpath(path), each)
        return Shelf(tuple(files.values()), tuple(problems))

    def look(self, paths: Sequence[Path]) -> list[ShelfFile]:
        """What each of these files is, in their order."""
        keys = {path: key for path in paths if (key := find_key(path))}
        known = dict(self._book.find_facts(list(keys.values()))) if self._book else {}
        fresh: dict[ModelFileKey, Mapping[str, Any]] = {}
        files = []
        for path in paths:
            key = keys.get(path)
            files.append(_to_file(path, key, known, fresh) if key else _build_missing(path))
        if self._book and fresh:
            self._book.keep_facts(fresh)
        return files


def find_key(path: Path) -> ModelFileKey | None:
    """Path without links, size and time of a regular file; None when there is none."""
    try:
        real = os.path.realpath(path)
        status = Path(real).stat()
    except (OSError, ValueError):
        return None
    return ModelFileKey(real, status.st_size, status.st_mtime_ns)


def _build_missing(path: Path) -> ShelfFile:
    return ShelfFile(path, problem="it is not there", is_missing=True)


def _to_file(
    path: Path,
    key: ModelFileKey,
    known: Mapping[ModelFileKey, Mapping[str, Any]],
    fresh: dict[ModelFileKey, Mapping[str, Any]],
) -> ShelfFile:
    found = known.get(key)
    file = _from_book(path, key, found) if found else None
    if file is not None:
        return file
    try:
        file = ShelfFile(path, key.size, classify(read_header(path)))
    except ValueError as error:
        file = ShelfFile(path, key.size, problem=str(error))
    except OSError as error:  # not kept: permissions are no property of the content
        return ShelfFile(path, key.size, problem=f"it cannot be read: {error.strerror or error}")
    fresh[key] = _to_book(file)
    return file


def _to_book(file: ShelfFile) -> dict[str, Any]:
    facts = asdict(file.facts) if file.facts else None
    return {"reading": _READING, "facts": facts, "problem": file.problem}


def _from_book(path: Path, key: ModelFileKey, found: Mapping[str, Any]) -> ShelfFile | None:
    """None for what another version has written."""
    if found.get("reading") != _READING:
        return None
    facts = ModelFacts(**found["facts"]) if found["facts"] else None
    return ShelfFile(path, key.size, facts, found["problem"])


def _iter_files(roots: Iterable[Path], problems: list[str]) -> Iterator[Path]:
    """Model files by name, folder by folder; links are followed, but no folder is entered twice."""
    entered: set[tuple[int, int]] = set()
    left = MAX_ENTRIES
    folders = [(root, 0) for root in roots][::-1]
    while folders:
        folder, depth = folders.pop()
        entries = _list_folder(folder, entered, problems)
        left -= len(entries)
        if left < 0:
            problems.append(f"More than {MAX_ENTRIES} files: the rest was not looked at, from {folder} on.")
            return
        if depth < MAX_DEPTH:
            folders += [(each, depth + 1) for each in reversed(entries) if each.is_dir()]
        yield from (each for each in entries if each.suffix.lower() in SUFFIXES and each.is_file())


def _list_folder(folder: Path, entered: set[tuple[int, int]], problems: list[str]) -> list[Path]:
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in entered:
            return []
        entered.add((status.st_dev, status.st_ino))
        return sorted(each for each in folder.iterdir() if not each.name.startswith("."))
    except OSError as error:
        problems.append(f"{folder} cannot be looked through: {error.strerror or error}.")
        return []
