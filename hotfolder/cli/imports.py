"""hotfolder import: pictures from anywhere join the library, with a progress bar."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from hotfolder.app import Library
from hotfolder.cli.opening import opened
from hotfolder.cli.output import json_option, one_line, print_json, say
from hotfolder.clock import new_id
from hotfolder.database import Database
from hotfolder.errors import DiskFull, HotfolderError, LibraryError, LibraryUnwritable
from hotfolder.events import IMPORT_ENDED
from hotfolder.imports.bringing import Carrier, Mode
from hotfolder.imports.documents import build_error
from hotfolder.imports.faults import unreadable
from hotfolder.imports.incoming import BATCH_FILES, Incoming
from hotfolder.queue.lanes import LaneBook
from hotfolder.watchers.finding import find_pictures
from hotfolder.workshop import CpuWorkshop

_LOOK_S = 0.1
_WORDS = {
    "imported": "imported",
    "duplicate": "in the library already",
    "failed": "refused",
    "left": "left where they are",
}


@click.command("import")
@click.argument(
    "paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option("--copy", "mode", flag_value="copy", default="copy", help="Leave the originals (default).")
@click.option("--move", "mode", flag_value="move", help="Take the files away from where they are.")
@click.option("--reference", "mode", flag_value="reference", help="Only refer to the files where they are.")
@json_option
@click.pass_context
def import_(context: click.Context, paths: tuple[Path, ...], mode: Mode, as_json: bool) -> int:
    """Import pictures, and folders with all that is below them."""
    with opened(context) as library:
        root = library.paths.root.resolve()
        _check_lane(library)
        for each in paths:
            if each.resolve().is_relative_to(root):
                raise click.UsageError(f"{each} is in the library already.")
        found = find_pictures(paths, spare=root)
        ended = _import_all(library, found.pictures, mode)
        ended += [
            _describe_refused(file, unreadable(file, error)) for file, error in found.unreadable.items()
        ]
    if as_json:
        print_json(ended)
    else:
        _print_summary(ended, found.skipped)
        _print_left(ended, mode)
    return 1 if any(each["status"] == "failed" for each in ended) else 0


def _check_lane(library: Library) -> None:
    """Nobody should wait for a lane in which nothing is taken up."""
    wish = LaneBook(library.database).find("cpu")
    if wish.state != "running":
        raise HotfolderError(
            f"The lane cpu, which takes pictures in, is {wish.state} (by {wish.actor} since {wish.at}).",
            code="queue.lane_paused",
            hint="`hotfolder queue resume --lane cpu`, or drop the pictures into import/: they wait there.",
        )


def list_ended(library: Library, after: int) -> list[dict[str, Any]]:
    """The imports that have ended since the event with this number, and what is left, for programs."""
    left = find_pictures([library.paths.imports], spare=library.paths.root).pictures
    root = library.paths.root.resolve()
    return [
        *_read_ended(library.database, after)[1],
        *(_describe_left(str(each.relative_to(root))) for each in left),
    ]


def describe_imports(ended: Sequence[Mapping[str, Any]], skipped: int = 0) -> list[str]:
    """Ended imports in words: how many, and why some were refused."""
    counts = {status: sum(each["status"] == status for each in ended) for status in _WORDS}
    parts = [f"{counts[status]} {words}" for status, words in _WORDS.items() if counts[status]]
    parts += [f"{skipped} skipped"] if skipped else []
    reasons = [
        one_line(f"{each['path'] or each['file']}: {each['error']['message']}")
        for each in ended
        if each["error"]
    ]
    line = ", ".join(parts) or "Nothing to import"
    return [f"{line} ({reasons[0]})"] if len(reasons) == 1 else [line, *(f"  {each}" for each in reasons)]


def _import_all(library: Library, pictures: Sequence[Path], mode: Mode) -> list[dict[str, Any]]:
    """Bring all pictures and wait for the end of each; what is queued outlasts an interruption."""
    bring = Carrier(library.paths, library.import_desk, make_id=new_id).method(mode)
    waiting: list[Incoming] = []
    with _Hands(library) as hands, _shown(len(pictures)) as show:
        news = _News(library)
        try:
            for source in pictures:
                with _interrupted_between_files():
                    waiting += _bring(bring, source, news)
                if len(waiting) >= BATCH_FILES:
                    _enqueue(library, waiting)
                    hands.lend()
                    show(news.look())
        finally:
            _enqueue(library, waiting)
        while news.awaited:
            hands.lend()
            show(news.look())
            time.sleep(_LOOK_S)
        show(len(news.ended))
    return news.ended


@contextmanager
def _interrupted_between_files() -> Iterator[None]:
    """Ctrl-C waits for the file in hand, so that no half of it is left; a second one does not."""
    asked: list[int] = []

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal interface
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    old = signal.signal(signal.SIGINT, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, old)
    if asked:
        raise KeyboardInterrupt


def _bring(bring: Callable[[Path], Incoming], source: Path, news: _News) -> list[Incoming]:
    """The picture; nothing when it is refused. What keeps every picture from the library ends the command."""
    try:
        brought = bring(source)
    except (DiskFull, LibraryUnwritable):
        raise
    except LibraryError as error:
        news.refuse(source, error)
        return []
    news.awaited.add(brought.media_id)  # at once: a service that starts now finds the file by itself
    return [brought]


def _enqueue(library: Library, waiting: list[Incoming]) -> None:
    if waiting:
        library.import_desk.enqueue(waiting)
        waiting.clear()
        library.nudge()


class _Hands:
    """Does the work itself for as long as no service runs on the library."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._workshop: CpuWorkshop | None = None

    def __enter__(self) -> _Hands:
        self.lend()
        return self

    def __exit__(self, *_error: object) -> None:
        self._rest()

    def lend(self) -> None:
        """Begin to work, if nobody does, and let a service that comes have the library."""
        if self._library.lock.is_wanted():
            self._rest()
            return
        if self._workshop is not None or self._library.lock.is_held_by_another():
            return
        workshop = CpuWorkshop(self._library)
        try:
            workshop.start()
        except LibraryError as error:
            if error.code != "library.locked":
                raise
        else:
            self._workshop = workshop

    def _rest(self) -> None:
        if self._workshop is not None:
            self._workshop.stop()
            self._workshop = None


