"""`run_armed([POINT, NUMBER, "run", LIBRARY, ...])`: hotfolder that kills itself at a named point.

The process sends itself SIGKILL when it passes the point for the NUMBER-th time, in whatever thread; the
product knows nothing of it.
"""

from __future__ import annotations

import functools
import itertools
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hotfolder.cli import run_command_line
from hotfolder.database import Transaction
from hotfolder.delivery.results import ResultHandler
from hotfolder.events import GENERATION_PROGRESS
from hotfolder.files import storage
from hotfolder.imports import moving, outside
from hotfolder.imports.desk import ImportDesk
from hotfolder.imports.leaving import LeaveHandler
from hotfolder.intake import Intake
from hotfolder.library.imports import ImportStore
from hotfolder.library.ingest import Ingest
from hotfolder.queue.worker import Worker
from hotfolder.sidecar import Sidecar
from hotfolder.watchers.door import Door


@dataclass(frozen=True, slots=True)
class Point:
    """Before or after a method of the product; `counts` says by its arguments whether a call is meant."""

    when: Literal["before", "after"]
    owner: Any
    method: str
    counts: Callable[..., bool] = lambda *_arguments, **_named: True


def _is_sampling(
    tx: Transaction, topic: str, kind: str, subject: str, data: Mapping[str, Any], actor: str | None = None
) -> bool:
    return topic == GENERATION_PROGRESS and data["stage"] == "sampling"


def _has_picture(folder: Path, **_named: Any) -> bool:
    return (folder / "output.png").exists()


def _is_below(folder: str) -> Callable[..., bool]:
    return lambda stream, temporary, target: folder in target.parts


POINTS: Mapping[str, Point] = {
    "claimed": Point("before", Door, "_take"),
    "own-id-learned": Point("before", Door, "_rename_claim"),
    "parts-written": Point("before", Door, "_put_away"),
    "sampling": Point("before", Transaction, "event", _is_sampling),
    "finalize-recorded": Point("before", shutil, "rmtree", _has_picture),
    "place-reserved": Point("after", ResultHandler, "_reserve"),
    "queue-recovered": Point("after", Worker, "recover"),
    "inbox-recovered": Point("after", Intake, "recover"),
    "work-swept": Point("after", Sidecar, "_sweep_work"),
    "import-claimed": Point("after", ImportDesk, "claim"),
    "imports-claimed": Point("before", ImportDesk, "enqueue"),
    "imports-recovered": Point("after", ImportDesk, "find_lost"),
    "folder-half-copied": Point("after", moving, "_pour"),
    "folder-copied": Point("after", outside, "copy_known"),
    "folder-left": Point("after", LeaveHandler, "execute"),
    "import-moved": Point("after", Ingest, "take_picture"),
    "import-half-recorded": Point("before", ImportStore, "end"),
    "half-written-thumbnail": Point("before", storage, "_settle", _is_below("thumbnails")),
}


def arm(point: Point, number: int) -> None:
    """Make the process kill itself at the NUMBER-th passing of the point."""
    original = getattr(point.owner, point.method)
    passings = itertools.count(1)

    def pass_point() -> None:
        if next(passings) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(original)
    def wrapped(*arguments: Any, **named: Any) -> Any:
        is_meant = point.counts(*arguments, **named)
        if is_meant and point.when == "before":
            pass_point()
        outcome = original(*arguments, **named)
        if is_meant and point.when == "after":
            pass_point()
        return outcome

    setattr(point.owner, point.method, wrapped)


def run_armed(arguments: Sequence[str]) -> int:
    """Arm, then be hotfolder."""
    name, number, *command_line = arguments
    arm(POINTS[name], int(number))
    return run_command_line(command_line)
