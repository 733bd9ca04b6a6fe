"""What the folder of a job file adds to it: a recipe's keys, keywords and priority."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from hotfolder.domain.document import Node
from hotfolder.domain.plan import JobPlan
from hotfolder.errors import Problem

PRIORITY_FOLDERS: Final = {"!high": 10, "!low": -10}
_HIGHEST: Final = 100


@dataclass(frozen=True, slots=True)
class FolderContext:
    """Of one folder of the inbox."""

    priority: int = 0

    def complete(self, node: Node) -> Node:
        """The job with the keys that it inherits."""
        return node

    def prioritise(self, plan: JobPlan | list[Problem]) -> JobPlan | list[Problem]:
        """The plan with the priority that its folder gives, on top of the job's own."""
        if isinstance(plan, list) or not self.priority:
            return plan
        priority = max(-_HIGHEST, min(_HIGHEST, plan.job.priority + self.priority))
        return replace(plan, job=plan.job.model_copy(update={"priority": priority}))


class FolderContexts:
    """Reads what the folders of the inbox say."""

    def read(self, folder: PurePosixPath) -> FolderContext:
        """The context of a folder, relative to inbox/."""
        return FolderContext(sum(PRIORITY_FOLDERS.get(part.casefold(), 0) for part in folder.parts))
