"""Files that a listing found though no event named them; decided from what others saw."""

from __future__ import annotations

from collections import deque
from typing import Final

WINDOW_S: Final = 600.0
TOO_MANY: Final = 2


class Misses:
    """Suspects, and how many of them proved to be missed. All times are time.monotonic; one thread only."""

    def __init__(self) -> None:
        self.count = 0
        self._suspects: dict[str, float] = {}
        self._missed_at: deque[float] = deque(maxlen=TOO_MANY)

    def suspect(self, path: str, seen_at: float) -> None:
        """A listing found a path that no event has named yet; its event may still be on the way."""
        self._suspects.setdefault(path, seen_at)

    def clear(self, path: str) -> None:
        """An event named the path."""
        self._suspects.pop(path, None)

    def clear_all(self) -> None:
        """Events are known to have been lost, or were not asked for: nothing is to be learned of them."""
        self._suspects.clear()

    def confirm(self, heard_until: float | None) -> None:
        """Every event before this moment has been heard: what was seen before it was missed."""
        if heard_until is None:
            return
        missed = [path for path, seen_at in self._suspects.items() if seen_at < heard_until]
        for path in missed:
            self._missed_at.append(self._suspects.pop(path))
        self.count += len(missed)

    def are_too_many(self) -> bool:
        """Say whether two or more were missed within ten minutes of each other."""
        times = self._missed_at
        return len(times) == TOO_MANY and times[-1] - times[0] <= WINDOW_S
