"""What `doctor` looks at: the machine, the library folder, the database, the engine and its models."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hotfolder.app import Library, build_engines, build_model_sets
from hotfolder.errors import HotfolderError

State = Literal["ok", "warning", "failure"]

LOW_DISK_BYTES = 1_000_000_000
_WRITABLE = (
    "inbox",
    "processing",
    "done",
    "failed",
    "status",
    "originals",
    "thumbnails",
    "refs",
    "work",
    "run",
)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    state: State
    found: str
    hint: str | None = None


def run_checks(library: Library) -> list[Check]:
    """All checks, in the order in which a user would mend things."""
    return [
        _check_versions(),
        *_check_folders(library),
        _check_disk(library),
        _check_database(library),
        _check_sidecar(library),
        *_check_engine(library),
        *_check_models(library),
        *_check_inotify(),
    ]


def _check_versions() -> Check:
    python = ".".join(map(str, sys.version_info[:3]))
    return Check("Versions", "ok", f"Python {python}, SQLite {sqlite3.sqlite_version}")


def _check_folders(library: Library) -> Iterator[Check]:
    for name in _WRITABLE:
        folder = library.paths.root / name
        probe, renamed = folder / ".doctor-probe", folder / ".doctor-probe-2"
        try:
            probe.write_bytes(b"")
            probe.rename(renamed)
            renamed.unlink()
        except OSError as error:
            hint = f"Give the user that runs hotfolder the right to write into {folder}."
            yield Check(f"Folder {name}/", "failure", str(error), hint)
            return
    yield Check("Folders", "ok", "every folder can be written to")


def _check_disk(library: Library) -> Check:
    free = shutil.disk_usage(library.paths.root).free
    state: State = "ok" if free > LOW_DISK_BYTES else "warning"
    return Check("Disk", state, f"{free / 1e9:.1f} GB free", "Make room: pictures need it soon.")


def _check_database(library: Library) -> Check:
    found = library.database.quick_check()
    if found == "ok":
        return Check("Database", "ok", "sound")
    return Check("Database", "failure", found, "Keep library.db, and restore a backup beside it.")


def _check_sidecar(library: Library) -> Check:
    if library.lock.is_held_by_another():
        return Check("Sidecar", "ok", f"runs ({library.lock.describe_holder()})")
    return Check("Sidecar", "warning", "does not run", f"Start it: hotfolder run {library.paths.root}")


def _check_engine(library: Library) -> Iterator[Check]:
    engines = build_engines(library)
    try:
        for manager in filter(None, (engines.procedural, engines.cn_engine)):
            kind = manager.status().kind
            try:
                yield Check(f"Engine {kind}", "ok", f"answers in {manager.ping():.0f} ms")
            except HotfolderError as error:
                yield Check(f"Engine {kind}", "failure", error.message, error.hint)
    finally:
        engines.stop()
    if engines.cn_engine is None:
        fallback = library.settings.engine.fallback
        hint = "Set `engine.path`, or put cn-engine on the PATH or into LIBRARY/engines."
        yield Check("Engine cn-engine", "warning", f"not found (engine.fallback is {fallback})", hint)


def _check_models(library: Library) -> Iterator[Check]:
    sets = build_model_sets(library)
    if not sets:
        yield Check("Models", "warning", "no model set is configured", "Add one under `models.sets`.")
    for name, load in sets.items():
        missing = [each for each in load.files() if not Path(each).is_file()]
        if missing:
            hint = "Mend the path in hotfolder.yaml, or add its folder to `models.roots`."
            yield Check(f"Model set {name}", "failure", f"missing: {', '.join(missing)}", hint)
        else:
            yield Check(f"Model set {name}", "ok", f"{len(load.files())} files")


def _check_inotify() -> Iterator[Check]:
    limit_file = Path("/proc/sys/fs/inotify/max_user_watches")
    if not limit_file.exists():
        return
    limit = int(limit_file.read_text(encoding="ascii"))
    state: State = "ok" if limit >= 8192 else "warning"
    yield Check("inotify", state, f"{limit} watches", "sudo sysctl fs.inotify.max_user_watches=524288")
    if os.environ.get("HOTFOLDER_PROCEDURAL_FAULT"):
        yield Check(
            "Faults", "warning", "HOTFOLDER_PROCEDURAL_FAULT is set: the embedded engine fails on purpose"
        )
