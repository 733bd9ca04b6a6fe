"""Queue handler that makes one picture: prepare, call the provider; ends with a verified file in work/."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hotfolder.clock import NewId
from hotfolder.database import Database, Transaction
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.generation import GenerationOutcome, GenerationRequest, Progress
from hotfolder.domain.work import EndStatus, NewWork, WorkItem
from hotfolder.errors import DiskFull, EngineCancelled, EngineError, HotfolderError, LibraryError
from hotfolder.events import GENERATION_MADE, GENERATION_PROGRESS
from hotfolder.files.images import inspect_output
from hotfolder.files.paths import LibraryPaths
from hotfolder.generation.closing import JobCloser, error_object
from hotfolder.generation.prepare import prepare_full_size, prepare_references
from hotfolder.library.generations import Generation, GenerationStore
from hotfolder.library.jobs import JobStore
from hotfolder.providers.base import Provider
from hotfolder.providers.seat import Seat
from hotfolder.queue.store import WorkStore
from hotfolder.queue.worker import Done

log = logging.getLogger(__name__)

EXECUTE = "generation.local.image"
FINALIZE = "generation.finalize"
FINALIZE_ATTEMPTS = 20
OUTPUT_NAME = "output.png"
PROGRESS_INTERVAL_S = 0.5
ROOM_BYTES = 64_000_000
"""With less free space no picture is begun: rows would still fit, pictures would not."""


class ExecuteHandler:
    """`generation.local.image`: repeatable, since seed and size were decided at acceptance."""

    def __init__(
        self,
        database: Database,
        paths: LibraryPaths,
        jobs: JobStore,
        generations: GenerationStore,
        work: WorkStore,
        closer: JobCloser,
        endpoints: Mapping[str, Endpoint],
        provider: Provider,
        make_id: NewId,
        seat: Seat | None = None,
    ) -> None:
        self._seat = seat or Seat()
        self._database = database
        self._paths = paths
        self._jobs = jobs
        self._generations = generations
        self._work = work
        self._closer = closer
        self._endpoints = endpoints
        self._provider = provider
        self._make_id = make_id
        self._been_in_line: set[str | None] = {None}
        """Leases of what is in hand; a void one is in nobody's way."""

    def execute(self, item: WorkItem, interrupt: threading.Event) -> Done:
        """Make the picture; the work item completes together with its successor, `generation.finalize`."""
        gives_way, is_next = (lambda: self._work.gives_way(item)), (lambda: self._is_next(item))
        with self._seat.in_line(interrupt, gives_way, is_next):
            return self._make(item, interrupt)

    def _is_next(self, item: WorkItem) -> bool:
        """Whether all that was claimed before it has been in line; asked by one thread at a time.

        Two threads that claim one after the other may come here the other way round.
        """
        items = self._work.list_in_hand(item.lane)
        in_hand = [each.lease_token for each in items if each.task_type == item.task_type]
        if item.lease_token not in in_hand:
            return True  # the lease is lost: the end will tell
        is_next = self._been_in_line.issuperset(in_hand[: in_hand.index(item.lease_token)])
        self._been_in_line &= {None, *in_hand}
        if is_next:
            self._been_in_line.add(item.lease_token)
        return is_next

    def _make(self, item: WorkItem, interrupt: threading.Event) -> Done:
        generation = self._start(item)
        folder = self._paths.work(generation.generation_id)
        stages: dict[str, str] = {}
        try:
            outcome = self._run(generation, folder, interrupt, stages)
            payload, outcome = self._verified(generation, outcome)
        except HotfolderError as error:
            shutil.rmtree(folder, ignore_errors=True)
            if not isinstance(error, EngineCancelled):
                self._require_room()  # an engine on a full disk fails in many ways
            raise
        successor = NewWork(
            FINALIZE,
            "cpu",
            payload,
            "generation",
            generation.generation_id,
            item.priority,
            FINALIZE_ATTEMPTS,
            since=item.since,
        )

        def record(tx: Transaction) -> None:
            self._generations.record_outcome(tx, generation.generation_id, outcome)
            made = {"jobId": generation.job_id, "attempt": item.attempt_count, "stages": stages}
            tx.event(GENERATION_MADE, "generation", generation.generation_id, made)
            self._work.enqueue(tx, successor)

        return Done(record)

    def returned(self, tx: Transaction, item: WorkItem) -> None:
        """The generation waits again; a job of which nothing else has begun is queued again."""
        generation = self._generations.get(item.payload["generationId"])
        if generation.status == "processing":
            self._generations.set_status(tx, generation.generation_id, "pending")
        others = self._generations.list_of_job(generation.job_id)
        job = self._jobs.get(generation.job_id)
        if job.status == "running" and all(each.status == "pending" for each in others):
            self._jobs.set_status(tx, job.job_id, "queued")

    def ended(self, tx: Transaction, item: WorkItem, status: EndStatus, error: HotfolderError) -> None:
        """The generation failed or was cancelled."""
        generation = self._generations.get(item.payload["generationId"])
        self._generations.set_status(
            tx,
            generation.generation_id,
            "cancelled" if status == "cancelled" else "failed",
            attempts=item.attempt_count,
            error=error_object(error) | _attempts(item),
        )
        self._closer.close_if_ended(tx, generation.job_id)

    def _start(self, item: WorkItem) -> Generation:
        generation_id = item.payload["generationId"]
        with self._database.transaction() as tx:
            self._generations.set_status(tx, generation_id, "processing", attempts=item.attempt_count)
            generation = self._generations.get(generation_id)
            if self._jobs.get(generation.job_id).status == "queued":
                self._jobs.set_status(tx, generation.job_id, "running")
        log.info(
            "generation %s of job %s starts (seed %d)", generation_id, generation.job_id, generation.seed
        )
        return generation

    def _require_room(self) -> None:
        free = shutil.disk_usage(self._paths.root).free
        if free < ROOM_BYTES:
            raise DiskFull(f"There are only {free / 1e6:.0f} MB left on the disk of the library.")

    def _run(
        self, generation: Generation, folder: Path, interrupt: threading.Event, stages: dict[str, str]
    ) -> GenerationOutcome:
        self._require_room()
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        inputs = self._generations.list_inputs(generation.generation_id)
        endpoint = self._endpoints.get(generation.endpoint_key)
        if endpoint is None:
            message = f"The endpoint `{generation.endpoint_key}` is no longer there."
            raise HotfolderError(
                message, code="job.unknown_endpoint", hint="Submit the job with another endpoint."
            )
        request = GenerationRequest(
            generation_id=generation.generation_id,
            endpoint_key=generation.endpoint_key,
            provider_model_id=endpoint.provider_model_id,
            params=generation.params,
            width=generation.width,
            height=generation.height,
            seed=generation.seed,
            references=prepare_full_size(self._paths, inputs, folder)
            if endpoint.limits.full_size_refs
            else prepare_references(self._paths, inputs),
            output=str(folder / OUTPUT_NAME),
            job_id=generation.job_id,
        )
        return self._provider.run(request, self._progress_writer(generation, stages), interrupt)

    def _verified(
        self, generation: Generation, outcome: GenerationOutcome
    ) -> tuple[dict[str, Any], GenerationOutcome]:
        """What finalising needs; raises EngineError when the output is not a whole picture."""
        output = self._paths.work(generation.generation_id) / OUTPUT_NAME
        try:
            info, pixel_sha256 = inspect_output(output)
        except (LibraryError, OSError) as error:
            reason = "there is none" if isinstance(error, FileNotFoundError) else error
            raise EngineError(
                f"The engine's output cannot be used: {reason}",
                code="engine.bad_output",
                hint="Run the job again; if it stays, check the engine's log and the disk.",
                retryable=True,
            ) from error
        asked = (generation.width, generation.height)
        if all(asked) and (info.width, info.height) != asked:
            warning = (
                f"The engine made {info.width} x {info.height} where {asked[0]} x {asked[1]} was asked for."
            )
            outcome = replace(outcome, warnings=(*outcome.warnings, warning))
        told = self._jobs.get(generation.job_id).warnings
        outcome = replace(outcome, warnings=(*told, *outcome.warnings))
        payload = {
            "generationId": generation.generation_id,
            "mediaId": self._make_id(),
            "arrivedAt": self._database.now(),
            "output": self._paths.relative(output),
            "extension": info.extension,
            "mimeType": info.mime_type,
            "width": info.width,
            "height": info.height,
            "pixelSha256": pixel_sha256,
            "outcome": asdict(outcome),
        }
        return payload, outcome

    def _progress_writer(self, generation: Generation, stages: dict[str, str]) -> Callable[[Progress], None]:
        """Writes progress as events: the beginning of each stage at once, all else at most twice a second.

        `stages` gets the instant at which each stage began; an engine may come back to one, and often.
        """
        written_at = 0.0

        def write(progress: Progress) -> None:
            nonlocal written_at
            now = time.monotonic()
            if progress.stage in stages and now - written_at < PROGRESS_INTERVAL_S:
                return
            written_at = now
            stages.setdefault(progress.stage, self._database.now())
            data = {
                "jobId": generation.job_id,
                "position": generation.position,
                "stage": progress.stage,
                "currentStep": progress.step,
                "totalSteps": progress.total_steps,
                "stepTimeS": progress.step_time_s,
                "stages": stages,
            }
            try:
                with self._database.transaction(durable=False) as tx:
                    tx.event(GENERATION_PROGRESS, "generation", generation.generation_id, data)
            except Exception:  # progress is for onlookers: it must not end the work
                log.exception("the progress of %s could not be recorded", generation.generation_id)

        return write


def _attempts(item: WorkItem) -> dict[str, Any]:
    """How each attempt failed, where there were several."""
    return {"attempts": [asdict(each) for each in item.failures]} if len(item.failures) > 1 else {}
