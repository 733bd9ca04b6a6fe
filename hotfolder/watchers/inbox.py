"""The inbox: what settled there is told apart; jobs are claimed, pictures wait to be named."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Protocol

from hotfolder.domain.recipe import Recipe
from hotfolder.watchers.claiming import ClaimDesk
from hotfolder.watchers.door import Door
from hotfolder.watchers.inbox_files import (
    RERUN,
    is_job,
    is_picture,
    is_prompt_list,
    is_recipe,
)
from hotfolder.watchers.inbox_pictures import InboxPictures
from hotfolder.watchers.picture_jobs import PictureJobs
from hotfolder.watchers.settle import Signature


class Shelf(Protocol):
    """What the inbox needs of the recipes."""

    def find(self, folder: PurePosixPath) -> Recipe | None:
        """What the jobs of a folder inherit."""

    def update_reports(self, folder: PurePosixPath) -> None:
        """Write a report beside each recipe with problems; remove the others."""


class Inbox:
    """Hands each settled file to who deals with its kind. Called by the watcher's thread."""

    def __init__(
        self,
        root: Path,
        claims: ClaimDesk,
        door: Door,
        pictures: InboxPictures,
        picture_jobs: PictureJobs,
        shelf: Shelf,
    ) -> None:
        self._root = root
        self._claims = claims
        self._door = door
        self._pictures = pictures
        self._picture_jobs = picture_jobs
        self._shelf = shelf
        self._recipes: dict[Path, Signature] = {}

    def accepts(self, relative: PurePath) -> bool:
        """Whether the inbox may have a use for this; everything else stays where it is."""
        return is_job(relative) or is_picture(relative) or is_prompt_list(relative) or is_recipe(relative)

    def take_all(self, files: Sequence[Path]) -> list[Path]:
        """Claim jobs in order; let waiting jobs know of pictures.

        Gives the folders whose recipes are new: what lay there before them is to be given again.
        """
        jobs = [each for each in files if self._is_job(each)]
        known = set(jobs)
        new_recipes = [each.parent for each in files if each not in known and self._take_other(each)]
        if jobs:
            with self._door.expecting([self._relative(each).parent for each in jobs]):
                self._door.put(self._claims.claim_all(jobs))
        if len(jobs) < len(files):
            self._door.wake()
        return new_recipes

    def _is_job(self, file: Path) -> bool:
        relative = self._relative(file)
        if is_prompt_list(relative):
            return self._shelf.find(relative.parent) is not None
        return is_job(relative)

    def _take_other(self, file: Path) -> bool:
        """Whether it is a recipe that was not there before."""
        relative = self._relative(file)
        if is_recipe(relative):
            self._shelf.update_reports(relative.parent)
            return self._is_new(file)
        if is_picture(relative):
            self._take_picture(file, relative)
        return False

    def _is_new(self, recipe: Path) -> bool:
        found = Signature.of(recipe.lstat())
        before = self._recipes.get(recipe)
        self._recipes[recipe] = found
        return before != found

    def _take_picture(self, file: Path, relative: PurePosixPath) -> None:
        recipe = self._shelf.find(relative.parent)
        if relative.parts[0] == RERUN:
            self._picture_jobs.arrive(file, is_rerun=True)
        elif recipe is not None and not recipe.names(relative):
            self._picture_jobs.arrive(file, is_rerun=False)
        self._pictures.arrive(relative)

    def _relative(self, file: Path) -> PurePosixPath:
        return PurePosixPath(file.relative_to(self._root).as_posix())
