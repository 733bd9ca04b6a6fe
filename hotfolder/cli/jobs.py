"""hotfolder jobs: what is there, one of them, and what somebody wants of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

import click

from hotfolder.app import Library
from hotfolder.cli.following import describe_job, read_progress
from hotfolder.cli.job_wishes import cancel, find_one, hold, prioritize, release, requeue, retry
from hotfolder.cli.opening import opened
from hotfolder.cli.output import json_option, one_line, print_json, print_table, say
from hotfolder.cli.queue import build_overview
from hotfolder.cli.timeline import draw_timeline, find_screen, timeline_object
from hotfolder.delivery.documents import build_head, build_report, build_status_line, describe_time_left
from hotfolder.domain.generation import ACTIVE, AT_WORK, ENDED
from hotfolder.library.jobs import Job
from hotfolder.library.timeline import read_timeline
from hotfolder.watchers.inbox_files import list_held, list_waiting


@click.group()
def jobs() -> None:
    """List, show and steer jobs. A job is named by its id, or its first or last characters."""


for wish in (cancel, retry, requeue, hold, release, prioritize):
    jobs.add_command(wish)


@jobs.command("list")
@click.option("--all", "show_all", is_flag=True, help="Also jobs that have ended.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(sorted(ACTIVE | ENDED)), help="May be repeated."
)
@click.option("--owner", help="Only the jobs of this owner.")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many.")
@json_option
@click.pass_context
def list_jobs(
    context: click.Context,
    show_all: bool,
    statuses: Sequence[str],
    owner: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List the jobs, newest first. Files that wait in the inbox come last."""
    wanted = frozenset(statuses) or (ACTIVE | ENDED if show_all else ACTIVE)
    with opened(context) as library:
        found = library.jobs.list_newest(statuses=wanted, owner=owner, limit=limit)
        waiting = _list_files(library, wanted) if owner is None else []  # nobody has read whose they are
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
        job, paths = find_one(library, job_id), library.paths
        result = describe_job(library, job)
        generations = library.generations.list_of_job(job.job_id)
        progress = _find_progress(library, job)
        timeline = read_timeline(library.database, job.job_id)
    if as_json:
        live = {} if job.status in ENDED else {**_waits(job), "progress": progress or None}
        print_json({**result, **live, "timeline": timeline_object(timeline)})
        return
    say(f"{job.job_id}  {job.status}")
    if progress:
        say(build_status_line(job, progress))
    came, went = paths.shown(f"inbox/{job.job_file}"), paths.shown(job.final_path or "(not ended)")
    say(one_line(f"{came} -> {went}") + "\n")
    if job.waits_for:
        say(f"It waits for {', '.join(map(one_line, job.waits_for))} until {job.waits_until}.\n")
    if job.wait_reason:
        say(f"It is {job.status}: {one_line(job.wait_reason)}.\n")
    rows = [
        (each["seed"], each["status"], output["path"], f"{output['width']} x {output['height']}")
        for each in result["generations"]
        for output in each["outputs"] or [{"path": "", "width": "", "height": ""}]
    ]
    print_table(("Seed", "Status", "Picture", "Size"), rows, "No pictures.")
    say("\n" + "\n".join(draw_timeline(timeline, find_screen())))
    if job.status in ("failed", "cancelled", "partially_completed"):
        name = PurePath(job.final_path or job.file_name).name
        say("\n" + build_report(job, generations, name, paths.inbox.name))


def _list_files(library: Library, wanted: frozenset[str]) -> list[tuple[str, str]]:
    """Job files in the inbox that nobody has claimed, each with its status."""
    inbox = library.paths.inbox
    found = [(each, "received") for each in list_waiting(inbox)] + [
        (each, "held") for each in list_held(inbox)
    ]
    return [(name, status) for name, status in found if status in wanted]


def _find_progress(library: Library, job: Job) -> dict[str, Any]:
    """How far a job is; empty when it has ended, and while nobody works."""
    if job.status in ENDED or not library.lock.is_held_by_another():
        return {}
    progress = read_progress(library, job) or {}
    if progress and job.status not in AT_WORK and build_overview(library).stands_still():
        return {**progress, "etaSeconds": None, "etaRangeSeconds": None}
    return progress


def _list_object(job: Job, progress: dict[str, Any]) -> dict[str, Any]:
    waits = {**_waits(job), "waitsFor": list(job.waits_for)}
    return {**build_head(job), **waits, "progress": progress or None}


def _waits(job: Job) -> dict[str, Any]:
    """What decides when a job has its turn."""
    return {
        "priority": job.priority,
        "held": job.hold_requested and job.status in ACTIVE,
        "waitReason": job.wait_reason,
        "notBefore": job.not_before,
    }


def _status_words(job: Job) -> str:
    lacks = ", ".join(map(one_line, job.waits_for))
    words = [
        lacks and f"lacks {lacks}",
        job.wait_reason and one_line(job.wait_reason),
        "is held then" if job.hold_requested and job.status in ("received", "waiting_refs") else "",
        f"not before {job.not_before}" if job.not_before and job.status in ACTIVE - AT_WORK else "",
    ]
    told = "; ".join(filter(None, words))
    return f"{job.status} ({told})" if told else job.status
