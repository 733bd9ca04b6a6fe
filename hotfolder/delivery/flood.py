"""Many equal failures in a short time make one report."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hotfolder.domain.wording import one_line

LIMIT: Final = 200
WINDOW_S: Final = 60.0
NAMES_SHOWN: Final = 20


@dataclass(slots=True)
class _Wave:
    """Equal failures: when those of the last minute were, and those that got no report of their own."""

    number: int
    times: deque[float] = field(default_factory=deque)
    names: list[str] = field(default_factory=list)
    count: int = 0


class FailureTally:
    """Counts failures by what went wrong. Any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waves: dict[tuple[str, str], _Wave] = {}
        self._number = 0
        self._lock = threading.Lock()

    def count(self, error: Mapping[str, Any], name: str) -> tuple[int, str] | None:
        """Count one; beyond the limit of a minute, the number of the flood and its summary."""
        key = _key(error)
        with self._lock:
            wave = self._find_wave(key)
            if len(wave.times) <= LIMIT:
                return None
            wave.count += 1
            if len(wave.names) < NAMES_SHOWN:
                wave.names.append(name)
            return wave.number, _summary(error, wave)

    def _find_wave(self, key: tuple[str, str]) -> _Wave:
        """The failures of the last minute, this one among them; a minute without any ends a wave."""
        now_s = self._clock()
        for known, wave in list(self._waves.items()):
            while wave.times and wave.times[0] < now_s - WINDOW_S:
                wave.times.popleft()
            if not wave.times:
                del self._waves[known]
        if key not in self._waves:
            self._number += 1
            self._waves[key] = _Wave(self._number)
        self._waves[key].times.append(now_s)
        return self._waves[key]


def _key(error: Mapping[str, Any]) -> tuple[str, str]:
    first = (error.get("problems") or [error])[0]
    return str(first["code"]), str(first["message"])


def _summary(error: Mapping[str, Any], wave: _Wave) -> str:
    first = (error.get("problems") or [error])[0]
    names = [f"- `{one_line(each)}`" for each in wave.names]
    more = [f"- and {wave.count - len(names)} more"] if wave.count > len(names) else []
    hint = [one_line(str(first["hint"])), ""] if first.get("hint") else []
    return "\n".join(
        [
            f"# {wave.count} more job files failed for the same reason",
            "",
            f"{one_line(str(first['message']))} (`{first['code']}`)",
            "",
            *hint,
            f"More than {LIMIT} a minute get one report, this one; each has its `.result.json`.",
            "",
            *names,
            *more,
            "",
        ]
    )
