"""A service that is killed at random times, again and again, while jobs keep coming."""

from __future__ import annotations

import random
import subprocess
import time
from dataclasses import dataclass
from typing import Final

from tests.scenarios.drops import Drops
from tests.scenarios.service import Service, wait_for
from tests.scenarios.settling import settle

STILLBORN: Final = 0.2
"""So many of all lives may end before the service watches."""
LIFE_S: Final = 1.0
"""The longest life, from then on; from the start of the process for those."""
BREATH_EVERY: Final = 8
"""Fewer than domain.work.CRASHES_MAX: what dies more often with the program is given up."""
WEIGHTS: Final = {"plain": 6, "two": 3, "pictures": 3, "broken": 2, "waiting": 2, "deleted": 0.5}
UNEASY: Final = """
    SELECT 1 FROM work_queue WHERE crash_count > 0 AND status IN ('pending', 'scheduled', 'processing')
"""


@dataclass(frozen=True)
class Outcome:
    """What was done, and every fault that was found at the end."""

    kills: int
    jobs: int
    pictures: int
    duration_s: float
    findings: list[str]


def kill_at_random(service: Service, *, seed: int, kills: int, jobs: int) -> Outcome:
    """So many lives that are cut short, and a last one that ends what is left."""
    began_at_s = time.monotonic()
    chance = random.Random(seed)
    drops = Drops(service)
    for number in range(1, kills + 1):
        _drop(drops, chance, jobs * number // kills)
        watched = _count_watched(service)
        service.start()
        _drop(drops, chance, jobs * number // kills + 1)
        _live(service, chance, watched)
        if number % BREATH_EVERY == 0:
            wait_for(lambda: not service.query(UNEASY), "an end of what died before", 120.0)
        service.kill()
    findings = settle(service, drops)
    pictures = service.query("SELECT count(*) AS n FROM media")[0]["n"]
    return Outcome(kills, len(drops.ledger.jobs), pictures, time.monotonic() - began_at_s, findings)


def _drop(drops: Drops, chance: random.Random, jobs: int) -> None:
    """Tell stories until so many jobs have been dropped."""
    names = list(drops.stories)
    weights = [WEIGHTS.get(each, 1) for each in names]
    while len(drops.ledger.jobs) < jobs:
        (story,) = chance.choices(names, weights)
        if drops.is_prepared(story):
            drops.stories[story]()


def _live(service: Service, chance: random.Random, watched_before: int) -> None:
    """Some time, from the moment when it watches or from its start."""
    assert service.process is not None
    if chance.random() > STILLBORN:
        wait_for(lambda: _count_watched(service) > watched_before, "a watching service")
    try:
        code = service.process.wait(chance.uniform(0.0, LIFE_S))
    except subprocess.TimeoutExpired:
        return
    raise AssertionError(f"the service ended by itself with {code}: {service.output()[-2000:]}")


def _count_watched(service: Service) -> int:
    output = service.root / "logs" / "test-output.txt"
    return output.read_bytes().count(b"watching ") if output.exists() else 0
