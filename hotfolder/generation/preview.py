"""What a job would lead to, before anybody submits it: problems, pictures, cost, time; nothing is written."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

from hotfolder.domain.credits import in_credits
from hotfolder.domain.estimate import Estimate, total
from hotfolder.domain.matrix import run_count
from hotfolder.domain.plan import JobPlan, Run
from hotfolder.errors import JobFileError, Problem, QueueError
from hotfolder.generation.charging import Charging
from hotfolder.generation.checking import Checked, JobChecker
from hotfolder.generation.finding import Beside
from hotfolder.library.credits import CreditBook
from hotfolder.library.generations import Generation
from hotfolder.library.jobs import Job

_UNKNOWN: Final[Mapping[str, Any]] = {
    "pictures": 0,
    "cost": None,
    "balance": None,
    "estimateS": None,
    "width": None,
    "height": None,
}


class Timings(Protocol):
    """What is known of the time that pictures take."""

    def estimate(self, generation: Generation) -> Estimate | None:
        """How long this picture will take."""


class JobPreview:
    """Answers in milliseconds: of references it is only looked whether they are there."""

    def __init__(
        self,
        checker: JobChecker,
        inbox: Path,
        timings: Timings,
        ledger: tuple[Charging, CreditBook] | None,
    ) -> None:
        """`ledger` is None where pictures cost nothing."""
        self._checker = checker
        self._inbox = inbox
        self._timings = timings
        self._ledger = ledger

    def look(self, job_file: bytes) -> dict[str, Any]:
        """`problems`, `pictures`, `cost` and `balance` (credits), `estimateS`, `width`, `height`.

        The text is JSON and holds one job; what cannot be said is None.
        """
        try:
            checked = self._checker.check(job_file, "json")
        except JobFileError as error:
            return {**_UNKNOWN, "problems": error.problems}
        beside = Beside(self._inbox, gives_hints=False, reads_pictures=False)
        problems = [*checked.problems, *self._checker.check_references(checked, beside)]
        plan = checked.plans[0]
        if not isinstance(plan, JobPlan):
            return {**_UNKNOWN, "pictures": _count(checked), "problems": problems}
        return {**_UNKNOWN, **self._look_at(plan), **self._charge(plan, problems), "problems": problems}

    def _look_at(self, plan: JobPlan) -> dict[str, Any]:
        first = plan.runs[0]
        whole = total(self._estimate(plan, each) for each in _alike(plan.runs))
        return {
            "pictures": len(plan.runs),
            "estimateS": round(whole.likely_s, 1) if whole else None,
            "width": first.width or None,
            "height": first.height or None,
        }

    def _estimate(self, plan: JobPlan, runs: Sequence[Run]) -> Estimate | None:
        one = self._timings.estimate(_as_generation(plan, runs[0]))
        return one.times(len(runs)) if one else None

    def _charge(self, plan: JobPlan, problems: list[Problem]) -> dict[str, float]:
        """What it costs, and has its owner so much? Where such a job fails, that is a problem."""
        if self._ledger is None:
            return {}
        charging, book = self._ledger
        job = _as_job(plan)
        try:
            charging.find_lack(job, plan.runs)
        except QueueError as error:
            problems.append(Problem(error.code, error.message, error.hint))
        return {
            "cost": in_credits(charging.price(job, plan.runs)),
            "balance": in_credits(book.balance(job.owner).amount),
        }


def _count(checked: Checked) -> int:
    """As far as a job that has problems says how many it wants."""
    return run_count(checked.nodes[0]) if checked.nodes[0].kind == "map" else 0


def _alike(runs: Sequence[Run]) -> list[list[Run]]:
    """Runs that take the same time, together."""
    groups: dict[tuple[Any, ...], list[Run]] = defaultdict(list)
    for each in runs:
        groups[each.width, each.height, each.params.get("steps")].append(each)
    return list(groups.values())


def _as_job(plan: JobPlan) -> Job:
    """As far as it is asked who pays, and for what."""
    key, job = plan.endpoint.endpoint_key, plan.job
    return Job("", "received", "", "", b"", "", endpoint_key=key, owner=job.owner, priority=job.priority)


def _as_generation(plan: JobPlan, run: Run) -> Generation:
    """As far as its time depends on it."""
    return Generation(
        generation_id="",
        job_id="",
        position=run.position,
        provider=plan.endpoint.provider_id,
        endpoint_key=plan.endpoint.endpoint_key,
        mode=plan.mode,
        params=run.params,
        width=run.width,
        height=run.height,
        seed=run.seed or 0,
        status="pending",
        created_at="",
    )
