"""Which files are pictures to import: by a rule for names, below folders, and what a folder will keep."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from hotfolder.files.decoding import readable_extensions
from hotfolder.watchers.ignore import is_ignored, is_ignored_folder


def build_rule() -> Callable[[PurePath], bool]:
    """Whether a file is imported, by its name alone; asked once what can be read here."""
    extensions = readable_extensions()
    return lambda relative: relative.suffix.casefold() in extensions


@dataclass(frozen=True, slots=True)
class Found:
    """Pictures, and how many other files were passed over."""

    pictures: list[Path]
    skipped: int


def find_pictures(places: Sequence[Path], *, spare: Path) -> Found:
    """The pictures here and below, each once; links are not followed, `spare` is not entered."""
    found: dict[Path, bool] = {}
    is_picture = build_rule()
    for place in places:
        is_folder = place.is_dir() and not place.is_symlink()
        for file in _walk(place.resolve(), spare) if is_folder else [place.absolute()]:
            found[file] = is_picture(file) and not is_ignored(file.name) and _is_regular(file)
    pictures = [file for file, is_wanted in found.items() if is_wanted]
    return Found(pictures, len(found) - len(pictures))


def _walk(top: Path, spare: Path) -> Iterator[Path]:
    for path, folders, names in os.walk(top):
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
