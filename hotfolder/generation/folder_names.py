"""The names in the folders that references lie in: those that look like a written one, or are near it."""

from __future__ import annotations

import difflib
import heapq
import os
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from hotfolder.domain.wording import one_line

_HINTS: Final = 3
_NEAR_NAMES: Final = 3
_NAMES_COMPARED: Final = 10_000
_NAMES_COMPARED_WELL: Final = 50


@dataclass(slots=True)
class _Listing:
    """The names in a folder by how they look, and some of those that are files."""

    alike: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)


class FolderNames:
    """Asked about the references of one job file: lists each folder once, and hints at the first few only."""

    def __init__(self) -> None:
        self._listings: dict[Path, _Listing] = {}
        self._hints_left = _HINTS

    def find_alike(self, folder: Path, name: str) -> list[str]:
        """Those that are the name by Unicode NFC, else those that are it without case; sorted."""
        found = sorted(self._list(folder).alike.get(_folded(name), ()))
        return [each for each in found if _nfc(each) == _nfc(name)] or found

    def find_hint(self, wanted: Path) -> str | None:
        """Which files beside it have a name that is near; None when there is none, or enough was told."""
        if self._hints_left == 0:
            return None
        self._hints_left -= 1
        near = _nearest(wanted.name, self._list(wanted.parent).files)
        return f"There is `{'`, `'.join(map(one_line, near))}`." if near else None

    def _list(self, folder: Path) -> _Listing:
        if folder not in self._listings:
            self._listings[folder] = _list_folder(folder)
        return self._listings[folder]


def _list_folder(folder: Path) -> _Listing:
    """What there is; nothing where the folder cannot be read."""
    listing = _Listing()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                listing.alike.setdefault(_folded(entry.name), []).append(entry.name)
                if len(listing.files) < _NAMES_COMPARED and entry.is_file():
                    listing.files.append(entry.name)
    except OSError:
        return _Listing()
    return listing


def _nearest(wanted: str, names: list[str]) -> list[str]:
    """The nearest first. To compare well takes long: only those are that seem near at a quick look."""
    matcher = difflib.SequenceMatcher()
    matcher.set_seq2(wanted)

    def seem_near(name: str) -> float:
        matcher.set_seq1(name)
        return matcher.quick_ratio()

    likely = heapq.nlargest(_NAMES_COMPARED_WELL, names, key=seem_near)
    return difflib.get_close_matches(wanted, likely, n=_NEAR_NAMES, cutoff=0.6)


def _nfc(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return _nfc(_nfc(name).casefold())
