"""What is claimed and not taken in: `!high/` before the others, `!low/` after them; in order otherwise."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Collection
from pathlib import PurePosixPath

from hotfolder.generation.context import folder_priority
from hotfolder.watchers.claiming import Claim


class ClaimQueue:
    """Claims by the priority of their folders. Not for several threads: its owner has the lock."""

    def __init__(self) -> None:
        self._ranks: dict[int, deque[Claim]] = {}
        self._folders: Counter[PurePosixPath] = Counter()

    def __bool__(self) -> bool:
        return bool(self._ranks)

    def append(self, claim: Claim) -> None:
        """Put one behind those of its rank."""
        self._ranks.setdefault(folder_priority(claim.place.parent), deque()).append(claim)
        self.come([claim.place.parent])

    def pop(self) -> Claim | None:
        """Take out the first of the highest rank; its folder counts until `leave`."""
        if not self._ranks:
            return None
        rank = max(self._ranks)
        claim = self._ranks[rank].popleft()
        if not self._ranks[rank]:
            del self._ranks[rank]
        return claim

    def come(self, folders: Collection[PurePosixPath]) -> None:
        """Claims from these folders are on their way."""
        self._folders.update(folders)

    def leave(self, folders: Collection[PurePosixPath]) -> None:
        """Claims from these folders are done with."""
        self._folders.subtract(folders)
        for folder in folders:
            if self._folders[folder] <= 0:
                del self._folders[folder]

    def awaits(self, folder: PurePosixPath) -> bool:
        """Whether claims from a folder are on their way, or not done with."""
        return folder in self._folders
