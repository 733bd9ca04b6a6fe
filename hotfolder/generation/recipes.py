"""The recipes of the inbox: reads the `_folder.yaml` of each folder, and reports what is wrong beside it."""

from __future__ import annotations

import logging
import stat
import threading
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from hotfolder.domain.document import Node, format_of, parse_documents
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.presets import PresetLookup
from hotfolder.domain.recipe import RECIPE_NAMES, Recipe, RecipeFile, merge_recipes
from hotfolder.domain.recipe_problems import build_recipe_report, find_recipe_problems
from hotfolder.domain.wording import one_line
from hotfolder.errors import JobFileError, LibraryError, Problem
from hotfolder.files.bundles import FOLDER_SUFFIX, ZIP_SUFFIX
from hotfolder.files.names import REPORT_SUFFIX, display_text
from hotfolder.files.storage import open_regular, write_atomic

log = logging.getLogger(__name__)

MAX_RECIPE_BYTES: Final = 64 * 1024
RECHECK_S: Final = 1.0
_MAX_CHAINS: Final = 256

Signature = tuple[int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Sign:
    """That a folder has a recipe: its place below inbox/, and what its file is now."""

    place: PurePosixPath
    signature: Signature
    others: tuple[str, ...]
    """Further recipes in the same folder: one too many."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """The recipes of a folder and of those above it, outermost first, and all of them together."""

    files: tuple[RecipeFile, ...]
    node: Node | None

    @property
    def is_sound(self) -> bool:
        return not any(each.problems for each in self.files)


class RecipeShelf:
    """Finds the recipe of a folder; a file is read once, and again when it has changed. For any thread.

    Folders whose names, case ignored, are in `no_keywords` mean something else than a keyword.
    """

    def __init__(
        self,
        inbox: Path,
        endpoints: Mapping[str, Endpoint],
        preset: PresetLookup,
        *,
        no_keywords: Collection[str] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inbox = inbox
        self._endpoints = endpoints
        self._preset = preset
        self._no_keywords = frozenset(each.casefold() for each in no_keywords)
        self._monotonic = monotonic
        self._next_recheck_s = 0.0
        self._chains: OrderedDict[tuple[_Sign, ...], _Chain] = OrderedDict()
        self._unwritten: set[Path] = set()  # reports that the log was told about
        self._lock = threading.Lock()

    def find(self, folder: PurePosixPath) -> Recipe | None:
        """What the jobs of a folder, or of a bundle, inherit; both named by their place below inbox/."""
        signs = tuple(sign for each in _folders_down_to(folder) if (sign := self._look(each)) is not None)
        if not signs:
            return None
        with self._lock:
            chain = self._chains.get(signs) or self._read_chain(signs)
            self._chains[signs] = chain
            self._chains.move_to_end(signs)
            while len(self._chains) > _MAX_CHAINS:
                self._chains.popitem(last=False)
        return Recipe(folder, chain.files, chain.node, tuple(self._list_keywords(folder, signs)))

    def recheck(self) -> None:
        """Look again at recipes with problems, and report: the preset that was missing may be there by now.

        At most once a second, so that it may be asked for each of very many held files.
        """
        with self._lock:
            now_s = self._monotonic()
            if now_s < self._next_recheck_s:
                return
            self._next_recheck_s = now_s + RECHECK_S
            faulty = [signs for signs, chain in self._chains.items() if not chain.is_sound]
            for signs in faulty:
                del self._chains[signs]
        for signs in faulty:
            self.update_reports(signs[-1].place.parent)

    def update_reports(self, folder: PurePosixPath) -> None:
        """Write a report beside each recipe with problems from inbox/ down to a folder; remove the others."""
        recipe = self.find(folder)
        faulty = {each.place: each for each in recipe.files if each.problems} if recipe is not None else {}
        for each in _folders_down_to(folder):
            for place in (each / name for name in RECIPE_NAMES):
                text = build_recipe_report(place, faulty[place].problems) if place in faulty else None
                self._update_report(self._inbox / place.with_name(place.name + REPORT_SUFFIX), text)

    def _look(self, folder: PurePosixPath) -> _Sign | None:
        found = []
        for name in RECIPE_NAMES:
            with suppress(OSError):
                seen = (self._inbox / folder / name).lstat()
                found.append(
                    (name, (seen.st_dev, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns))
                )
        if not found:
            return None
        (name, signature), *others = found
        return _Sign(folder / name, signature, tuple(other for other, _ in others))

    def _read_chain(self, signs: tuple[_Sign, ...]) -> _Chain:
        files: list[RecipeFile] = []
        whole: Node | None = None
        base = PurePosixPath()
        for sign in signs:
            file = self._read(sign)
            if file.node is not None:
                levels = len(sign.place.parent.parts) - len(base.parts)
                whole, base = merge_recipes(whole, file.node, levels), sign.place.parent
                file = self._checked(file, whole, files)
            files.append(file)
        return _Chain(tuple(files), whole)

    def _read(self, sign: _Sign) -> RecipeFile:
        try:
            with open_regular(self._inbox / sign.place) as stream:
                data = stream.read(MAX_RECIPE_BYTES + 1)
            nodes = parse_documents(data, format_of(sign.place.name) or "yaml", max_bytes=MAX_RECIPE_BYTES)
        except JobFileError as error:
            return RecipeFile(sign.place, None, tuple(error.problems))
        except (LibraryError, OSError) as error:
            return RecipeFile(sign.place, None, (_unreadable(error),))
        return RecipeFile(sign.place, nodes[0], tuple(_too_many(nodes, sign)))

    def _checked(self, file: RecipeFile, whole: Node, above: list[RecipeFile]) -> RecipeFile:
        """The file with its problems; while those above it have some, not with what it inherits."""
        assert file.node is not None
        recipe = Recipe(file.place.parent, (*above, file), whole)
        problems = find_recipe_problems(file.node, whole, self._endpoints, self._preset)
        if any(each.problems for each in above):
            problems = [each for each in problems if recipe.explain(file.node, [each]) == [each]]
        problems = recipe.explain(file.node, problems)
        return RecipeFile(file.place, file.node, (*file.problems, *problems))

    def _list_keywords(self, folder: PurePosixPath, signs: tuple[_Sign, ...]) -> Iterator[str]:
        """The names of the folders below the outermost recipe that have no recipe themselves."""
        recipe_folders = {each.place.parent for each in signs}
        for each in _folders_down_to(folder)[len(signs[0].place.parent.parts) + 1 :]:
            if each not in recipe_folders and each.name.casefold() not in self._no_keywords:
                yield unicodedata.normalize("NFC", one_line(display_text(each.name)))

    def _update_report(self, report: Path, text: str | None) -> None:
        """What cannot be written is told to the log once; the recipe is held without its report, too."""
        try:
            if text is None:
                if _is_file(report):
                    report.unlink(missing_ok=True)
            elif _read_report(report) != text.encode():
                write_atomic(report, text.encode())
            self._unwritten.discard(report)
        except (LibraryError, OSError) as error:
            if report not in self._unwritten:
                self._unwritten.add(report)
                log.warning("%s cannot be brought up to date: %s", display_text(str(report)), error)


def _folders_down_to(folder: PurePosixPath) -> list[PurePosixPath]:
    """From inbox/ itself to the folder, or to the one that the bundle lies in."""
    folders = [PurePosixPath()]
    for part in folder.parts:
        if part.casefold().endswith((FOLDER_SUFFIX, ZIP_SUFFIX)):
            break
        folders.append(folders[-1] / part)
    return folders


def _too_many(nodes: list[Node], sign: _Sign) -> Iterator[Problem]:
    if sign.others:
        message = f"{' and '.join(f'`{each}`' for each in sign.others)} lies in the same folder."
        yield Problem("job.invalid", message, "Keep one recipe in a folder.", 1, 1)
    if len(nodes) > 1:
        message = f"The file holds {len(nodes)} documents; a recipe is one."
        yield Problem("job.invalid", message, "Keep one of them.", nodes[1].line, nodes[1].column)


def _unreadable(error: LibraryError | OSError) -> Problem:
    reason = error.strerror or "it cannot be opened" if isinstance(error, OSError) else "not a regular file"
    hint = "Give the user of the service the right to read it, and use the file itself, not a link to it."
    return Problem("job.unreadable", f"The recipe cannot be read: {reason}.", hint)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _read_report(path: Path) -> bytes | None:
    try:
        with open_regular(path) as stream:
            return stream.read(10 * MAX_RECIPE_BYTES)
    except (LibraryError, OSError):
        return None