class _News:
    """Which of our imports have ended, and how; `awaited` are those that have not."""

    def __init__(self, library: Library) -> None:
        self._database = library.database
        self._after = library.database.last_event_seq()
        self.awaited: set[str] = set()
        self.ended: list[dict[str, Any]] = []

    def refuse(self, source: Path, error: LibraryError) -> None:
        """One that could not even be brought."""
        self.ended.append(_describe_refused(source, error))

    def look(self) -> int:
        """Read on; gives how many have ended so far."""
        self._after, news = _read_ended(self._database, self._after)
        ours = [each for each in news if each["importId"] in self.awaited]
        self.awaited -= {each["importId"] for each in ours}
        self.ended += ours
        return len(self.ended)


def _read_ended(database: Database, after: int) -> tuple[int, list[dict[str, Any]]]:
    """The ends after this event, and the number of the last event read."""
    ended = []
    while events := database.list_events(after):
        after = events[-1].seq
        ended += [_describe(each.subject_id, each.data) for each in events if each.topic == IMPORT_ENDED]
    return after, ended


def _describe(import_id: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """An `import.ended` event as an object for programs."""
    failed = data["outcome"] == "failed"
    return {
        "importId": import_id,
        "status": data["outcome"],
        "file": data["originalPath"],
        "path": data["path"],
        "of": data.get("of"),
        "error": {key: data[key] for key in ("code", "message", "hint")} if failed else None,
    }


def _describe_refused(source: Path, error: LibraryError) -> dict[str, Any]:
    """A picture that could not even be brought, or a folder that could not be looked into."""
    told = {"file": str(source), "path": None, "of": None, "error": build_error(error)}
    return {"importId": None, "status": "failed", **told}


def _describe_left(file: str) -> dict[str, Any]:
    """A picture that lies in import/ still, after everything was tried."""
    error = LibraryError(
        "It could not be taken in.", code="library.left", hint="Look for its name in logs/hotfolder.log."
    )
    told = {"file": file, "path": file, "of": None, "error": build_error(error)}
    return {"importId": None, "status": "left", **told}


@contextmanager
def _shown(total: int) -> Iterator[Callable[[int], None]]:
    """Shows how many imports have ended: a bar on a terminal, a line for each tenth elsewhere."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    tenths = 0
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("Importing", total=total)

        def show(ended: int) -> None:
            nonlocal tenths
            progress.update(task, completed=ended)
            if not console.is_terminal and total and ended * 10 // total > tenths:
                tenths = ended * 10 // total
                say(f"{ended} of {total}", err=True)

        yield show


def _print_summary(ended: Sequence[Mapping[str, Any]], skipped: int) -> None:
    for line in describe_imports(ended, skipped):
        say(line)


def _print_left(ended: Sequence[Mapping[str, Any]], mode: Mode) -> None:
    """Files that should have been moved and could only be copied."""
    brought = [each["file"] for each in ended if each["importId"] is not None]
    for file in (each for each in brought if mode == "move" and Path(each).exists()):
        say(one_line(f"{file} could not be removed and is still there."), err=True)
