"""How much an owner may ask for: rules as values, token buckets, highest priorities, estimated waits."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

from hotfolder.domain.instants import elapsed_ms

_MINUTE_MS: Final = 60_000
_INEXACT: Final = 1e-9
"""Parts of a token that were added up hardly ever make an exact one."""

OVER_LIMIT: Final = "over limit: "
"""So begins what is said of a job that waits for its owner's limits: another wait may be a longer one."""


@dataclass(frozen=True, slots=True)
class OwnerRules:
    """The limits of one owner, under the keys of the settings; None does not limit."""

    folder: str | None = None
    active_jobs: int | None = None
    submissions_per_minute: float | None = None
    backlog: int | None = None
    priority_default: int | None = None
    priority_max: int | None = None


@dataclass(frozen=True, slots=True)
class LimitRules:
    """The limits of all owners, and of the queue as a whole."""

    queue_depth: int | None = None
    low_priority_below: int = 0
    owners: Mapping[str, OwnerRules] = field(default_factory=dict)

    def rules_of(self, owner: str | None) -> OwnerRules:
        """An owner's own rules, or those of `default`, which are also for jobs without an owner."""
        own = None if owner is None else self.owners.get(owner)
        return own or self.owners.get("default") or OwnerRules()

    def find_owner(self, folder: PurePosixPath) -> str | None:
        """Whose folder this is, or lies in, below inbox/; of several the deepest."""
        parts = _parts_of(str(folder))
        found = [
            (len(theirs), owner)
            for owner, rules in self.owners.items()
            if rules.folder is not None
            and (theirs := _parts_of(rules.folder.strip("/"))) == parts[: len(theirs)]
        ]
        return max(found)[1] if found else None


def _parts_of(folder: str) -> tuple[str, ...]:
    """Composed, because some systems hand over the same name decomposed."""
    return PurePosixPath(unicodedata.normalize("NFC", folder)).parts


def whose(owner: str | None) -> str:
    """How jobs of an owner are called in a sentence, after `jobs`."""
    return "without an owner" if owner is None else f"of {owner}"


def clamp_priority(rules: OwnerRules, owner: str | None, given: int | None) -> tuple[int, str | None]:
    """The priority that a job gets, and a warning when that is less than it asks for."""
    highest = rules.priority_max
    wanted = (rules.priority_default or 0) if given is None else given
    if highest is None or wanted <= highest:
        return wanted, None
    if given is None:
        return highest, None
    return highest, f"The priority {given} is lowered to {highest}, the highest for jobs {whose(owner)}."


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many tokens were left at an instant; a job that is let in takes one."""

    tokens: float
    at: str

    @property
    def whole_tokens(self) -> int:
        """How many jobs may go."""
        return int(self.tokens + _INEXACT)

    def take(self) -> Bucket:
        """The bucket with one token less."""
        return Bucket(max(0.0, self.tokens - 1), self.at)

    def wait_s(self, per_minute: float, place: int) -> float:
        """How long until there is a token for the job at this place in line, 1 for the first."""
        return max(0.0, place - self.tokens) * 60 / per_minute


def refill(bucket: Bucket | None, per_minute: float, at: str) -> Bucket:
    """The bucket as it is now: full when it is new, and never more; a clock that was put back gives nothing.

    It holds the jobs of a minute, but at least one.
    """
    capacity = max(1.0, per_minute)
    if bucket is None:
        return Bucket(capacity, at)
    gone_ms = max(0, elapsed_ms(bucket.at, at) or 0)
    return Bucket(min(capacity, bucket.tokens + gone_ms * per_minute / _MINUTE_MS), at)


def is_closed(was_closed: bool, queued: int, depth: int | None) -> bool:
    """Whether low priorities wait: from `depth` jobs in the queue on, until at most half are left."""
    if depth is None:
        return False
    return queued > depth // 2 if was_closed else queued >= depth


def mean_gap_s(instants: Sequence[str]) -> float | None:
    """The mean time from one instant to the next; None for fewer than two."""
    if len(instants) < 2:
        return None
    gone_ms = elapsed_ms(min(instants), max(instants)) or 0
    return gone_ms / 1000 / (len(instants) - 1)


def latest(*waits_s: float | None) -> float | None:
    """What has to wait for several things waits for the last of them, as far as is known; else None."""
    return max((each for each in waits_s if each is not None), default=None)
