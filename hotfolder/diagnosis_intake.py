"""What `doctor` says of the ways in: how folders are watched, what lies in them and why, and their disks."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from hotfolder.app import Library
from hotfolder.check import Check
from hotfolder.domain.wording import one_line
from hotfolder.intake import build_completeness
from hotfolder.watchers.leftovers import iter_leftovers
from hotfolder.watchers.mounts import load_mounts
from hotfolder.watchers.watching_file import load_watching

SKEW_S: Final = 2.0
SHOWN: Final = 5
_COUNTED: Final = 1000


def check_intake(library: Library) -> Iterator[Check]:
    """All of it, for an open library."""
    inbox = library.paths.inbox
    yield from _check_watching(library)
    yield _check_clock(inbox)
    yield _check_case(inbox)
    yield _check_leftovers(library)
    yield _check_waiting(library)


def _check_watching(library: Library) -> Iterator[Check]:
    """As the running service says; without one, as the mounts say."""
    reports = load_watching(library.paths.run / "watching") if library.lock.is_held_by_another() else []
    for each in reports:
        name = f"Watching {one_line(str(each.get('root')))}"
        mode, reason, missed = each.get("mode"), each.get("reason"), each.get("missed")
        more = f", {missed} files were found though no event named them" if missed else ""
        if mode == "events":
            yield Check(name, "ok", f"by events{more}")
        else:
            yield Check(name, "warning", f"{mode}: {one_line(str(reason))}{more}", _hint(str(reason)))
    if not reports:
        mounts = load_mounts()
        for folder in (library.paths.inbox, library.paths.imports):
            place = PurePosixPath(folder.resolve().as_posix())
            mount = mounts.of_path(place)
            kind = mount.file_system if mount is not None else "unknown"
            way = "by looking through it" if mounts.is_silent(place) else "by events"
            yield Check(f"Watching {folder}", "ok", f"{way} (file system {kind})")


def _hint(reason: str) -> str:
    if "sysctl" in reason:
        return "Raise the limit as said, and make it last in /etc/sysctl.d/."
    return "Files are found all the same, some seconds later."


def _check_clock(folder: Path) -> Check:
    """The disk's clock may be another machine's: files settle, and wait, by its times."""
    probe = folder / ".doctor-clock"
    try:
        before_s = time.time()
        probe.write_bytes(b"")
        written_s = probe.stat().st_mtime
        after_s = time.time()
        probe.unlink()
    except OSError as error:
        return Check("Clock", "warning", f"cannot be compared: {error.strerror or error}")
    skew_s = max(before_s - written_s, written_s - after_s, 0.0)
    if skew_s <= SKEW_S:
        return Check("Clock", "ok", "that of the disk and that of this machine agree")
    hint = "Let both machines set their clocks by NTP."
    return Check("Clock", "warning", f"that of the disk differs by {skew_s:.0f} s", hint)


def _check_case(folder: Path) -> Check:
    probe, other = folder / ".doctor-case", folder / ".DOCTOR-CASE"
    try:
        probe.write_bytes(b"")
        is_same = other.exists()
        probe.unlink()
    except OSError as error:
        return Check("Names", "warning", f"cannot be tried: {error.strerror or error}")
    words = "upper and lower case are one name" if is_same else "upper and lower case are two names"
    return Check("Names", "ok", words)


def _check_leftovers(library: Library) -> Check:
    leftovers = iter_leftovers(library.paths.inbox, build_completeness(library), library.recipes.find)
    found = list(itertools.islice(leftovers, _COUNTED))
    if not found:
        return Check("Inbox", "ok", "nothing lies there that is not taken")
    count = f"{len(found)}" if len(found) < _COUNTED else f"{_COUNTED} or more"
    lines = "; ".join(f"{one_line(name)}: {one_line(reason)}" for name, reason in found[:SHOWN])
    more = f"; and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return Check("Inbox", "warning", f"{count} not taken: {lines}{more}", "See docs/intake.md.")


def _check_waiting(library: Library) -> Check:
    waiting = library.jobs.list_waiting()
    if not waiting:
        return Check("Waiting jobs", "ok", "none lacks a reference")
    lines = "; ".join(f"{one_line(each.job_file)}: {', '.join(each.waits_for)}" for each in waiting[:SHOWN])
    return Check(
        "Waiting jobs", "warning", f"{len(waiting)} lack references: {one_line(lines)}", "Drop them."
    )
