from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hotfolder.app import Library, build_engines, create_library, open_library
from hotfolder.config import load_settings
from hotfolder.queue.worker import Worker
from hotfolder.watchers.imports import ImportFolder
from hotfolder.workshop import build_worker
from tests.import_ledger import ends


class Porter:
    """A library with its import folder, its desk and a worker that is run by hand."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.root = library.paths.root
        self.stopping = threading.Event()
        self.folder = ImportFolder(library.paths.imports, library.import_desk)

    def drop(self, name: str, data: bytes) -> Path:
        """A complete file in import/."""
        target = self.root / "import" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        return target

    def claim(self) -> None:
        """What the watcher does with all that lies in import/."""
        files = sorted(each for each in (self.root / "import").rglob("*") if each.is_file())
        if files:
            self.folder.take_all(files)

    def worker(self) -> Worker:
        engines = build_engines(self.library)
        return build_worker(self.library, engines, {"cpu": 1}, self.stopping)

    def work(self) -> None:
        """Everything that is pending, and what follows from it."""
        worker = self.worker()
        while worker.run_one("cpu"):
            pass

    def restart(self) -> None:
        """What a service does first after a crash."""
        self.folder = ImportFolder(self.library.paths.imports, self.library.import_desk)
        self.worker().recover()
        self.folder.recover()

    def bring_in(self) -> list[dict[str, Any]]:
        """Claim, work, and say how all imports ended."""
        self.claim()
        self.work()
        return ends(self.root)


@pytest.fixture
def porter(tmp_path: Path) -> Iterator[Porter]:
    create_library(tmp_path / "library")
    library = open_library(tmp_path / "library", load_settings(tmp_path / "library", {}))
    yield Porter(library)
    library.close()
