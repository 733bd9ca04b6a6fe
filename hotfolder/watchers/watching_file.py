"""run/watching: how the running service watches its folders, for whoever asks (doctor, the web)."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hotfolder.errors import LibraryError
from hotfolder.files.names import display_text
from hotfolder.files.storage import write_json
from hotfolder.watchers.loop import WatchReport

log = logging.getLogger(__name__)


class WatchingFile:
    """Written when something has changed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written: list[dict[str, Any]] | None = None

    def save(self, reports: Sequence[WatchReport]) -> None:
        """Write what the reports say; a full disk is no reason to end."""
        roots = [_to_object(each) for each in reports]
        if roots == self._written:
            return
        try:
            write_json(self._path, roots)
            self._written = roots
        except (LibraryError, OSError) as error:
            log.warning("%s could not be written: %s", self._path, error)


def load_watching(path: Path) -> list[dict[str, Any]]:
    """What a service wrote last; nothing when there is none."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return []
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _to_object(report: WatchReport) -> dict[str, Any]:
    return {
        "root": display_text(str(report.root)),
        "mode": report.mode,
        "reason": report.reason,
        "missed": report.missed,
        "pending": report.pending,
        "examples": [display_text(str(each)) for each in report.examples],
        "strange": [display_text(str(each)) for each in report.strange],
    }
