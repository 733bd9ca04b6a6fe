"""Limits: whose a job is, whether it may be queued now, and which of those that wait may go."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain, zip_longest
from pathlib import PurePosixPath
from typing import Final

from hotfolder.database import Database, Transaction
from hotfolder.domain.instants import format_instant, parse_instant
from hotfolder.domain.limits import (
    OVER_LIMIT,
    LimitRules,
    OwnerRules,
    clamp_priority,
    is_closed,
    latest,
    mean_gap_s,
    refill,
    whose,
)
from hotfolder.errors import BacklogFull
from hotfolder.library.jobs import Job
from hotfolder.library.owners import InLine, OwnerStore

LIMITS_CLOSED: Final = "limits.closed"
LIMITS_OPENED: Final = "limits.opened"

_AT_ONCE: Final = 100
"""So many jobs of an owner are let in before the others are looked at again."""
_LOOKED_AT: Final = 50
_FAR: Final = 1000
"""A wait is estimated for as many places ahead."""
_PACE: Final = timedelta(hours=1)
_RETRY_S: Final = 10.0
_RETRY_LONGEST_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a job may be queued; if not, why, and for how long it will probably wait, if that is known."""

    is_admitted: bool
    code: str | None = None
    reason: str | None = None
    wait_s: float | None = None


