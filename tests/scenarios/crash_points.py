"""`run_watched(["record", NOTES, "run", LIBRARY, ...])`: hotfolder whose changes of the disk are points.

Nothing is picked by hand: every change below the library and every transaction is a point, known by its kind,
the folder and the functions of the product that lead there. The names of those that are passed are written
into NOTES, one a line, each once; `record` adds NOTES.counts, how often each was passed. With `kill NOTES
POINT NUMBER` in its place it sends itself SIGKILL at the NUMBER-th passing of POINT, in whatever thread. The
product knows nothing of all this.
"""

from __future__ import annotations

import builtins
import fcntl
import functools
import io
import os
import re
import signal
import sqlite3
import stat
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

from hotfolder.cli import run_command_line
from hotfolder.files import storage

PRODUCT: Final = "hotfolder."
DATABASE: Final = "hotfolder.database"
TOOLS: Final = frozenset({DATABASE, "hotfolder.files.storage", "hotfolder.files.paths"})
"""Modules that change the disk for others: who asked them to is part of the name."""
UNWATCHED: Final = frozenset({"logs", "run/heartbeat"})
DOCUMENTS: Final = frozenset({".json", ".xmp", ".md", ".txt"})
# Events of sys.audit that come before a change: where in their arguments its path is, and what that is
# relative to.
CHANGES: Final = {
    "os.rename": ("rename", 1, 3),
    "os.link": ("link", 1, 3),
    "os.remove": ("remove", 0, 1),
    "os.rmdir": ("rmdir", 0, 1),
    "os.mkdir": ("mkdir", 0, 2),
    "os.truncate": ("truncate", 0, None),
    "os.utime": ("utime", 0, 3),
    "os.chmod": ("chmod", 0, 2),
    "os.symlink": ("symlink", 1, 2),
}
WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_TABLE: Final = re.compile(r"\s*(?:INSERT(?: OR \w+)? INTO|UPDATE(?: OR \w+)?|DELETE FROM)\s+(\w+)")


