from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hotfolder.app import Library, create_library, open_library
from hotfolder.config import load_settings
from hotfolder.engines import build_engines
from hotfolder.library.import_folders import FolderMode, SourceFolder
from hotfolder.library.seen_left import SeenLeftStore
from hotfolder.queue.worker import Worker
from hotfolder.watchers.imports import ImportFolder
from hotfolder.workshop import build_outside_desk, build_worker
from tests.import_ledger import ends, query


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


class Foreign:
    """An import folder beside a library, and the hands that bring its pictures in."""

    def __init__(self, porter: Porter, path: Path, mode: FolderMode, **more: Any) -> None:
        path.mkdir(exist_ok=True)
        self.porter = porter
        self.path = path
        self.folder = SourceFolder(f"id of {path.name}", path, mode, **more)
        self.desk = build_outside_desk(porter.library)

    def look(self) -> list[Any]:
        """What the watcher does with all that has settled; gives the faults."""
        files = sorted(each for each in self.path.rglob("*") if each.is_file())
        return self.desk.take_all(self.folder, files, lambda: False)

    def bring_in(self) -> list[str]:
        """Everything to its end; gives how all imports of the library ended."""
        assert self.look() == []
        self.porter.work()
        assert not (self.porter.root / "work" / "import").exists()
        return [each["outcome"] for each in ends(self.porter.root)]

    def seen(self) -> dict[str, int]:
        return dict(SeenLeftStore(self.porter.library.database).count(self.folder.folder_id))


Make = Callable[..., Foreign]


def media_of(porter: Porter) -> list[dict[str, Any]]:
    return query(porter.root, "SELECT * FROM media ORDER BY original_path")


@pytest.fixture
def porter(tmp_path: Path) -> Iterator[Porter]:
    create_library(tmp_path / "library")
    library = open_library(tmp_path / "library", load_settings(tmp_path / "library", {}))
    yield Porter(library)
    library.close()


@pytest.fixture
def make(porter: Porter, tmp_path: Path) -> Make:
    return lambda mode="copy", name="photos", **more: Foreign(porter, tmp_path / name, mode, **more)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    place = Path("/dev/shm") / f"hotfolder-{os.getpid()}"
    if not place.parent.is_dir() or place.parent.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    place.mkdir()
    yield place
    shutil.rmtree(place)
