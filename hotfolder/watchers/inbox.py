"""The inbox: what settled there is told apart; job files are claimed, pictures wait to be named."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path, PurePath, PurePosixPath

from hotfolder.watchers.claiming import ClaimDesk
from hotfolder.watchers.door import Door
from hotfolder.watchers.inbox_files import is_job, is_picture
from hotfolder.watchers.inbox_pictures import InboxPictures

log = logging.getLogger(__name__)


class Inbox:
    """Hands each settled file to who deals with its kind. Called by the watcher's thread."""

    def __init__(self, root: Path, claims: ClaimDesk, door: Door, pictures: InboxPictures) -> None:
        self._root = root
        self._claims = claims
        self._door = door
        self._pictures = pictures

    def accepts(self, relative: PurePath) -> bool:
        """Whether the inbox has a use for this file; everything else stays where it is."""
        return is_job(relative) or is_picture(relative)

    def take_all(self, files: Sequence[Path]) -> None:
        """Claim job files in order; let waiting jobs know of pictures."""
        jobs = [each for each in files if is_job(self._relative(each))]
        known = set(jobs)
        for picture in (each for each in files if each not in known):
            self._pictures.arrive(self._relative(picture))
        if jobs:
            self._door.put(self._claims.claim_all(jobs))
        if len(jobs) < len(files):
            self._door.wake()

    def _relative(self, file: Path) -> PurePosixPath:
        return PurePosixPath(file.relative_to(self._root).as_posix())
