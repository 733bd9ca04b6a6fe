"""hotfolder queue: what stands in each lane; pause, resume and drain; dead work that belongs to no job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import click

from hotfolder.app import Library
from hotfolder.cli.opening import opened, user_name
from hotfolder.cli.output import json_option, one_line, print_json, print_table, report_error, say
from hotfolder.errors import HotfolderError
from hotfolder.queue.dead import DeadItems
from hotfolder.queue.lanes import LaneBook, LaneState, LaneWish
from hotfolder.queue.overview import QueueOverview
from hotfolder.settings import LaneSettings

_COLUMNS: Final = ("Lane", "State", "Slots", "Waiting", "Scheduled", "At work", "Dead", "Oldest waits")
_UNITS: Final = ((86_400, "d"), (3600, "h"), (60, "min"))
LANES: Final = tuple(LaneSettings.model_fields)
_LANE = click.option("--lane", type=click.Choice(LANES), help="Only this lane; without it, all of them.")


@click.group()
def queue() -> None:
    """Show the queue; pause, resume and drain its lanes."""


@queue.command()
@json_option
@click.pass_context
def show(context: click.Context, as_json: bool) -> None:
    """Show the lanes, the jobs that come next, and dead work."""
    with opened(context) as library:
        found = build_overview(library).describe()
    if as_json:
        print_json(found)
        return
    print_table(_COLUMNS, [_lane_row(each) for each in found["lanes"]])
    rows = [(each["jobId"], each["jobFile"], each["priority"], each["owner"]) for each in found["next"]]
    say("")
    print_table(("Next job", "File", "Priority", "Owner"), rows, "No job is next.")
    if found["dead"]:
        dead = [(each["jobId"], each["jobFile"], each["code"], each["message"]) for each in found["dead"]]
        say("")
        print_table(("Dead work of", "File", "Code", "Why"), dead)
        say("`hotfolder jobs requeue JOB` tries it again.")
    if found["deadItems"]:
        names = ("workId", "taskType", "subject", "code", "message")
        say("")
        print_table(
            ("Dead work", "Kind", "Of", "Code", "Why"),
            [tuple(each[name] for name in names) for each in found["deadItems"]],
        )
        say("`hotfolder queue requeue ITEM` tries it again.")


@queue.command()
@_LANE
@click.pass_context
def pause(context: click.Context, lane: str | None) -> None:
    """Begin nothing more; what runs is finished."""
    _want(context, lane, "paused")


@queue.command()
@_LANE
@click.pass_context
def resume(context: click.Context, lane: str | None) -> None:
    """Go on."""
    _want(context, lane, "running")


@queue.command()
@_LANE
@click.pass_context
def drain(context: click.Context, lane: str | None) -> None:
    """Finish what is in line now, then pause."""
    _want(context, lane, "draining")


@queue.command()
@click.argument("work_ids", metavar="ITEM...", nargs=-1, required=True)
@click.pass_context
def requeue(context: click.Context, work_ids: Sequence[str]) -> int:
    """Try dead work that belongs to no job again; `queue show` lists it."""
    failed = False
    with opened(context) as library:
        for work_id in work_ids:
            try:
                DeadItems(library.database).requeue(library.work, work_id, user_name())
                say(f"{work_id}: pending")
            except HotfolderError as error:
                failed = True
                report_error(error)
        library.nudge()
    return 1 if failed else 0


def build_overview(library: Library) -> QueueOverview:
    """The reading of the queue, with the lanes of the settings."""
    return QueueOverview(library.database, library.settings.queue.lanes.model_dump())


def _want(context: click.Context, lane: str | None, state: LaneState) -> None:
    lanes = LANES if lane is None else (lane,)
    with opened(context) as library:
        book = LaneBook(library.database)
        before = [book.find(each) for each in lanes]
        book.put_all(lanes, state, user_name())
        book.settle(LANES)  # what has nothing left to finish need not wait for a sidecar
        for each in before:
            say(_outcome(each, state, book.find(each.lane)))
        library.nudge()


def _outcome(before: LaneWish, wanted: LaneState, after: LaneWish) -> str:
    if before.state == wanted:
        told = f" (by {one_line(before.actor)} since {before.at})" if before.actor else ""
        return f"{before.lane}: {wanted} already{told}"
    if after.state != wanted:
        return f"{after.lane}: {after.state}, nothing was left to finish"
    return f"{after.lane}: {after.state}"


def _lane_row(lane: dict[str, Any]) -> tuple[object, ...]:
    is_told = lane["state"] != "running" and lane["actor"]
    state = f"{lane['state']} by {lane['actor']} since {lane['since']}" if is_told else lane["state"]
    counts = (lane["pending"], lane["scheduled"], lane["processing"], lane["dead"])
    return (lane["lane"], state, lane["slots"], *counts, _age(lane["oldestAgeS"]))


def _age(seconds: float | None) -> str:
    if seconds is None:
        return ""
    length_s, unit = next((each for each in _UNITS if seconds >= 2 * each[0]), (1, "s"))
    return f"{seconds / length_s:.0f} {unit}"
