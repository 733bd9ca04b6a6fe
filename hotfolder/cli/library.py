"""hotfolder init, run, library: make a library, serve it, and take care of it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from types import FrameType
from typing import Any

import click

from hotfolder.app import Library, create_library, is_library
from hotfolder.cli.imports import describe_imports, list_ended
from hotfolder.cli.opening import library_argument, opened, unusable, user_name
from hotfolder.cli.output import json_option, one_line, print_json, print_table, say
from hotfolder.clock import new_id
from hotfolder.domain.generation import ACTIVE, ENDED
from hotfolder.events import JOB_CHANGED
from hotfolder.library.changes import CHUNK
from hotfolder.library.jobs import Job
from hotfolder.logbook import kept_log
from hotfolder.sidecar import Sidecar
from hotfolder.watchers.inbox_files import list_held, list_waiting


@click.command()
@library_argument
@click.pass_context
def init(context: click.Context, library_argument: Path | None) -> None:
    """Create a library, or bring an existing one up to date."""
    folder = Path(library_argument or context.find_root().obj or ".")
    existed = is_library(folder)
    try:
        applied = create_library(folder)
    except OSError as error:
        raise unusable(folder, error) from error
    if existed:
        news = "Its database was brought up to date." if applied else "Nothing had to be changed."
        say(f"{folder} is a library already. {news}")
        return
    say(f"Made a library in {folder}.")
    say(f"Drop job files into {folder / 'inbox'}, then: hotfolder up {folder}")


@click.command()
@library_argument
@click.option("--once", is_flag=True, help="Process what is there, print a summary and end.")
@click.option(
    "--engine",
    "engine_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The cn-engine binary to use.",
)
@json_option
@click.pass_context
def run(
    context: click.Context, library_argument: Path | None, once: bool, engine_path: Path | None, as_json: bool
) -> int:
    """Run the sidecar alone, until Ctrl-C. It watches the inbox and makes pictures."""
    if as_json and not once:
        raise click.UsageError("--json prints the summary of --once; give both.")
    options = {"engine.path": str(engine_path.absolute())} if engine_path else None
    with opened(context, library_argument, options) as library, logged(library):
        before = library.database.last_event_seq()
        jobs = serve_sidecar(library, once=once)
        if not once:
            return 0
        print_summary(library, jobs, list_ended(library, before), as_json=as_json)
        return 1 if any(job.status in ("failed", "partially_completed") for job in jobs) else 0


@click.group()
def library() -> None:
    """Care of the library as a whole."""


@library.command()
@click.option("--yes", is_flag=True, help="Do not ask first.")
@click.pass_context
def purge(context: click.Context, yes: bool) -> None:
    """Remove the pictures in the trash for good; a running sidecar, or the next one, removes their files."""
    with opened(context) as found:
        trash = found.trash
        media_ids = trash.list_all()
        if media_ids and not yes:
            click.confirm(
                f"Remove all pictures in the trash ({len(media_ids)}) for good?", abort=True, err=True
            )
        purged: list[str] = []
        for start in range(0, len(media_ids), CHUNK):
            purged += trash.purge(media_ids[start : start + CHUNK])
        if purged:
            trash.announce(new_id(), purged, "purged", user_name())
            found.nudge()
    told = "1 picture was" if len(purged) == 1 else f"{len(purged)} pictures were"
    say(f"{told} removed for good." if media_ids else "The trash is empty.")


def serve_sidecar(
    library: Library,
    *,
    once: bool = False,
    on_start: Callable[[], None] = lambda: None,
    on_stop: Callable[[], None] = lambda: None,
) -> list[Job]:
    """Run the sidecar until a signal, or until idle with `once`; gives the jobs that ended meanwhile.

    `on_start` is called once it watches, `on_stop` just before it begins to stop.
    """
    before = library.database.last_event_seq()
    sidecar = Sidecar(library, once=once)
    with _stop_on_signals(sidecar) as stopping:
        sidecar.start()  # one that did not start, since another runs, has nothing to stop
        try:
            if once:
                sidecar.run_until_idle(stopping)
            else:
                say(f"Watching {library.paths.inbox}. Ctrl-C stops.")
                on_start()
                sidecar.run_until(stopping)
        finally:
            on_stop()
            sidecar.stop()
    return _ended_since(library, before)


@contextmanager
def _stop_on_signals(sidecar: Sidecar) -> Iterator[threading.Event]:
    """The first signal asks to stop, the second to hand back at once.

    A handler interrupts the main thread anywhere, even where it holds a lock: it writes a byte, and a thread
    of its own does what the byte asks for.
    """
    stopping = threading.Event()
    reading, writing = os.pipe()

    def obey() -> None:
        while os.read(reading, 1):
            if stopping.is_set():
                sidecar.hurry()
            stopping.set()

    def on_signal(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signal interface
        os.write(writing, b"!")

    thread = threading.Thread(target=obey, name="signals", daemon=True)
    thread.start()
    old = {each: signal.signal(each, on_signal) for each in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for each, handler in old.items():
            signal.signal(each, handler)
        os.close(writing)
        thread.join(5.0)
        os.close(reading)


def _ended_since(library: Library, after: int) -> list[Job]:
    ended: dict[str, None] = {}
    while events := library.database.list_events(after):
        after = events[-1].seq
        ended |= {
            each.subject_id: None
            for each in events
            if each.topic == JOB_CHANGED and each.data.get("status") in ENDED
        }
    return sorted((library.jobs.get(job_id) for job_id in ended), key=lambda job: job.job_file)


def print_summary(
    library: Library, jobs: list[Job], imports: Sequence[Mapping[str, Any]], *, as_json: bool = False
) -> None:
    """What became of jobs and imports, and what waits."""
    rows = [_summary_row(library, job) for job in jobs]
    waiting: list[tuple[str | None, str, str]] = [
        (job.job_id, job.job_file, job.status) for job in library.jobs.list_newest(statuses=ACTIVE)
    ]
    waiting += [(None, each, "received") for each in list_waiting(library.paths.inbox)]
    waiting += [(None, each, "held") for each in list_held(library.paths.inbox)]
    if as_json:
        files = [dict(zip(("jobId", "jobFile", "status"), each, strict=True)) for each in waiting]
        print_json([*rows, *files, *imports])
        return
    columns = ("jobFile", "status", "pictures", "finalPath")
    titles = ("Job file", "Status", "Pictures", "Where it lies now")
    print_table(titles, [[row[each] for each in columns] for row in rows], "No jobs were there to run.")
    for folder in sorted({str(PurePosixPath(path).parent) for row in rows for path in row["paths"]}):
        say(f"The pictures are in {folder}/.")
    for row in rows:
        if row["problem"]:
            say(one_line(f"{row['jobFile']}: {row['problem']}"))
    if imports:
        lines = (f"  {each}" for each in describe_imports(imports))
        say("\n".join(("Pictures that joined the library by themselves:", *lines)))
    for _, name, status in waiting:
        say(one_line(f"{'Held' if status == 'held' else f'Waiting ({status})'}: inbox/{name}"))


def _summary_row(library: Library, job: Job) -> dict[str, Any]:
    generations = library.generations.list_of_job(job.job_id)
    media = [each for one in generations for each in library.media.list_of_generation(one.generation_id)]
    problems = (job.error or {}).get("problems") or ([job.error] if job.error else [])
    first = problems[0] if problems else None
    place = f"line {first['line']}, column {first['column']}: " if first and first.get("line") else ""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    warning = next((each for one in generations for each in one.warnings), "")
    return {
        "jobId": job.job_id,
        "jobFile": job.job_file,
        "status": job.status,
        "pictures": len(media),
        "paths": [each.file_path for each in media],
        "finalPath": job.final_path,
        "problem": f"{place}{first['message']}{more}" if first else warning,
    }


@contextmanager
def logged(library: Library, name: str = "hotfolder") -> Iterator[None]:
    """A service's story on standard error and in logs/<name>.log, as long as it runs."""
    told = library.settings.logging
    with ExitStack() as open_log:
        try:
            open_log.enter_context(
                kept_log(
                    library.paths.logs / f"{name}.log",
                    level=told.level,
                    as_json=told.json_lines,
                    max_bytes=told.max_bytes,
                    backups=told.backups,
                )
            )
        except OSError as error:
            raise unusable(library.paths.root, error) from error
        yield
