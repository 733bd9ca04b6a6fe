"""Jobs found at start, moved into hold/ where the settings ask for it."""

from __future__ import annotations

import logging
from pathlib import Path, PurePath

from hotfolder.files.names import display_text
from hotfolder.files.storage import move_to_free_name
from hotfolder.watchers.inbox_files import HOLD, list_waiting

log = logging.getLogger(__name__)


def hold_all(inbox: Path) -> int:
    """Move every job of the inbox to the same place below hold/; gives their number."""
    held = 0
    for name in list_waiting(inbox):
        relative = PurePath(name)
        try:
            move_to_free_name(
                inbox / relative,
                inbox / HOLD / relative.parent,
                relative.name,
                lambda place: False,  # noqa: ARG005
            )
            held += 1
        except OSError as error:
            log.warning("%s cannot be moved into hold/: %s", display_text(name), error)
    if held:
        log.info("%d jobs were found in the inbox and are held: move them out of hold/ to run them", held)
    return held
