"""Which files are pictures to import: by a rule for names, below folders, and what a folder will keep."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from hotfolder.files.decoding import readable_extensions
from hotfolder.watchers.ignore import is_ignored, is_ignored_folder


def build_rule() -> Callable[[PurePath], bool]:
    """Whether a file is imported, by its name alone; asked once what can be read here."""
    extensions = readable_extensions()
    return lambda relative: relative.suffix.casefold() in extensions


@dataclass(frozen=True, slots=True)
class Found:
    """Pictures, how many other files were passed over, and what could not be looked into."""

    pictures: list[Path]
    skipped: int
    unreadable: Mapping[Path, OSError] = field(default_factory=dict)


def find_pictures(places: Sequence[Path], *, spare: Path) -> Found:
    """The pictures here and below, each once; `spare` is not entered.

    Links are not followed, but for a place that is a link to a folder.
    """
    found: dict[Path, bool] = {}
    unreadable: dict[Path, OSError] = {}
    is_picture = build_rule()
    for place in places:
        is_folder = place.is_dir()
        for file in _walk(place.resolve(), spare, unreadable) if is_folder else [place.absolute()]:
            try:
                found[file] = is_picture(file) and not is_ignored(file.name) and _is_regular(file)
            except OSError as error:  # its folder may be listed, and not be entered
                unreadable[file] = error
    pictures = [file for file, is_wanted in found.items() if is_wanted]
    return Found(pictures, len(found) - len(pictures), unreadable)


def _walk(top: Path, spare: Path, unreadable: dict[Path, OSError]) -> Iterator[Path]:
    def note(error: OSError) -> None:
        unreadable[Path(error.filename)] = error

    for path, folders, names in os.walk(top, onerror=note):
        folder = Path(path)
        folders[:] = sorted(
            name for name in folders if not is_ignored_folder(name) and folder / name != spare
        )
        yield from (folder / name for name in sorted(names))


def _is_regular(file: Path) -> bool:
    return file.is_file() and not file.is_symlink()


def list_left(import_folder: Path) -> list[str]:
    """What lies in the import folder and will stay there, relative to it."""
    is_picture = build_rule()
    left = []
    for path in sorted(import_folder.rglob("*")):
        relative = path.relative_to(import_folder)
        if is_ignored(path.name) or any(map(is_ignored_folder, relative.parts[:-1])):
            continue
        is_folder = path.is_dir() and not path.is_symlink()
        if not is_folder and not (_is_regular(path) and is_picture(relative)):
            left.append(relative.as_posix())
    return left