class Admission:
    """Decides by what is in the database, so that any process may ask."""

    def __init__(self, database: Database, limits: LimitRules, owners: OwnerStore) -> None:
        self._database = database
        self._limits = limits
        self._owners = owners
        self._looked_at: tuple[str, int] | None = None

    def owner_of(self, folder: PurePosixPath, named: str | None) -> str | None:
        """Whose jobs those of a folder below inbox/ are: its owner's, else of whom they name."""
        return self._limits.find_owner(folder) or named or None

    def priority_of(self, owner: str | None, given: int | None) -> tuple[int, str | None]:
        """The priority that a job gets, and a warning when that is less than it asks for."""
        return clamp_priority(self._limits.rules_of(owner), owner, given)

    def decide(self, tx: Transaction, job_id: str, owner: str | None) -> Verdict:
        """Whether a job that has a row may be queued now; when it may, that counts."""
        rules, job = self._limits.rules_of(owner), self._owners.get_in_line(job_id)
        refused = (
            self._check_active(owner, rules, job, tx.at)
            or self._check_rate(tx, owner, rules, job)
            or self._check_depth(tx, job)
            or self._check_order(owner, rules, job, tx.at)
        )
        if refused is not None:
            return refused
        if rules.submissions_per_minute is not None and not job.was_queued:
            bucket = refill(self._owners.find_bucket(owner), rules.submissions_per_minute, tx.at)
            self._owners.save_bucket(tx, owner, bucket.take())
        return Verdict(True)

    def rank_of(self, job: Job) -> int:
        """The place of a job among those of its owner that wait: lowest first."""
        return self._owners.rank_of(job.created_at, job.priority)

    def list_due(self) -> list[str]:
        """Backlogged jobs that could go now: owner by owner in turn, of each by priority, then age.

        The owner whose first job is oldest begins. After them come some of those that wait for something that
        is not known here (credit, say): others with each call, until it was all of them. That the queue is
        full, or no longer, is noted too. For one thread only.
        """
        self._watch_depth()
        if not self._owners.has_backlog():
            return []
        lines = [self._list_line(each) for each in self._owners.list_backlogged_owners()]
        lines = sorted((each for each in lines if each), key=lambda line: line[0].created_at)
        turns = [each for each in chain.from_iterable(zip_longest(*lines)) if each is not None]
        low = [each for each in turns if each.priority < self._limits.low_priority_below]
        late = set(low[self._low_room() :])
        others = self._owners.list_others(self._looked_at, _LOOKED_AT)
        self._looked_at = others.end
        return [each.job_id for each in turns if each not in late] + others.job_ids

    def count_backlog(self, owner: str | None) -> int:
        """How many jobs of an owner are backlogged."""
        return self._owners.count_backlog(owner)

    def check_backlog(self, owner: str | None) -> None:
        """Raise BacklogFull when a further job of an owner would be one too many to wait."""
        rules = self._limits.rules_of(owner)
        if rules.backlog is None:
            return
        waiting, at = self._owners.count_backlog(owner), self._database.now()
        if waiting < rules.backlog or (not waiting and self._room_of(owner, rules, at)):
            return
        wait_s = self._estimate_s(owner, rules, 1, at) or _RETRY_S
        raise BacklogFull(
            f"The backlog of jobs {whose(owner)} is full ({waiting}).",
            math.ceil(min(max(wait_s, 1.0), _RETRY_LONGEST_S)),
        )

    def _check_active(self, owner: str | None, rules: OwnerRules, job: InLine, at: str) -> Verdict | None:
        most = rules.active_jobs
        if most is None or self._owners.count_active(owner, most, but=job.job_id) < most:
            return None
        reason = f"of jobs {whose(owner)} at most {most} may be queued or run at one time"
        return self._refuse("queue.active_jobs", reason, owner, rules, job, at)

    def _check_rate(
        self, tx: Transaction, owner: str | None, rules: OwnerRules, job: InLine
    ) -> Verdict | None:
        per_minute = rules.submissions_per_minute
        if per_minute is None or job.was_queued:  # it has had its token
            return None
        bucket = refill(self._owners.find_bucket(owner), per_minute, tx.at)
        if bucket.whole_tokens:
            return None
        self._owners.save_bucket(tx, owner, bucket)  # after a clock was put back, it fills from here on
        reason = f"of jobs {whose(owner)} only {per_minute:g} a minute are let in"
        return self._refuse("queue.rate_limited", reason, owner, rules, job, tx.at)

    def _check_depth(self, tx: Transaction, job: InLine) -> Verdict | None:
        depth = self._limits.queue_depth
        if not self._note_depth(tx) or depth is None or job.priority >= self._limits.low_priority_below:
            return None
        gap_s = mean_gap_s([at for _, at in self._list_ends(tx.at)])
        left = max(1, self._owners.count_queued(depth) - depth // 2)
        return Verdict(
            False,
            "queue.depth",
            f"{OVER_LIMIT}the queue is full; priorities below {self._limits.low_priority_below} wait until "
            f"{depth // 2} jobs are left in it",
            None if gap_s is None else gap_s * left,
        )

    def _check_order(self, owner: str | None, rules: OwnerRules, job: InLine, at: str) -> Verdict | None:
        if not self._owners.count_ahead(owner, job, 1):
            return None
        reason = f"other jobs {whose(owner)} wait ahead of this one"
        return self._refuse("queue.in_line", reason, owner, rules, job, at)

    def _refuse(
        self, code: str, reason: str, owner: str | None, rules: OwnerRules, job: InLine, at: str
    ) -> Verdict:
        place = self._owners.count_ahead(owner, job, _FAR) + 1
        return Verdict(False, code, OVER_LIMIT + reason, self._estimate_s(owner, rules, place, at))

    def _estimate_s(self, owner: str | None, rules: OwnerRules, place: int, at: str) -> float | None:
        """How long the job at a place in its owner's line waits, as far as is known."""
        token_s = gap_s = None
        if rules.submissions_per_minute is not None:
            bucket = refill(self._owners.find_bucket(owner), rules.submissions_per_minute, at)
            token_s = bucket.wait_s(rules.submissions_per_minute, place)
        if rules.active_jobs is not None:
            gap_s = mean_gap_s([ended_at for whom, ended_at in self._list_ends(at) if whom == owner])
        return latest(token_s, None if gap_s is None else gap_s * place)

    def _list_ends(self, at: str) -> list[tuple[str | None, str]]:
        return self._owners.list_ends(format_instant(parse_instant(at) - _PACE))

    def _list_line(self, owner: str | None) -> list[InLine]:
        room = self._room_of(owner, self._limits.rules_of(owner), self._database.now())
        return self._owners.list_backlog(owner, room) if room else []

    def _room_of(self, owner: str | None, rules: OwnerRules, at: str) -> int:
        """How many jobs of an owner could go now, as far as its own limits are concerned."""
        room = _AT_ONCE
        if rules.active_jobs is not None:
            room = min(room, rules.active_jobs - self._owners.count_active(owner, rules.active_jobs))
        if rules.submissions_per_minute is not None:
            bucket = self._owners.find_bucket(owner)
            tokens = refill(bucket, rules.submissions_per_minute, at).whole_tokens
            if bucket is not None and bucket.at > at:  # the clock was put back: deciding on one mends it
                tokens = max(1, tokens)
            room = min(room, tokens)
        return max(0, room)

    def _low_room(self) -> int:
        """How many jobs of low priority may still be queued."""
        depth = self._limits.queue_depth
        if depth is None:
            return sys.maxsize
        return 0 if self._is_closed() else max(0, depth - self._owners.count_queued(depth))

    def _watch_depth(self) -> None:
        if self._is_closed() != self._owners.is_closed():
            with self._database.transaction() as tx:
                self._note_depth(tx)

    def _note_depth(self, tx: Transaction) -> bool:
        """Whether low priorities wait now; a change is written down."""
        closed = self._is_closed()
        if closed != self._owners.is_closed():
            self._owners.set_closed(tx, closed)
            data = {"queueDepth": self._limits.queue_depth}
            tx.event(LIMITS_CLOSED if closed else LIMITS_OPENED, "limits", "queue_depth", data)
        return closed

    def _is_closed(self) -> bool:
        depth = self._limits.queue_depth
        queued = 0 if depth is None else self._owners.count_queued(depth)
        return is_closed(self._owners.is_closed(), queued, depth)
