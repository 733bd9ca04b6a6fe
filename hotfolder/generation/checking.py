"""What a job file asks for, or all that is wrong with it, in the folder where it lies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from hotfolder.domain.document import DocumentFormat, Node, parse_documents
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.job import read_job
from hotfolder.domain.plan import JobPlan, plan_jobs
from hotfolder.errors import Problem
from hotfolder.generation.context import FolderContext, FolderContexts
from hotfolder.generation.entrance import Limits, with_limits, without_priority
from hotfolder.generation.finding import Beside
from hotfolder.generation.moderating import Judgement, Moderation
from hotfolder.generation.presets import PresetShelf
from hotfolder.generation.references import ReferenceDesk

_TOP: Final = PurePosixPath()


@dataclass(frozen=True, slots=True)
class Checked:
    """What a job file asks for, or what is wrong with it: as `written`, and with what its folder adds."""

    written: list[Node]
    nodes: list[Node]
    plans: list[JobPlan | list[Problem]]
    context: FolderContext
    judgements: list[Judgement | None]

    @property
    def problems(self) -> list[Problem]:
        """The problems of all documents."""
        return [problem for plan in self.plans if isinstance(plan, list) for problem in plan]


class JobChecker:
    """Reads job files as they are meant in their folder; changes nothing."""

    def __init__(
        self,
        contexts: FolderContexts,
        desk: ReferenceDesk,
        presets: PresetShelf,
        endpoints: Mapping[str, Endpoint],
        limits: Limits,
        moderation: Moderation,
        *,
        max_job_bytes: int,
    ) -> None:
        self._contexts = contexts
        self._desk = desk
        self._presets = presets
        self._endpoints = endpoints
        self._limits = limits
        self._moderation = moderation
        self.max_job_bytes = max_job_bytes

    def check(self, data: bytes, document_format: DocumentFormat, folder: PurePosixPath = _TOP) -> Checked:
        """All that can be said without the references; `folder` is below inbox/. Raises JobFileError."""
        written = parse_documents(data, document_format, max_bytes=self.max_job_bytes)
        context = self._contexts.read(folder)
        nodes = [context.complete(each) for each in written]
        plans = plan_jobs(nodes, self._endpoints, self._presets.find)
        judgements = [
            None if isinstance(plan, list) else self._judge(node, plan, folder, context.priority)
            for node, plan in zip(nodes, plans, strict=True)
        ]
        finished = []
        for own, plan, judged in zip(written, plans, judgements, strict=True):
            outcome = plan if judged is None else judged.outcome
            finished.append(context.explain(own, outcome) if isinstance(outcome, list) else outcome)
        return Checked(written, nodes, finished, context, judgements)

    def owner_of(self, folder: PurePosixPath, named: str | None) -> str | None:
        """Whose a job in a folder below inbox/ is that names an owner, or none."""
        return self._limits.owner_of(without_priority(folder), named)

    def _judge(self, node: Node, plan: JobPlan, folder: PurePosixPath, extra: int) -> Judgement:
        """What a sound job becomes once it is known whose it is."""
        limited = with_limits(self._limits, folder, plan, extra)
        return self._moderation.judge(limited.job.owner, limited, node)

    def check_references(self, checked: Checked, beside: Beside) -> list[Problem]:
        """The problems of all references. Stores nothing."""
        problems: list[Problem] = []
        for written, node, plan in zip(checked.written, checked.nodes, checked.plans, strict=True):
            job = plan.job if isinstance(plan, JobPlan) else read_job(node)[0]
            limit = plan.endpoint.limits.refs if isinstance(plan, JobPlan) else len(job.refs) if job else 0
            if job is not None:
                found = self._desk.find_problems(job.refs, node, beside, limit)
                problems += checked.context.explain(written, found)
        return problems
