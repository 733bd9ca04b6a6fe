"""Many equal failures in a short time make one report."""

from __future__ import annotations

import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from hotfolder.domain.wording import one_line

LIMIT: Final = 200
WINDOW_S: Final = 60.0
NAMES_SHOWN: Final = 20
TIDY_S: Final = 10.0
"""Very many different failures: each must not look through all the others."""


@dataclass(slots=True)
class _Wave:
    """Equal failures: when those of the last minute were, and which got no report of their own."""

    number: int
    times: OrderedDict[str, float] = field(default_factory=OrderedDict)
    names: dict[str, None] = field(default_factory=dict)

    def forget_before(self, at_s: float) -> None:
        """Count no longer what was before."""
        while self.times and next(iter(self.times.values())) < at_s:
            self.times.popitem(last=False)


class FailureTally:
    """Counts failures by what went wrong. Any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._waves: dict[tuple[str, str], _Wave] = {}
        self._number = 0
        self._tidy_at_s = clock()
        self._lock = threading.Lock()

    def count(self, error: Mapping[str, Any], name: str) -> tuple[int, str] | None:
        """Count one; beyond the limit of a minute, the number of the flood and its summary."""
        key = _key(error)
        with self._lock:
            wave = self._find_wave(key)
            is_told_again = name in wave.times
            wave.times.setdefault(name, self._clock())
            if name not in wave.names and (is_told_again or len(wave.times) <= LIMIT):
                return None
            wave.names[name] = None
            return wave.number, _summary(error, wave)

    def _find_wave(self, key: tuple[str, str]) -> _Wave:
        """The failures of the last minute; a minute without any ends a wave."""
        now_s = self._clock()
        if now_s >= self._tidy_at_s:
            self._tidy_at_s = now_s + TIDY_S
            for each in self._waves.values():
                each.forget_before(now_s - WINDOW_S)
            self._waves = {known: each for known, each in self._waves.items() if each.times}
        wave = self._waves.get(key)
        if wave is not None:
            wave.forget_before(now_s - WINDOW_S)
        if wave is None or not wave.times:
            self._number += 1
            wave = self._waves[key] = _Wave(self._number)
        return wave


def _key(error: Mapping[str, Any]) -> tuple[str, str]:
    first = (error.get("problems") or [error])[0]
    return str(first["code"]), str(first["message"])


def _summary(error: Mapping[str, Any], wave: _Wave) -> str:
    first = (error.get("problems") or [error])[0]
    count = len(wave.names)
    names = [f"- `{one_line(each)}`" for each in itertools.islice(wave.names, NAMES_SHOWN)]
    more = [f"- and {count - len(names)} more"] if count > len(names) else []
    hint = [one_line(str(first["hint"])), ""] if first.get("hint") else []
    return "\n".join(
        [
            f"# {count} more job files failed for the same reason",
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
