"""A listing of a folder tree: what may be work there, what is of a strange kind, what could not be read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field

from hotfolder.watchers.ignore import is_ignored, is_ignored_folder


@dataclass(slots=True)
class Listing:
    """`things` are plain files and units; `strange` are links, pipes, sockets and devices.

    Ignored names are left out; only of `things` some may be temporary, by their names alone.
    """

    root: str
    things: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)

    @property
    def root_was_read(self) -> bool:
        """Whether it says anything at all."""
        return self.root not in self.closed


def list_tree(root: str, is_unit: Callable[[str], bool]) -> Listing:
    """List a tree; a folder whose name makes it a unit is one thing, and is not entered."""
    listing = Listing(root)
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            _list_folder(folder, folders, listing, is_unit)
        except FileNotFoundError:
            if folder == root:
                listing.closed.add(folder)
        except OSError:
            listing.closed.add(folder)
    return listing


def _list_folder(folder: str, folders: list[str], listing: Listing, is_unit: Callable[[str], bool]) -> None:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_file(follow_symlinks=False):
                listing.things.append(entry.path)
            elif not entry.is_dir(follow_symlinks=False):
                if not is_ignored(entry.name):
                    listing.strange.append(entry.path)
            elif not is_ignored_folder(entry.name):
                (listing.things if is_unit(entry.name) else folders).append(entry.path)
