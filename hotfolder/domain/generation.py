"""States of jobs and generations, and the values that travel between the steps of one generation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

JobStatus = Literal[
    "received",
    "held",
    "backlogged",
    "waiting_refs",
    "queued",
    "running",
    "cancelling",
    "completed",
    "failed",
    "cancelled",
    "partially_completed",
]
GenerationStatus = Literal["pending", "processing", "awaiting_review", "completed", "failed", "cancelled"]
Mode = Literal["text-to-image", "image-to-image", "text-to-video", "image-to-video"]

_AGAIN: frozenset[str] = frozenset({"queued", "waiting_refs", "held", "backlogged"})
JOB_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "received": frozenset({"held", "backlogged", "waiting_refs", "queued", "failed", "cancelled"}),
    "held": frozenset({"backlogged", "waiting_refs", "queued", "failed", "cancelled", "partially_completed"}),
    "backlogged": frozenset({"held", "queued", "failed", "cancelled", "partially_completed"}),
    "waiting_refs": frozenset({"held", "backlogged", "queued", "failed", "cancelled"}),
    "queued": frozenset({"held", "running", "cancelling", "cancelled", "failed", "partially_completed"}),
    "running": frozenset({"queued", "cancelling", "completed", "failed", "cancelled", "partially_completed"}),
    "cancelling": frozenset({"completed", "failed", "cancelled", "partially_completed"}),
    "completed": frozenset(),
    "failed": _AGAIN,
    "cancelled": _AGAIN,
    "partially_completed": _AGAIN,
}
"""Which status of a job may follow which; the ended ones begin anew by a retry only."""

GENERATION_TRANSITIONS: Mapping[str, frozenset[str]] = {
    "pending": frozenset({"processing", "cancelled", "failed"}),
    "processing": frozenset({"pending", "awaiting_review", "completed", "failed", "cancelled"}),
    "awaiting_review": frozenset({"completed"}),
    "completed": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}
"""`processing` goes back to `pending` when the work is handed back; a retry makes a new generation."""

ENDED: frozenset[str] = frozenset({"completed", "failed", "cancelled", "partially_completed"})
ACTIVE: frozenset[str] = frozenset(JOB_TRANSITIONS) - ENDED
AT_WORK: frozenset[str] = frozenset({"running", "cancelling"})
RETRYABLE: frozenset[str] = ENDED - {"completed"}


def ended_job_status(generation_statuses: Iterable[str], *, cancel_requested: bool) -> JobStatus | None:
    """What a job ends as once all of its generations have ended; None while one has not."""
    statuses = set(generation_statuses)
    if statuses & {"pending", "processing"}:
        return None
    succeeded = statuses & {"completed", "awaiting_review"}
    if succeeded and statuses <= {"completed", "awaiting_review"}:
        return "completed"
    if succeeded:
        return "partially_completed"
    return "cancelled" if cancel_requested and "cancelled" in statuses else "failed"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one generation is; stages are those of the status file."""

    stage: str
    step: int | None = None
    total_steps: int | None = None
    step_time_s: float | None = None


@dataclass(frozen=True, slots=True)
class PreparedReference:
    """A reference picture as the engine gets it; size and transparency are told of one in full size only."""

    position: int
    sha256: str
    path: str
    role: str | None = None
    width: int = 0
    height: int = 0
    has_alpha: bool = False


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One picture to make: canonical params with the size and seed decided.

    A width and height of 0 follow from the reference.
    """

    generation_id: str
    endpoint_key: str
    provider_model_id: str
    params: Mapping[str, Any]
    width: int
    height: int
    seed: int
    references: tuple[PreparedReference, ...]
    output: str
    job_id: str | None = None
    """Whose picture it is: several of one job that fail say less of the engine than those of several."""


@dataclass(frozen=True, slots=True)
class GenerationOutcome:
    """What a provider made: a file in the work folder, and by what means."""

    output: str
    total_time_ms: int | None
    prompt_cache_hit: bool | None
    ref_latent_cache_hit: bool | None
    engine_kind: str
    model_info: str | None
    model_files: Mapping[str, str]
    ai_generated: bool
    warnings: tuple[str, ...] = ()
    model_paths: Mapping[str, str] = field(default_factory=dict)
    """Where the model's files lie, by role, for their hashes."""
    model_stamps: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Size in bytes and mtime in ns of these files when the engine read them."""
    peak_memory_mb: int | None = None
