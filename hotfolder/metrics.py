"""What is counted for metrics: the names of the counters, and histograms that are made of counters."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Final, Protocol

FILES_CLAIMED: Final = "files_claimed"
JOBS_RECEIVED: Final = "jobs_received"
JOBS_REFUSED: Final = "jobs_refused"
JOBS_ENDED: Final = "jobs_ended"
"""By `status`."""
GENERATIONS_ENDED: Final = "generations_ended"
"""By `endpoint` and `status`."""
GENERATION_DURATION: Final = "generation_duration_seconds"
QUEUE_WAIT: Final = "generation_queue_wait_seconds"
"""Histograms by `endpoint`, of pictures that were made."""
ENGINE_BUSY: Final = "engine_busy_seconds"
"""By `engine`: what the pictures that were made took it."""
WORK_ENDED: Final = "work_ended"
"""By `lane` and `status`: only work that ended without success."""
WORK_RETRIES: Final = "work_retries"
LEASE_LOSSES: Final = "lease_losses"
"""By `lane`."""
DELIVERIES: Final = "deliveries"
"""By `kind` and `outcome`."""
REPORTS_SHARED: Final = "reports_shared"
IMPORTS: Final = "imports"
"""By `outcome`."""
CREDITS_SPENT: Final = "credits_spent"
"""By `owner`."""

BUCKETS_S: Final[Mapping[str, tuple[float, ...]]] = {
    GENERATION_DURATION: (0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600),
    QUEUE_WAIT: (0.1, 1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600),
}
"""The upper bounds of each histogram; above the last there is one without a bound."""
BUCKET: Final = "_bucket"
SUM: Final = "_sum"
UNBOUND: Final = "+Inf"


class Counts(Protocol):
    """Where counters are added to: an open transaction."""

    def count(self, name: str, labels: Mapping[str, str] | None = None, by: float = 1) -> None:
        """Add to a counter."""


def observe(counts: Counts, name: str, labels: Mapping[str, str], seconds: float) -> None:
    """Count a duration in its bucket alone, which is one row however many buckets there are."""
    seconds = max(0.0, seconds)  # the clock of the machine may have been set back meanwhile
    bounds = BUCKETS_S[name]
    place = bisect_left(bounds, seconds)
    bound = f"{bounds[place]:g}" if place < len(bounds) else UNBOUND
    counts.count(name + BUCKET, {**labels, "le": bound})
    counts.count(name + SUM, labels, seconds)
