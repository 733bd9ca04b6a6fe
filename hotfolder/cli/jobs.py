"""hotfolder jobs: list, show, cancel, retry."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Any

import click

from hotfolder.app import Library
from hotfolder.cli.following import describe_job, read_progress
from hotfolder.cli.opening import opened, user_name
from hotfolder.cli.output import json_option, one_line, print_json, print_table, report_error, say
from hotfolder.delivery.documents import build_head, build_report, build_status_line, describe_time_left
from hotfolder.domain.generation import ACTIVE, ENDED
from hotfolder.errors import HotfolderError, NotFound
from hotfolder.library.jobs import Job
from hotfolder.watchers.inbox_files import list_held, list_waiting

_JOBS = click.argument("job_ids", metavar="JOB...", nargs=-1, required=True)


@click.group()
def jobs() -> None:
    """List, show, cancel and retry jobs. A job is named by its id, or its first or last characters."""


@jobs.command("list")
@click.option("--all", "show_all", is_flag=True, help="Also jobs that have ended.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True)
@json_option
@click.pass_context
def list_jobs(context: click.Context, show_all: bool, limit: int, as_json: bool) -> None:
    """List the jobs, newest first; files that wait in the inbox come last."""
    with opened(context) as library:
        found = library.jobs.list_newest(statuses=ACTIVE | ENDED if show_all else ACTIVE, limit=limit)
        waiting = [(each, "received") for each in list_waiting(library.paths.inbox)]
        waiting += [(each, "held") for each in list_held(library.paths.inbox)]
        progress = [_find_progress(library, job) for job in found]
    if as_json:
        files = [{"jobId": None, "jobFile": name, "status": status} for name, status in waiting]
        print_json([*map(_list_object, found, progress), *files])
        return
    rows: list[tuple[object, ...]] = [
        (job.job_id, job.job_file, _status_words(job), job.priority, job.created_at, describe_time_left(done))
        for job, done in zip(found, progress, strict=True)
    ]
    rows += [("", name, status, "", "", "") for name, status in waiting]
    empty = "No jobs." if show_all else "No jobs wait or run; --all shows the ended ones."
    print_table(("Job", "File", "Status", "Priority", "Created", "Forecast"), rows, empty)


@jobs.command()
@click.argument("job_id", metavar="JOB")
@json_option
@click.pass_context
def show(context: click.Context, job_id: str, as_json: bool) -> None:
    """Show one job with its pictures."""
    with opened(context) as library:
        job, paths = _find(library, job_id), library.paths
        result = describe_job(library, job)
        generations = library.generations.list_of_job(job.job_id)
        progress = _find_progress(library, job)
    if as_json:
        print_json(result if job.status in ENDED else {**result, "progress": progress or None})
        return
    say(f"{job.job_id}  {job.status}")
    if progress:
        say(build_status_line(job, progress))
    came, went = paths.shown(f"inbox/{job.job_file}"), paths.shown(job.final_path or "(not ended)")
    say(one_line(f"{came} -> {went}") + "\n")
    if job.waits_for:
        say(f"It waits for {', '.join(map(one_line, job.waits_for))} until {job.waits_until}.\n")
    rows = [
        (each["seed"], each["status"], output["path"], f"{output['width']} x {output['height']}")
        for each in result["generations"]
        for output in each["outputs"] or [{"path": "", "width": "", "height": ""}]
    ]
    print_table(("Seed", "Status", "Picture", "Size"), rows, "No pictures.")
    if job.status in ("failed", "cancelled", "partially_completed"):
        name = PurePath(job.final_path or job.file_name).name
        say("\n" + build_report(job, generations, name, paths.inbox.name))


@jobs.command()
@_JOBS
@click.pass_context
def cancel(context: click.Context, job_ids: Sequence[str]) -> int:
    """Cancel jobs: what waits ends at once, what runs is stopped by the sidecar."""
    with opened(context) as library:
        return _change_each(library, job_ids, lambda job: library.control.cancel(job.job_id, user_name()))


@jobs.command()
@_JOBS
@click.pass_context
def retry(context: click.Context, job_ids: Sequence[str]) -> int:
    """Run ended jobs again; what completed is not run again."""
    with opened(context) as library:
        return _change_each(library, job_ids, lambda job: library.control.retry(job.job_id, user_name()))


def _find_progress(library: Library, job: Job) -> dict[str, Any]:
    """How far a job is; empty when it has ended, and while nobody works."""
    if job.status in ENDED or not library.lock.is_held_by_another():
        return {}
    return read_progress(library, job) or {}


def _list_object(job: Job, progress: dict[str, Any]) -> dict[str, Any]:
    return {**build_head(job), "waitsFor": list(job.waits_for), "progress": progress or None}


def _status_words(job: Job) -> str:
    lacks = ", ".join(map(one_line, job.waits_for))
    return f"{job.status} (lacks {lacks})" if lacks else job.status


def _change_each(library: Library, job_ids: Sequence[str], change: Callable[[Job], Job]) -> int:
    """Change every job that can be changed and tell of the others; 1 when there were any."""
    failed = False
    for job_id in job_ids:
        try:
            job = change(_find(library, job_id))
            say(f"{job.job_id}: {job.status}")
        except HotfolderError as error:
            failed = True
            report_error(error)
    library.nudge()
    return 1 if failed else 0


def _find(library: Library, text: str) -> Job:
    found = library.jobs.find_by_prefix(text)
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"There is no job {text}.", hint="`hotfolder jobs list --all` shows them.")
    names = ", ".join(job.job_id for job in found)
    raise NotFound(f"{text} names more than one job: {names}.", hint="Give more characters.")
