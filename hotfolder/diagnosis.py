"""What `doctor` looks at: the machine, the library folder, the database, the engine and its models."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from hotfolder.app import Library, open_library
from hotfolder.check import Check
from hotfolder.config import LoadedSettings, load_settings
from hotfolder.diagnosis_intake import check_intake
from hotfolder.diagnosis_models import build_report, build_snippet
from hotfolder.domain.wording import one_line
from hotfolder.engine.kinds import CN_ENGINE, EXTRAS
from hotfolder.engines import build_engines
from hotfolder.errors import ConfigError, HotfolderError
from hotfolder.files import quick_decoding
from hotfolder.files.vocabulary import find_names, find_vocabulary
from hotfolder.watchers.finding import list_left

LOW_DISK_BYTES = 1_000_000_000
ENOUGH_WATCHES = 8192
ENOUGH_INSTANCES = 128
FAULT_VARIABLE = "HOTFOLDER_PROCEDURAL_FAULT"
_WATCHES_FILE = Path("/proc/sys/fs/inotify/max_user_watches")
_INSTANCES_FILE = Path("/proc/sys/fs/inotify/max_user_instances")
_WRITABLE = (
    "inbox",
    "processing",
    "done",
    "failed",
    "status",
    "originals",
    "import",
    "trash",
    "thumbnails",
    "refs",
    "ref_cache",
    "ref_thumbnails",
    "work",
    "run",
    "logs",
)


def examine(root: Path, environment: Mapping[str, str]) -> list[Check]:
    """All checks, in the order in which a user would mend things; later ones need the earlier ones."""
    checks = [_check_versions(), _check_decoding(), *_check_folders(root), _check_disk(root)]
    checks += [*check_watches(_WATCHES_FILE), *check_instances(_INSTANCES_FILE), *_check_faults(environment)]
    try:
        settings = load_settings(root, environment)
    except ConfigError as error:
        return [*checks, Check("Settings", "failure", error.message, error.hint)]
    checks.append(Check("Settings", "ok", "sound"))
    if any(each.state == "failure" for each in checks):
        return checks
    return checks + _examine_inside(root, settings)


def _examine_inside(root: Path, settings: LoadedSettings) -> list[Check]:
    try:
        library = open_library(root, settings)
    except (HotfolderError, OSError) as error:
        hint = error.hint if isinstance(error, HotfolderError) else "Check the permissions of the library."
        return [Check("Library", "failure", str(error), hint)]
    try:
        return run_checks(library)
    finally:
        library.close()


def run_checks(library: Library) -> list[Check]:
    """What can be checked in an open library only."""
    return [
        _check_database(library),
        _check_sidecar(library),
        _check_imports(library),
        *check_intake(library),
        *_check_engine(library),
        *_check_models(library),
    ]


def _check_versions() -> Check:
    python = ".".join(map(str, sys.version_info[:3]))
    return Check("Versions", "ok", f"Python {python}, SQLite {sqlite3.sqlite_version}")


def _check_decoding() -> Check:
    by = "the extra `fast`" if quick_decoding.is_installed() else "Pillow; the extra `fast` takes less time"
    return Check("Pictures", "ok", f"WebP is read by {by}")


def _check_folders(root: Path) -> Iterator[Check]:
    names = [find_names(root, find_vocabulary(root)).get(each, each) for each in _WRITABLE]
    unwritable = {name: found for name in names if (found := _try_to_write(root / name)) is not None}
    for name, found in unwritable.items():
        hint = f"Let the user that runs hotfolder write into the folder {root / name}."
        if not (root / name).is_dir() and (root / name).exists():
            hint = f"Move {root / name} away: a folder belongs there. `hotfolder init {root}` makes it."
        yield Check(f"Folder {name}/", "failure", found, hint)
    if not unwritable:
        yield Check("Folders", "ok", "every folder can be written to")


def _try_to_write(folder: Path) -> str | None:
    """Make, rename and remove a file; a folder that is missing is no fault, opening the library makes it."""
    probe, renamed = folder / ".doctor-probe", folder / ".doctor-probe-2"
    if not folder.exists() and folder.parent.is_dir():
        folder, probe, renamed = folder.parent, folder.parent / probe.name, folder.parent / renamed.name
    try:
        probe.write_bytes(b"")
        probe.rename(renamed)
        renamed.unlink()
    except OSError as error:
        return f"cannot be written to: {error.strerror or error}"
    return None


def _check_disk(root: Path) -> Check:
    free_bytes = shutil.disk_usage(root).free
    found = f"{free_bytes / 1e9:.1f} GB free"
    if free_bytes > LOW_DISK_BYTES:
        return Check("Disk", "ok", found)
    return Check("Disk", "warning", found, "Make room: pictures need it soon.")


def _check_database(library: Library) -> Check:
    try:
        found = library.database.quick_check()
    except sqlite3.Error as error:
        found = str(error)
    if found == "ok":
        return Check("Database", "ok", "sound")
    return Check("Database", "failure", found, "Keep library.db, and restore a backup beside it.")


def _check_sidecar(library: Library) -> Check:
    if library.lock.is_held_by_another():
        return Check("Sidecar", "ok", f"runs ({library.lock.describe_holder()})")
    return Check("Sidecar", "warning", "does not run", f"Start it: hotfolder run {library.paths.root}")


def _check_imports(library: Library) -> Check:
    left = list_left(library.paths.imports)
    if not left:
        return Check("Import folder", "ok", "holds nothing that is no picture")
    found = f"{len(left)} file(s) will not be imported, first {one_line(left[0])}"
    hint = "Move them away, or save them as JPEG, PNG, WebP, TIFF, GIF or BMP"
    return Check("Import folder", "warning", found, f"{hint}; HEIC needs the extra `heic`.")


def _check_engine(library: Library) -> Iterator[Check]:
    engines = build_engines(library)
    try:
        for kind, manager in engines.by_kind.items():
            try:
                yield Check(f"Engine {kind}", "ok", f"answers in {manager.ping():.0f} ms")
            except HotfolderError as error:
                yield Check(f"Engine {kind}", "failure", error.message, error.hint)
    finally:
        engines.stop()
    for extra in EXTRAS.values():
        if extra.kind not in engines.by_kind:
            found = f"not installed; {extra.install_line} gives {extra.gives}"
            yield Check(f"Engine {extra.kind}", "ok", found)
    if CN_ENGINE not in engines.by_kind:
        fallback = library.settings.engine.fallback
        hint = "Set `engine.path`, or put cn-engine on the PATH or into LIBRARY/engines."
        yield Check("Engine cn-engine", "warning", f"not found (engine.fallback is {fallback})", hint)


def _check_models(library: Library) -> Iterator[Check]:
    try:
        report = build_report(library)
    except ConfigError as error:
        yield Check("Models", "failure", error.message, error.hint)
        return
    for problem in report.shelf.problems:
        yield Check(
            "Model folders", "warning", one_line(problem), "Correct `models.roots` in hotfolder.yaml."
        )
    if not report.sets:
        snippet = build_snippet(report.suggested, report.roots)
        hint = f"Add to hotfolder.yaml:\n{snippet}" if report.suggested else "Add one under `models.sets`."
        yield Check("Models", "warning", "no model set is configured", hint)
    for each in report.sets:
        name = f"Model set {each.name}"
        if not each.faults:
            yield Check(name, "ok", f"{len(each.files)} files")
        for fault in each.faults:
            yield Check(name, "failure" if fault.stops else "warning", fault.found, fault.hint)


def check_watches(limit_file: Path) -> Iterator[Check]:
    """How many folders the system lets us watch, where it says so."""
    try:
        limit = int(limit_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return
    if limit >= ENOUGH_WATCHES:
        yield Check("inotify", "ok", f"{limit} watches")
    else:
        hint = "Allow more: sudo sysctl fs.inotify.max_user_watches=524288"
        yield Check("inotify", "warning", f"{limit} watches", hint)


def check_instances(limit_file: Path) -> Iterator[Check]:
    """How many watchers all programs of this user may have, where the system says so."""
    try:
        limit = int(limit_file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return
    if limit < ENOUGH_INSTANCES:
        hint = "Allow more: sudo sysctl fs.inotify.max_user_instances=512"
        yield Check("inotify instances", "warning", f"{limit}", hint)


def _check_faults(environment: Mapping[str, str]) -> Iterator[Check]:
    if environment.get(FAULT_VARIABLE):
        found = f"{FAULT_VARIABLE} is set: the embedded engine fails on purpose"
        yield Check("Faults", "warning", found, "Unset it.")