class Trap:
    """Notes the points that are passed, and springs at the NUMBER-th passing of one of them."""

    def __init__(self, root: Path, notes: int, point: str | None, number: int) -> None:
        self._root = root
        self._notes = notes
        self._point = point
        self._number = number
        self._lock = threading.RLock()
        self._is_sprung = False
        self.passed: Counter[str] = Counter()

    def pass_place(self, kind: str, place: object, folder: object = None, before: int | None = None) -> None:
        """Something is about to happen, or has just happened, to a file or folder."""
        where = self._place(place, folder)
        if where is not None:
            self.pass_point(kind, where, before)

    def pass_point(self, kind: str, where: str, before: int | None = None) -> None:
        """`before` is a descriptor whose file is cut in half first, as a write may be."""
        who = _name_frames(sys._getframe(1))
        if who is None:
            return
        name = f"{kind} {where} @ {who}"
        with self._lock:
            if self._is_sprung:
                return
            if not self.passed[name]:
                os.write(self._notes, f"{name}\n".encode())
            self.passed[name] += 1
            if name == self._point and self.passed[name] == self._number:
                self._is_sprung = True
                if before is not None:
                    os.ftruncate(before, os.fstat(before).st_size // 2)
                os.kill(os.getpid(), signal.SIGKILL)

    def _place(self, place: Any, folder: object) -> str | None:
        """Its folder in the library, and the ending of a document; None for what is not watched."""
        path = _read_link(place) if isinstance(place, int) else Path(os.fsdecode(place))
        if not path.is_absolute():
            path = (_read_link(folder) if isinstance(folder, int) and folder >= 0 else Path.cwd()) / path
        if not path.is_relative_to(self._root) or path == self._root:
            return None
        relative = path.relative_to(self._root)
        if relative.parts[0] in UNWATCHED or relative.as_posix() in UNWATCHED:
            return None
        ending = Path(relative.name.removesuffix(".tmp")).suffix
        return relative.parts[0] + (f"/*{ending}" if ending in DOCUMENTS else "")


def _name_frames(frame: FrameType | None) -> str | None:
    """The innermost function of the product, and who asked where that is a tool; None for others' threads."""
    names = list(_iter_product(frame))
    if not names:
        return None
    asked = next((each for each in names if each[0] not in TOOLS), names[0])
    shown = dict.fromkeys([asked] if names[0][0] == DATABASE else [names[0], asked])
    return " < ".join(f"{module.removeprefix(PRODUCT)}:{function}" for module, function in shown)


def _iter_product(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith(PRODUCT):
            yield module, frame.f_code.co_qualname
        frame = frame.f_back


def _read_link(descriptor: int) -> Path:
    return Path(f"/proc/self/fd/{descriptor}").readlink()


def watch_files(trap: Trap) -> None:
    """Points before every change of names, before and after a file is opened for writing."""

    def hear(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            place, _, flags = arguments
            if isinstance(flags, int) and flags & WRITES and not isinstance(place, int):
                trap.pass_place("open", place)
        elif event in CHANGES:
            kind, place_at, folder_at = CHANGES[event]
            trap.pass_place(kind, arguments[place_at], None if folder_at is None else arguments[folder_at])

    def opening(original: Callable[..., Any], writes: Callable[..., bool]) -> Callable[..., Any]:
        @functools.wraps(original)
        def wrapped(place: Any, *arguments: Any, **named: Any) -> Any:
            opened = original(place, *arguments, **named)
            if not isinstance(place, int) and writes(*arguments, **named):
                trap.pass_place("opened", place)
            return opened

        return wrapped

    os.open = opening(os.open, lambda flags, *_, **__: bool(flags & WRITES))
    builtins.open = io.open = opening(io.open, lambda mode="r", *_, **__: not {*"wax+"}.isdisjoint(mode))
    sys.addaudithook(hear)


def watch_flushes(trap: Trap) -> None:
    """Points when half a file is written, and before anything is flushed to the disk."""
    flush = os.fsync

    def fsync(descriptor: Any) -> None:
        if _is_being_written(descriptor):
            trap.pass_place("half-written", descriptor, before=descriptor)
        trap.pass_place("flush", descriptor)
        flush(descriptor)

    os.fsync = fsync


def _is_being_written(descriptor: int) -> bool:
    is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
    return is_file and bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & (os.O_WRONLY | os.O_RDWR))


def watch_renames(trap: Trap) -> None:
    """The one system call that Python has no name for, and tells no audit hook of."""
    rename = storage._renamed_by_system

    def renamed(source: Path, target: Path) -> bool:
        trap.pass_place("rename", target)
        return rename(source, target)

    storage._renamed_by_system = renamed


def watch_database(trap: Trap) -> None:
    """Points before a transaction, and before and after its commit; tables written are part of the name."""

    class Watched(sqlite3.Connection):
        tables: frozenset[str] = frozenset()

        def execute(self, sql: str, *arguments: Any) -> sqlite3.Cursor:
            word = sql.split(None, 1)[0].upper()
            if word == "BEGIN":
                self.tables = frozenset()
                trap.pass_point("begin", "library.db")
            elif word == "COMMIT":
                return self._commit(sql)
            elif found := _TABLE.match(sql):
                self.tables |= {found[1]}
            return super().execute(sql, *arguments)

        def _commit(self, sql: str) -> sqlite3.Cursor:
            tables = ",".join(sorted(self.tables - {"events"})) or "events"
            trap.pass_point("commit", tables)
            done = super().execute(sql)
            trap.pass_point("committed", tables)
            return done

    sqlite3.connect = functools.partial(sqlite3.connect, factory=Watched)  # type: ignore[assignment]


def run_watched(arguments: Sequence[str]) -> int:
    """Watch, then be hotfolder: `record NOTES ...` or `kill NOTES POINT NUMBER ...`."""
    mode, notes, *rest = arguments
    point, number, command_line = (None, 0, rest) if mode == "record" else (rest[0], int(rest[1]), rest[2:])
    root = Path(command_line[command_line.index("run") + 1]).resolve()
    descriptor = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    trap = Trap(root, descriptor, point, number)
    watch_renames(trap)
    watch_database(trap)
    watch_flushes(trap)
    watch_files(trap)
    code = run_command_line(command_line)
    if mode == "record":
        counts = "".join(f"{count}\t{name}\n" for name, count in trap.passed.items())
        Path(f"{notes}.counts").write_text(counts, encoding="utf-8")
    return code
