"""What the folder of a job file adds to it: a recipe's keys, keywords and priority."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar, Final

from hotfolder.domain.document import Node
from hotfolder.domain.recipe import Recipe
from hotfolder.domain.wording import one_line
from hotfolder.errors import LibraryError, Problem
from hotfolder.generation.recipes import RecipeShelf

PRIORITY_FOLDERS: Final = {"!high": 10, "!low": -10}


class RecipeUnsound(LibraryError):
    """A recipe has problems: what lies in its folder waits until it is mended."""

    default_code: ClassVar[str] = "job.bad_recipe"
    default_retryable: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class FolderContext:
    """Of one folder of the inbox."""

    priority: int = 0
    recipe: Recipe | None = None

    def complete(self, node: Node) -> Node:
        """The job with the keys that it inherits."""
        return self.recipe.complete(node) if self.recipe is not None else node

    def explain(self, written: Node, problems: Sequence[Problem]) -> list[Problem]:
        """Problems of what a recipe says name the recipe."""
        return self.recipe.explain(written, problems) if self.recipe is not None else list(problems)


class FolderContexts:
    """Reads what the folders of the inbox say."""

    def __init__(self, shelf: RecipeShelf) -> None:
        self._shelf = shelf

    def read(self, folder: PurePosixPath) -> FolderContext:
        """The context of a folder, relative to inbox/; raises RecipeUnsound until its recipe is mended."""
        recipe = self._shelf.find(folder)
        if recipe is not None and recipe.problems:
            place = next(each.place for each in recipe.files if each.problems)
            message = f"The recipe inbox/{one_line(str(place))} has problems: {recipe.problems[0].message}"
            hint = f"Mend it; {place.name}.error.md beside it lists them all."
            raise RecipeUnsound(message, hint=hint)
        return FolderContext(folder_priority(folder), recipe)


def folder_priority(folder: PurePosixPath) -> int:
    """What the names of a folder below inbox/, and of those above it, add to a job's priority."""
    return sum(PRIORITY_FOLDERS.get(part.casefold(), 0) for part in folder.parts)
