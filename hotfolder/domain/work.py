"""Work items: what the queue knows of a piece of work, and which status may follow which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

WorkStatus = Literal["pending", "scheduled", "processing", "completed", "failed", "cancelled", "dead"]
EndStatus = Literal["failed", "cancelled", "dead"]
Lane = Literal["gpu", "cpu", "io"]
LANES: Final = get_args(Lane)

WORK_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"processing", "scheduled", "cancelled"}),
    "scheduled": frozenset({"pending", "cancelled"}),
    "processing": frozenset({"pending", "scheduled", "completed", "failed", "cancelled", "dead"}),
    "completed": frozenset(),
    "failed": frozenset({"pending"}),
    "cancelled": frozenset({"pending"}),
    "dead": frozenset({"pending", "failed"}),
}

RETRY_MAX_S: Final = 600.0
CRASHES_MAX = 10
"""So often may the program die with an item in hand before the item is dead."""


@dataclass(frozen=True, slots=True)
class Affinity:
    """What has to be there for a piece of work, and costs time to get: a model, and what it keeps in mind."""

    main: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class NewWork:
    """A piece of work to enqueue; `correlation_id` names what it belongs to.

    `since` is when what it follows from got in line: it keeps that place. It is claimed at `run_at` or later;
    one that `is_waiting`, only once somebody resumes it. Of a `dedupe_key` there is one open item at most.
    `tags` say what it needs of a machine.
    """

    task_type: str
    lane: Lane
    payload: Mapping[str, Any]
    owner_module: str
    correlation_id: str
    priority: int = 0
    max_attempts: int = 3
    affinity: Affinity | None = None
    since: str | None = None
    run_at: str | None = None
    is_waiting: bool = False
    dedupe_key: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """How one attempt at a piece of work failed."""

    attempt: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A claimed or listed piece of work; `lease_token` proves who holds it.

    `has_overtaken` says that an older one of the same priority waits because of its affinity; `failures` are
    those of its spent attempts.
    """

    work_id: str
    task_type: str
    lane: str
    status: WorkStatus
    priority: int
    payload: Mapping[str, Any]
    correlation_id: str
    attempt_count: int
    max_attempts: int
    crash_count: int
    cancel_requested: bool
    lease_token: str | None = None
    created_at: str = ""
    since: str = ""
    started_at: str | None = field(default=None)
    affinity: Affinity | None = None
    has_overtaken: bool = False
    failures: tuple[FailedAttempt, ...] = ()

    def failed_with(self, code: str, message: str) -> WorkItem:
        """The item after its attempt in hand failed."""
        failed = FailedAttempt(self.attempt_count, code, message)
        return replace(self, failures=(*self.failures, failed))


def end_of_failure(item: WorkItem, *, retryable: bool) -> Literal["pending", "failed", "dead"]:
    """Where a failed attempt leads: again, failed for good, or dead after the last attempt."""
    if not retryable:
        return "failed"
    return "pending" if item.attempt_count < item.max_attempts else "dead"


def retry_delay_s(attempt_count: int, jitter: float) -> float:
    """How long a failed item waits before its next attempt: exponential back-off with full jitter.

    `jitter` is a random number in 0..1; the longest pause is 2, 4, 8, ... at most 600 seconds. Source: AWS
    Architecture Blog, "Exponential Backoff And Jitter" (2015), the variant called full jitter.
    """
    return jitter * min(2.0 ** min(attempt_count, 20), RETRY_MAX_S)
