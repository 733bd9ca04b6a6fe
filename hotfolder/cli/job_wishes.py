"""What somebody wants of jobs: cancel, retry, hold, release, prioritize, requeue."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, NoReturn

import click

from hotfolder.app import Library
from hotfolder.cli.opening import opened, user_name
from hotfolder.cli.output import one_line, report_error, say
from hotfolder.cli.queue import build_overview
from hotfolder.clock import utc_now
from hotfolder.domain.instants import format_instant, parse_instant
from hotfolder.errors import HotfolderError, NotFound
from hotfolder.library.jobs import Job
from hotfolder.queue.overview import DeadWanted

_JOBS = click.argument("job_ids", metavar="JOB...", nargs=-1, required=True)
_PRIORITY: Final = click.IntRange(-100, 100)
_UNITS: Final = {"min": 60, "h": 3600, "d": 86_400}


@click.command()
@_JOBS
@click.pass_context
def cancel(context: click.Context, job_ids: Sequence[str]) -> int:
    """Cancel jobs. What waits ends at once, what runs is stopped by the sidecar."""
    with opened(context) as library:
        return _change_each(library, job_ids, lambda job: library.control.cancel(job.job_id, user_name()))


@click.command()
@_JOBS
@click.pass_context
def retry(context: click.Context, job_ids: Sequence[str]) -> int:
    """Run failed, cancelled and partly completed jobs again. What completed is kept."""
    with opened(context) as library:
        return _change_each(library, job_ids, lambda job: library.control.retry(job.job_id, user_name()))


@click.command()
@_JOBS
@click.pass_context
def hold(context: click.Context, job_ids: Sequence[str]) -> int:
    """Keep jobs that wait from being run, until `jobs release`."""
    with opened(context) as library:
        return _change_each(library, job_ids, lambda job: library.control.hold(job.job_id, user_name()))


@click.command()
@_JOBS
@click.pass_context
def release(context: click.Context, job_ids: Sequence[str]) -> int:
    """Let held jobs go on."""
    with opened(context) as library:
        return _change_each(library, job_ids, lambda job: library.control.release(job.job_id, user_name()))


def _read_priority(text: str, context: click.Context) -> int:
    try:
        return int(_PRIORITY(text, None, context))
    except click.BadParameter as error:
        message = f"{text!r} is no priority: give one from -100 to 100 last, or with --priority."
        raise click.UsageError(message, context) from error


@click.command(context_settings={"ignore_unknown_options": True})  # so that -5 is a number
@click.argument("job_ids", metavar="JOB... [N]", nargs=-1, required=True)
@click.option("--priority", type=_PRIORITY, help="From -100 to 100, higher first; or give it last: JOB... N.")
@click.pass_context
def prioritize(context: click.Context, job_ids: Sequence[str], priority: int | None) -> int:
    """Give jobs that wait or run another priority."""
    if priority is None:
        *job_ids, last = job_ids
        priority = _read_priority(last, context)
    if not job_ids:
        raise click.UsageError("Name a job and its priority: JOB... --priority N.", context)

    def change(library: Library, job: Job) -> Job:
        return library.control.prioritize(job.job_id, priority, user_name())

    with opened(context) as library:
        return _change_each(
            library, job_ids, lambda job: change(library, job), lambda job: f"priority {job.priority}"
        )


def _read_since(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    found = re.fullmatch(r"([0-9]{1,6})(min|h|d)", value)
    try:
        if found:
            return format_instant(utc_now() - timedelta(seconds=int(found[1]) * _UNITS[found[2]]))
        return format_instant(parse_instant(value))
    except (ValueError, OverflowError) as error:
        message = "give 30min, 2h or 3d, or an instant such as 2026-12-01T08:00:00Z"
        raise click.BadParameter(message, context, parameter) from error


@click.command()
@click.argument("job_ids", metavar="[JOB...]", nargs=-1)
@click.option("--code", help="Only what failed with this error code last.")
@click.option("--endpoint", help="Only jobs for this endpoint.")
@click.option("--owner", help="Only the jobs of this owner.")
@click.option(
    "--since", callback=_read_since, help="Only what died since then: 30min, 2h, 3d, or an instant."
)
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="At most so many jobs.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@click.pass_context
def requeue(
    context: click.Context,
    job_ids: Sequence[str],
    code: str | None,
    endpoint: str | None,
    owner: str | None,
    since: str | None,
    limit: int,
    dry_run: bool,
) -> int:
    """Try dead work again, with all of its attempts. Name jobs, or choose by the options."""
    wanted = DeadWanted(code, endpoint, owner, since)
    if bool(job_ids) == (wanted != DeadWanted()):
        _refuse_choice(context, is_both=bool(job_ids))
    with opened(context) as library:
        if not job_ids:
            job_ids = [each.job_id for each in build_overview(library).list_dead(wanted, limit)]
            if not job_ids:
                say("No dead work is like that.")
        if dry_run:
            return _tell_dead(library, job_ids)
        return _change_each(library, job_ids, lambda job: library.control.requeue(job.job_id, user_name()))


def _refuse_choice(context: click.Context, *, is_both: bool) -> NoReturn:
    if is_both:
        raise click.UsageError("Name jobs or give filters, not both.", context)
    raise click.UsageError(
        "Name jobs, or say which with --code, --endpoint, --owner or --since: "
        "never everything that ever failed is run again.",
        context,
    )


def _tell_dead(library: Library, job_ids: Sequence[str]) -> int:
    def tell(job: Job) -> str:
        count = build_overview(library).count_dead_of([job.job_id]).get(job.job_id, 0)
        return f"{job.status}, {count} dead ({one_line(job.job_file)})"

    return _change_each(library, job_ids, lambda job: job, tell)


def _change_each(
    library: Library,
    job_ids: Sequence[str],
    change: Callable[[Job], Job],
    tell: Callable[[Job], str] = lambda job: job.status,
) -> int:
    """Change every job that can be changed and tell of the others; 1 when there were any."""
    failed = False
    for job_id in job_ids:
        try:
            job = change(find_one(library, job_id))
            say(f"{job.job_id}: {tell(job)}")
        except HotfolderError as error:
            failed = True
            report_error(error)
    library.nudge()
    return 1 if failed else 0


def find_one(library: Library, text: str) -> Job:
    """The job that somebody names; raises NotFound for none and for several."""
    found = library.jobs.find_by_prefix(text)
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotFound(f"There is no job {text}.", hint="`hotfolder jobs list --all` shows them.")
    names = ", ".join(job.job_id for job in found)
    raise NotFound(f"{text} names more than one job: {names}.", hint="Give more characters.")
