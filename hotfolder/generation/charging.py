"""What pictures cost their owners: asked at the entrance, kept back in the queue, settled at their end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from hotfolder.database import Transaction
from hotfolder.domain.credits import Prices
from hotfolder.domain.plan import Run
from hotfolder.errors import QueueError
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import Job, JobStore

_MADE = frozenset({"completed", "awaiting_review"})


class Purse(Protocol):
    """The ledger, as far as pictures need it; amounts are thousandths of a credit."""

    def check(self, owner: str | None, amount: int) -> None:
        """Raise QueueError `queue.no_credits` when an owner cannot pay so much now."""

    def is_reserved(self, generation_id: str) -> bool:
        """Whether the price of a picture is kept back already."""

    def reserved(self, generation_id: str) -> int | None:
        """What is kept back for a picture; None when nothing is."""

    def reserve(
        self, tx: Transaction, owner: str | None, job_id: str, generation_id: str, amount: int
    ) -> None:
        """Keep back what a picture costs, once; raises QueueError `queue.no_credits`."""

    def settle(self, tx: Transaction, generation_id: str, actual: int | None = None) -> None:
        """What was kept back is spent."""

    def refund(self, tx: Transaction, generation_id: str, note: str | None = None) -> None:
        """What was kept back is given back."""


class Charging:
    """Every picture is paid for once, by the owner of its job."""

    def __init__(
        self,
        jobs: JobStore,
        generations: GenerationStore,
        purse: Purse,
        prices: Prices,
        free_priority: Callable[[str | None], int | None],
        most_pixels: Callable[[str | None], int],
        *,
        waits: bool,
    ) -> None:
        """`free_priority` is the highest that an owner has for nothing; `waits`: jobs wait for credit.

        `most_pixels` is how large a picture of an endpoint can be: so much is kept back while nobody knows.
        """
        self._jobs = jobs
        self._generations = generations
        self._purse = purse
        self._prices = prices
        self._free_priority = free_priority
        self._most_pixels = most_pixels
        self._waits = waits

    def find_lack(self, job: Job, runs: Sequence[Run | Generation]) -> str | None:
        """Why the pictures have to wait for credit, in words; raises QueueError when they fail instead."""
        new = [
            each for each in runs if isinstance(each, Run) or not self._purse.is_reserved(each.generation_id)
        ]
        try:
            self._purse.check(job.owner, sum(self._cost(job, each) for each in new))
        except QueueError as error:
            if not self._waits:
                raise
            return error.message
        return None

    def price(self, job: Job, runs: Sequence[Run]) -> int:
        """What these pictures of a job would cost together."""
        return sum(self._cost(job, each) for each in runs)

    def reserve(self, tx: Transaction, job: Job, generation: Generation) -> None:
        """Keep back what a picture costs."""
        price = self._cost(job, generation)
        self._purse.reserve(tx, job.owner, job.job_id, generation.generation_id, price)

    def reserve_more(self, tx: Transaction, job: Job, generation: Generation) -> None:
        """Keep back what it costs more by now; what it costs less stays kept back."""
        reserved = self._purse.reserved(generation.generation_id)
        if reserved is not None and self._cost(job, generation) > reserved:
            self._purse.refund(tx, generation.generation_id, "another priority")
            self.reserve(tx, job, generation)

    def ended(self, tx: Transaction, generation_id: str, status: str) -> None:
        """A picture that is made is paid for as it was kept back; for any other nothing is paid.

        Where its size was not known before, it is paid for by its real one.
        """
        if status not in _MADE:
            self._purse.refund(tx, generation_id, status)
            return
        generation = self._generations.get(generation_id)
        was_unknown = self._most_pixels(generation.endpoint_key) > 0
        price = self._cost(self._jobs.get(generation.job_id), generation) if was_unknown else None
        self._purse.settle(tx, generation_id, price)

    def _cost(self, job: Job, run: Run | Generation) -> int:
        free = self._free_priority(job.owner)
        above = 0 if free is None else job.priority - free
        steps = int(run.params.get("steps") or 0)
        width, height = run.width, run.height
        if not width:
            width, height = self._most_pixels(job.endpoint_key), 1
        return self._prices.cost(job.endpoint_key or "", width, height, steps, above)
