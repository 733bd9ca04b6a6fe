"""Where each file of the library lives, and folders that outlast a loss of power."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from hotfolder.files.names import dotted_extension, single_name

_BASE_FOLDERS = (
    "run",
    "inbox/hold",
    "processing",
    "done",
    "failed",
    "status",
    "import",
    "originals",
    "thumbnails",
    "refs",
    "ref_cache",
    "ref_thumbnails",
    "work",
    "outbox",
    "trash",
    "presets",
    "logs",
    "models",
    "engines",
)


@dataclass(frozen=True, slots=True)
class LibraryPaths:
    """Every place of a library; dates are folders of the UTC calendar, ids and extensions single names."""

    root: Path
    names: Mapping[str, str] = field(default_factory=dict)
    """Our name of a working folder -> its name on the disk, where that is another."""

    @property
    def settings_file(self) -> Path:
        """The settings; the file may be missing."""
        return self.root / "hotfolder.yaml"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.root / "library.db"

    @property
    def run(self) -> Path:
        """Lock, port and heartbeat of the running sidecar."""
        return self.root / "run"

    @property
    def inbox(self) -> Path:
        """Where job files are dropped."""
        return self._folder("inbox")

    @property
    def hold(self) -> Path:
        """Where job files wait until somebody moves them out."""
        return self.inbox / "hold"

    @property
    def processing(self) -> Path:
        """Claimed job files and nothing else."""
        return self._folder("processing")

    @property
    def failed(self) -> Path:
        """Job files that did not complete, with their reports."""
        return self._folder("failed")

    @property
    def imports(self) -> Path:
        """Where pictures are dropped to join the library."""
        return self.root / "import"

    @property
    def originals(self) -> Path:
        """All pictures of the library."""
        return self.root / "originals"

    @property
    def refs(self) -> Path:
        """Reference files as they were accepted, by content."""
        return self.root / "refs"

    @property
    def outbox(self) -> Path:
        """Deliveries into folders."""
        return self._folder("outbox")

    @property
    def presets(self) -> Path:
        """Named parameter sets."""
        return self.root / "presets"

    @property
    def logs(self) -> Path:
        """Log files."""
        return self.root / "logs"

    @property
    def models(self) -> Path:
        """Engine models, unless the settings name other places."""
        return self.root / "models"

    @property
    def engines(self) -> Path:
        """Engine binaries, unless the settings name other places."""
        return self.root / "engines"

    def done_dir(self, at: datetime) -> Path:
        """The folder for job files that completed on that day."""
        return self._folder("done") / _utc(at).strftime("%Y/%m/%d")

    def failed_dir(self, at: datetime) -> Path:
        """The folder for job files that failed on that day, where the settings ask for one a day."""
        return self.failed / _utc(at).strftime("%Y/%m/%d")

    def trash_dir(self, at: datetime) -> Path:
        """The folder for what was removed on that day."""
        return self.root / "trash" / _utc(at).strftime("%Y/%m/%d")

    def status_json(self, job_id: str) -> Path:
        """The live status of a job, for programs."""
        return self.root / "status" / single_name(f"{job_id}.json")

    def status_text(self, job_id: str) -> Path:
        """The live status of a job, one line for people."""
        return self.root / "status" / single_name(f"{job_id}.txt")

    def originals_dir(self, at: datetime) -> Path:
        """The folder for pictures that arrived in that month."""
        return self.originals / _utc(at).strftime("%Y/%m")

    def original(self, at: datetime, media_id: str, extension: str) -> Path:
        """The place of a picture; the extension starts with its dot."""
        return self.originals_dir(at) / single_name(media_id + dotted_extension(extension))

    def sidecar_json(self, original: Path) -> Path:
        """The JSON sidecar beside a picture."""
        return original.with_name(f"{original.name}.json")

    def sidecar_xmp(self, original: Path) -> Path:
        """The XMP sidecar beside a picture."""
        return original.with_name(f"{original.name}.xmp")

    def thumbnail(self, media_id: str) -> Path:
        """The thumbnail of a picture."""
        return self.root / "thumbnails" / single_name(media_id[-2:]) / single_name(f"{media_id}.jpg")

    def reference(self, sha256: str, extension: str) -> Path:
        """A reference file as it was accepted."""
        return self.refs / single_name(sha256 + dotted_extension(extension))

    def ref_cache(self, key: str) -> Path:
        """A reference as the engine gets it; see `images.reference_cache_key`."""
        return self.root / "ref_cache" / single_name(f"{key}.png")

    def ref_thumbnail(self, generation_id: str, position: int) -> Path:
        """The thumbnail of a generation's reference, kept when the source is deleted."""
        folder = self.root / "ref_thumbnails" / single_name(generation_id[-2:]) / single_name(generation_id)
        return folder / f"{position}.jpg"

    def work(self, generation_id: str) -> Path:
        """The folder for engine output before it is finalised."""
        return self.root / "work" / single_name(generation_id)

    @property
    def arriving(self) -> Path:
        """Claimed pictures that are not in the library yet: `<media_id>/<their path below import/>`."""
        return self.root / "work" / "import"

    @property
    def unpacked(self) -> Path:
        """Zips that are being taken in, unpacked: `<job_id>/`."""
        return self.root / "work" / "unpacked"

    def relative(self, path: Path) -> str:
        """The form in which the database keeps a path: relative to the library, with `/`."""
        inner = path.relative_to(self.root)
        if ".." in inner.parts:
            raise ValueError(f"{path} may lead out of the library")
        ours = {shown: name for name, shown in self.names.items()}
        first, *rest = inner.parts
        return PurePosixPath(ours.get(first, first), *rest).as_posix()

    def absolute(self, relative: str) -> Path:
        """The path that the database keeps in this form."""
        inner = PurePosixPath(relative)
        if not inner.parts or inner.is_absolute() or ".." in inner.parts or "\0" in relative:
            raise ValueError(f"{relative!r} is not a path inside the library")
        return self.root / self.shown(relative)

    def shown(self, relative: str) -> str:
        """A path in the form of the database with the name that its folder has on the disk."""
        first, slash, rest = relative.partition("/")
        return self.names.get(first, first) + slash + rest

    def locate(self, file_path: str) -> Path:
        """The file of a picture: absolute for one that stayed where it was, else below the library."""
        place = Path(file_path)
        return place if place.is_absolute() else self.absolute(file_path)

    def create(self) -> None:
        """Make the folders that people and the sidecar expect; what is there stays."""
        for name in _BASE_FOLDERS:
            ensure_folder(self.root / self.shown(name))

    def _folder(self, name: str) -> Path:
        return self.root / self.names.get(name, name)


def ensure_folder(folder: Path) -> None:
    """Make a folder and its parents so that they outlast a loss of power."""
    places = itertools.chain((folder,), folder.parents)
    missing = list(itertools.takewhile(lambda place: not place.is_dir(), places))
    for place in reversed(missing):
        place.mkdir(exist_ok=True)
        sync_folder(place.parent)


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time without a zone does not say which day it is")
    return at.astimezone(UTC)
