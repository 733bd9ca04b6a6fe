"""Following jobs to their end: a progress bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hotfolder.app import Library
from hotfolder.cli.output import one_line, print_json, say
from hotfolder.delivery.documents import build_result, describe_time_left
from hotfolder.domain.generation import ENDED
from hotfolder.errors import HotfolderError
from hotfolder.library.jobs import Job
from hotfolder.library.media import Media

_LOOK_S = 0.1


def follow(
    library: Library, ids: Sequence[str], runs: Mapping[str, int], *, timeout_s: float, as_json: bool
) -> int:
    """Wait until the jobs with these ids have ended and their results are written; 0 when all completed.

    `runs` says of jobs that are to run again how often they have run before.
    """
    if not library.lock.is_held_by_another():
        click.echo("No sidecar runs on this library; start one with `hotfolder run`.", err=True)
    jobs = _wait(library, ids, runs, time.monotonic() + timeout_s)
    results = [describe_job(library, job) for job in jobs]
    if as_json:
        print_json(results[0] if len(results) == 1 else results)
    else:
        for job, result in zip(jobs, results, strict=True):
            _print_result(job, result)
    return 0 if all(job.status == "completed" for job in jobs) else 1


def describe_job(library: Library, job: Job) -> dict[str, Any]:
    """The result object of a job, as it stands now."""
    generations = library.generations.list_of_job(job.job_id)
    made = [(each, _list_present(library, each.generation_id)) for each in generations]
    result = build_result(job, made)
    for generation, (_, media) in zip(result["generations"], made, strict=True):
        for output, each in zip(generation["outputs"], media, strict=True):
            output.update({} if each.review == "none" else {"review": each.review})
    return result


def _list_present(library: Library, generation_id: str) -> list[Media]:
    """The outputs that are in the library still: what was discarded lies in the trash."""
    found = library.media.list_of_generation(generation_id)
    return [each for each in found if each.deleted_at is None]


def find_job(library: Library, own_id: str) -> Job | None:
    """The job that a submitter's id stands for: a UUID is the job id, other text a key."""
    return library.jobs.find(own_id.lower()) or library.jobs.find_by_key(own_id)


def read_progress(library: Library, job: Job) -> dict[str, Any] | None:
    """How far a job is, as its status file says; None before there is one."""
    try:
        status = json.loads(library.paths.status_json(job.job_id).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    progress: dict[str, Any] = status["progress"]
    return progress


def _wait(library: Library, ids: Sequence[str], runs: Mapping[str, int], deadline: float) -> list[Job]:
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[stage]}", markup=False),
        TextColumn("{task.fields[left]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        lines = {each: _Line(library, each, runs.get(each, 0), progress, console.is_terminal) for each in ids}
        while sum(not line.look() for line in lines.values()):
            if time.monotonic() > deadline:
                raise HotfolderError(
                    "The jobs have not ended in time.",
                    code="job.wait_timeout",
                    hint="They go on; `hotfolder jobs list` shows them.",
                )
            time.sleep(_LOOK_S)
    return [line.job() for line in lines.values()]


class _Line:
    """One job on the screen."""

    def __init__(
        self, library: Library, job_id: str, runs: int, progress: Progress, is_terminal: bool
    ) -> None:
        self._library = library
        self._id = job_id
        self._runs = runs
        self._progress = progress
        self._is_terminal = is_terminal
        self._task: TaskID = progress.add_task(one_line(job_id[-12:]), total=100.0, stage="waiting", left="")
        self._last = ""

    def job(self) -> Job:
        job = self._find()
        assert job is not None
        return job

    def look(self) -> bool:
        """Show the state; True once the job has ended and its result lies in its place."""
        job = self._find()
        if job is None:
            return False
        if job.status in ENDED:
            self._show(job, {"percentage": 100.0 if job.status == "completed" else None, "stage": job.status})
            return (
                job.final_path is not None
                and self._library.paths.absolute(job.final_path + ".result.json").is_file()
            )
        self._show(job, read_progress(self._library, job) or {})
        return False

    def _find(self) -> Job | None:
        job = find_job(self._library, self._id)
        return job if job is not None and job.run > self._runs else None

    def _show(self, job: Job, progress: dict[str, Any]) -> None:
        stage = progress.get("stage") or job.status
        completed = progress.get("percentage")
        left = describe_time_left(progress)
        self._progress.update(self._task, description=one_line(job.file_name), stage=stage, left=left)
        if completed is not None:
            self._progress.update(self._task, completed=completed)
        line = f"{job.file_name}: {stage}" + (f", {completed:.0f} %" if completed else "")
        if not self._is_terminal and line != self._last:
            say(one_line(line), err=True)
        self._last = line


def _tell_review(output: Mapping[str, Any]) -> str:
    return "  awaits its review" if output.get("review") == "awaiting" else ""


def _print_result(job: Job, result: dict[str, Any]) -> None:
    say(one_line(f"{job.file_name}: {job.status} ({job.final_path})"))
    for generation in result["generations"]:
        for output in generation["outputs"]:
            size = f"{output['width']} x {output['height']}"
            say(f"  {output['path']}  seed {generation['seed']}  {size}{_tell_review(output)}")
        for warning in generation["warnings"]:
            say(one_line(f"  seed {generation['seed']}: {warning}"))
        if generation["error"]:
            say(f"  seed {generation['seed']}: {one_line(generation['error']['message'])}")
    if result["error"]:
        problems = result["error"].get("problems") or [result["error"]]
        for each in problems:
            place = f"line {each['line']}, column {each['column']}: " if each.get("line") else ""
            say(one_line(f"  {place}{each['message']}"))
            if each.get("hint"):
                say(one_line(f"    {each['hint']}"))
