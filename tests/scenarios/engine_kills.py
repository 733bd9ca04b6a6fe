"""Many jobs, and an engine that is killed at random: do all complete, once, and in their order?"""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tests.scenarios.books import Books
from tests.scenarios.service import wait_for
from tests.scenarios.supervised import SupervisedService
from tests.scenarios.wholeness import audit

PRIORITIES: Final = (-5, 0, 0, 10)
ATTEMPTS: Final = 20
LOOK_S: Final = 0.02
WAITING: Final = "SELECT 1 FROM work_queue WHERE lane = 'gpu' AND status = 'pending'"
ENDED: Final = "SELECT 1 FROM jobs WHERE completed_at IS NOT NULL"
ORDER: Final = """
    SELECT g.prompt, w.attempt_count FROM work_queue AS w JOIN generations AS g ON g.id = w.correlation_id
    WHERE w.lane = 'gpu' ORDER BY w.priority DESC, w.created_at, w.rowid
"""


@dataclass(frozen=True)
class Outcome:
    """What was done, and every fault that was found at the end."""

    jobs: int
    kills: int
    hit: int
    most_attempts: int
    duration_s: float
    findings: list[str]


def kill_at_random(service: SupervisedService, *, jobs: int, seed: int, every_s: float) -> Outcome:
    """So many jobs wait together; from when the first may begin the engine is killed every so often.

    What waits is made by priority, then by age, but for pictures that were hit: they wait for their next
    attempt. The one at the engine goes on; the one that is prepared gives way to what is more urgent.
    """
    chance = random.Random(seed)
    names = [f"job-{number:03d}" for number in range(jobs)]
    held = service.hold()
    for name in names:
        extra = f"priority: {chance.choice(PRIORITIES)}\nmaxAttempts: {ATTEMPTS}\n"
        service.ask(f"{name}.yaml", name, extra)
    wait_for(lambda: len(service.query(WAITING)) == jobs, "a queue", 30 + jobs)
    service.command("jobs", "cancel", held)
    began_at_s = time.monotonic()
    kills = _kill_until_ended(service, jobs + 2, chance, every_s, began_at_s + 120 + 5 * jobs)
    duration_s = time.monotonic() - began_at_s
    service.stop()
    return _judge(service, names, kills, duration_s)


def _kill_until_ended(
    service: SupervisedService, jobs: int, chance: random.Random, every_s: float, give_up_at_s: float
) -> int:
    kills = 0
    kill_at_s = time.monotonic() + chance.expovariate(1 / every_s)
    while len(service.query(ENDED)) < jobs and time.monotonic() < give_up_at_s:
        time.sleep(LOOK_S)  # the pause of a poll with a limit
        if time.monotonic() >= kill_at_s:
            kills += service.kill_engine()
            kill_at_s = time.monotonic() + chance.expovariate(1 / every_s)
    return kills


def _judge(service: SupervisedService, names: Sequence[str], kills: int, duration_s: float) -> Outcome:
    books, asked = Books(service.root), Counter(service.prompts())
    rows = [each for each in service.query(ORDER) if each["prompt"] in set(names)]
    whole = [each["prompt"] for each in rows if each["attempt_count"] == 1]
    findings = audit(service.root)
    findings += [f"{each} was asked for {asked[each]} times" for each in whole if asked[each] != 1]
    findings += _find_disorder(service.prompts(), whole)
    sidecars = sum(each.name.endswith(".png.json") for each in books.files("originals"))
    statuses = Counter(each["status"] for each in books.jobs.values())
    made = (statuses["completed"], len(books.media), sidecars, len(books.jobs), len(books.generations))
    if made != (*[len(names) + 1] * 3, *[len(names) + 2] * 2):  # the one ahead of them, and the one held
        findings.append(f"completed, pictures, sidecars, jobs and generations are {made}")
    most = max(each["attempt_count"] for each in rows)
    return Outcome(len(names), kills, len(names) - len(whole), most, duration_s, findings)


def _find_disorder(asked: Sequence[str], whole: Sequence[str]) -> Iterator[str]:
    """What was made when something else was due."""
    due = list(whole)
    for prompt in (each for each in asked if each in set(whole)):
        if prompt in due and prompt != due[0]:
            yield f"{prompt} was made when {due[0]} was due"
        if prompt in due:
            due.remove(prompt)
