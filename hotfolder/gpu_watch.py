"""run/gpus: what the graphics cards have in use, written by a thread of its own for whoever asks."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any, Final

from hotfolder.engine.graphics import GraphicsCard, find_tool, read_cards
from hotfolder.errors import LibraryError
from hotfolder.files.storage import write_json

log = logging.getLogger(__name__)

EVERY_S: Final = 15.0


class GpuWatch:
    """Asks the tool of the cards' maker now and then; without one nothing is done."""

    def __init__(self, path: Path, every_s: float = EVERY_S) -> None:
        self._path = path
        self._every_s = every_s
        self._stopping = threading.Event()
        self._tool = find_tool()
        self._thread = threading.Thread(target=self._run, name="gpu-watch", daemon=True)

    def start(self) -> None:
        """Begin to ask, if there is whom to ask; what an earlier run wrote goes."""
        self._path.unlink(missing_ok=True)
        if self._tool is not None:
            self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Ask no more; a tool that hangs is not waited for any longer."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while self._tool is not None and not self._stopping.is_set():
            try:
                write_json(self._path, [_to_object(each) for each in read_cards(self._tool)])
            except (LibraryError, OSError) as error:  # a full disk must not end it
                log.debug("%s could not be written: %s", self._path, error)
            self._stopping.wait(self._every_s)


def _to_object(card: GraphicsCard) -> dict[str, Any]:
    return {
        "gpu": card.gpu,
        "name": card.name,
        "usedBytes": card.used_bytes,
        "totalBytes": card.total_bytes,
        "utilization": card.utilization,
    }
