"""Jobs found at start, moved into hold/ where the settings ask for it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from hotfolder.files.names import display_text
from hotfolder.files.storage import move_to_free_name
from hotfolder.watchers.inbox_files import HOLD, list_all

log = logging.getLogger(__name__)


def hold_all(inbox: Path, find_recipe: Callable[[PurePosixPath], object | None]) -> int:
    """Move every job of the inbox, and the pictures, to the same place below hold/; gives their number."""
    held = 0
    for relative in list_all(inbox, find_recipe):
        try:
            move_to_free_name(
                inbox / relative,
                inbox / HOLD / relative.parent,
                relative.name,
                lambda place: False,  # noqa: ARG005
            )
            held += 1
        except OSError as error:
            log.warning("%s cannot be moved into hold/: %s", display_text(str(relative)), error)
    if held:
        log.info("%d files were found in the inbox and are held: move them out of hold/ to run them", held)
    return held
