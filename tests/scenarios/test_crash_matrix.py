"""`kill -9` at every point where the disk changes: all that was dropped ends exactly once, and whole."""

from __future__ import annotations

import signal
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from tests.scenarios.drops import PREPARED_BY, SETTINGS, Drops
from tests.scenarios.launching import Launcher
from tests.scenarios.service import Service
from tests.scenarios.settling import settle

SHARDS: Final = 2
KILLS_IN_A_ROW: Final = 6
"""Fewer than domain.work.CRASHES_MAX: what dies more often with the program is given up."""


@dataclass(frozen=True)
class Step:
    """Tell this story, and kill the program at this point."""

    story: str
    point: str


@dataclass(frozen=True)
class Case:
    """A step, and the one that has to come before it where only a recovery passes the point."""

    step: Step
    before: Step | None = None


class Matrix:
    """One library after the other, each used as long as it stays whole."""

    def __init__(self, make_service: Callable[..., Service], launcher: Launcher) -> None:
        self._make_service = make_service
        self._launcher = launcher
        self._count = 0
        self._row: list[Step] = []  # since the library was last found whole
        self.known: dict[str, Case] = {}
        self._passed: list[str] = []  # in the last run
        self._told_by: dict[str, list[str]] = {}  # the stories that lead to a point undisturbed
        self.killed = 0
        self.missed: list[Case] = []
        self.findings: list[str] = []
        self._begin_library()

    def record(self) -> list[Case]:
        """Tell each story once, undisturbed; the points of all."""
        for story in self._drops.stories:
            self._tell(story)
            self._run(story)
            for point in self._passed:
                self._told_by.setdefault(point, []).append(story)
        self._settle()
        return list(self.known.values())

    def kill_at_all(self, cases: Sequence[Case]) -> None:
        """At each of them, and at those that are found on the way, because only a recovery comes there."""
        pending = list(cases)
        while pending:
            found = len(self.known)
            case = pending.pop(0)
            if not self._is_reached(case):
                self.missed.append(case)
            if len(self._row) >= KILLS_IN_A_ROW or not pending:
                self._settle()
            pending += list(self.known.values())[found:]

    def kill_at_missed(self) -> None:
        """Once more, each in a new library: some folders are made only once."""
        self.missed = [each for each in self.missed if not self._is_reached_anew(each)]

    def _is_reached_anew(self, case: Case) -> bool:
        """By another story too: whether the first one leads there may be a race."""
        for story in 2 * self._told_by.get(case.step.point, [case.step.story])[-3:]:
            self._begin_library()
            is_reached = self._is_reached(replace(case, step=replace(case.step, story=story)))
            self._settle()
            if is_reached:
                return True
        return False

    def _is_reached(self, case: Case) -> bool:
        steps = [case.before, case.step] if case.before else [case.step]
        is_reached = [self._is_killed(each) for each in steps][-1]
        self.killed += is_reached
        return is_reached

    def _is_killed(self, step: Step) -> bool:
        self._tell(step.story)
        code = self._run(step.story, step.point)
        assert code in (0, 1, -signal.SIGKILL), f"{step}: {code}, {self._service.output()[-2000:]}"
        if code == -signal.SIGKILL:
            self._row.append(step)
        return code == -signal.SIGKILL

    def _run(self, story: str, point: str | None = None) -> int:
        code, self._passed = self._launcher.run(self._service.root, point)
        for each in self._passed:
            self.known.setdefault(each, Case(Step(story, each), self._row[-1] if self._row else None))
        return code

    def _tell(self, story: str) -> None:
        if not self._drops.is_prepared(story):
            for _ in range(KILLS_IN_A_ROW):
                self._drops.stories[PREPARED_BY[story]]()
            self._run(PREPARED_BY[story])
        self._drops.stories[story]()

    def _settle(self) -> None:
        """Let all end, look, and go on with another library if this one is not whole."""
        faults = settle(self._service, self._drops, lambda: self._run("arriving"))
        if faults:
            kills = "\n".join(f"    {each.story}: {each.point}" for each in self._row)
            self.findings.append("\n".join([f"{self._service.root} after kills at", kills, *faults]))
            self._begin_library()
        self._row = []

    def _begin_library(self) -> None:
        self._count += 1
        self._row = []
        self._service = self._make_service(f"library-{self._count}", settings=SETTINGS)
        self._drops = Drops(self._service)


@pytest.fixture
def matrix(make_service: Callable[..., Service], tmp_path: Path) -> Iterator[Matrix]:
    with closing(Launcher(tmp_path)) as launcher:
        yield Matrix(make_service, launcher)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("shard", range(SHARDS))
def test_everything_ends_once_and_whole_wherever_the_program_is_killed(matrix: Matrix, shard: int) -> None:
    cases = matrix.record()
    mine = [each for each in cases if zlib.crc32(each.step.point.encode()) % SHARDS == shard]

    matrix.kill_at_all(mine)
    matrix.kill_at_missed()

    found_later = [each for each in matrix.missed if each.before]
    sys.stdout.write(f"{len(cases)} points, {len(mine)} of them here; {matrix.killed} kills\n")
    sys.stdout.write("".join(f"not reached: {each}\n" for each in matrix.missed))
    assert not matrix.findings, "\n\n".join(matrix.findings)
    assert len(matrix.missed) - len(found_later) <= len(mine) // 50
    assert len(found_later) <= matrix.killed // 8, "in recoveries much is a race, but so much?"
