"""The pictures of a job as rows and work items: enqueued on acceptance and again on a retry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from hotfolder.clock import NewId
from hotfolder.database import Transaction
from hotfolder.domain.generation import RETRYABLE
from hotfolder.domain.plan import JobPlan, Run
from hotfolder.domain.resources import resource_tags
from hotfolder.domain.work import Affinity, NewWork
from hotfolder.files.paths import LibraryPaths
from hotfolder.generation.closing import JobCloser
from hotfolder.generation.entrance import Entrance, Place
from hotfolder.generation.execute import EXECUTE
from hotfolder.generation.references import AcceptedReference
from hotfolder.library.generations import Generation, GenerationInput, GenerationStore
from hotfolder.library.jobs import Job, JobStore
from hotfolder.queue.store import WorkStore


@dataclass(frozen=True, slots=True)
class _Kept:
    """What of earlier runs counts: whole pictures by position, and seeds that were chosen."""

    positions: frozenset[int]
    seeds: Mapping[int, int]


class RunBook:
    """Writes a job's generations, each with its references and its work item, in the caller's transaction."""

    def __init__(
        self,
        paths: LibraryPaths,
        jobs: JobStore,
        generations: GenerationStore,
        work: WorkStore,
        closer: JobCloser,
        entrance: Entrance,
        *,
        max_attempts: int,
        make_id: NewId,
        make_seed: Callable[[], int],
    ) -> None:
        self._paths = paths
        self._jobs = jobs
        self._generations = generations
        self._work = work
        self._closer = closer
        self._entrance = entrance
        self._max_attempts = max_attempts
        self._make_id = make_id
        self._make_seed = make_seed

    def begin(
        self,
        tx: Transaction,
        job: Job,
        plan: JobPlan,
        references: Sequence[AcceptedReference],
        actor: str | None = None,
    ) -> int:
        """The pictures of a job that is new, has waited, or runs again; gives how many are kept.

        Those of an earlier run are kept of which nothing has changed.
        """
        kept = self._keep_whole(tx, job, plan, references)
        wanted = _with_seeds(plan, kept.seeds)
        missing = [run for run in wanted.runs if run.position not in kept.positions]
        place = self._entrance.decide(tx, job, missing) if missing else Place()
        if job.status in RETRYABLE:
            self._work.bury(tx, job.job_id)
            self._jobs.begin_again(tx, job, actor, place.status, place.reason)
        else:
            self._jobs.set_status(tx, job.job_id, place.status, actor=actor, reason=place.reason)
        self._entrance.note_place(tx, job.job_id, place)
        described = self._jobs.get(job.job_id)
        for run in missing:
            self._enqueue_one(tx, described, wanted, run, references)
        if not missing:
            self._jobs.set_status(tx, job.job_id, "running")
            self._closer.close_if_ended(tx, job.job_id)
        return len(kept.positions)

    def list_accepted(self, job_id: str) -> list[AcceptedReference] | None:
        """The references as they were accepted in an earlier run; None when there was none."""
        generations = self._generations.list_of_job(job_id)
        if not generations:
            return None
        return [
            AcceptedReference(each.sha256, each.file_path, each.original_name or "", each.role, each.media_id)
            for each in self._generations.list_inputs(generations[0].generation_id)
        ]

    def _keep_whole(
        self, tx: Transaction, job: Job, plan: JobPlan, references: Sequence[AcceptedReference]
    ) -> _Kept:
        """Which pictures of earlier runs stay; the others are detached, with their seeds remembered."""
        kept = set()
        seeds: dict[int, int] = {}
        for generation in self._generations.list_of_job(job.job_id):
            run = next((each for each in plan.runs if each.position == generation.position), None)
            if run is not None and self._is_kept(generation, run, plan, references):
                kept.add(run.position)
            else:
                if run is not None and generation.params == run.params:
                    seeds[run.position] = generation.seed  # the same picture is wanted, now whole
                self._generations.detach(tx, generation.generation_id)
                self._work.bury(tx, generation.generation_id)
        return _Kept(frozenset(kept), seeds)

    def _is_kept(
        self, generation: Generation, run: Run, plan: JobPlan, references: Sequence[AcceptedReference]
    ) -> bool:
        inputs = [each.sha256 for each in self._generations.list_inputs(generation.generation_id)]
        return (
            generation.status in ("completed", "awaiting_review")
            and generation.endpoint_key == plan.endpoint.endpoint_key
            and generation.params == run.params
            and run.width in (0, generation.width)
            and run.height in (0, generation.height)
            and run.seed in (None, generation.seed)
            and inputs == [each.sha256 for each in references]
        )

    def _enqueue_one(
        self, tx: Transaction, job: Job, plan: JobPlan, run: Run, references: Sequence[AcceptedReference]
    ) -> None:
        generation_id = self._make_id()
        generation = Generation(
            generation_id=generation_id,
            job_id=job.job_id,
            position=run.position,
            provider=plan.endpoint.provider_id,
            endpoint_key=plan.endpoint.endpoint_key,
            mode=plan.mode,
            params=run.params,
            width=run.width,
            height=run.height,
            seed=self._make_seed() if run.seed is None else run.seed,
            status="pending",
            created_at=tx.at,
            base_model_id=plan.endpoint.canonical_model_id,
        )
        inputs = [self._to_input(generation_id, number, each) for number, each in enumerate(references)]
        self._generations.insert(tx, generation, inputs)
        work = NewWork(
            EXECUTE,
            "gpu",
            {"generationId": generation_id},
            "generation",
            generation_id,
            job.priority,
            plan.job.max_attempts or self._max_attempts,
            _affinity(plan, run, references),
            run_at=job.not_before,
            since=max(tx.at, job.not_before or ""),
            is_waiting=job.status != "queued",
            tags=resource_tags(plan.endpoint.tags, {}),
        )
        self._work.enqueue(tx, work)
        if job.status == "queued":
            self._entrance.charge(tx, job, generation)

    def _to_input(self, generation_id: str, position: int, each: AcceptedReference) -> GenerationInput:
        return GenerationInput(
            input_id=self._make_id(),
            generation_id=generation_id,
            position=position,
            sha256=each.sha256,
            file_path=each.file_path,
            thumb_path=self._paths.relative(self._paths.ref_thumbnail(generation_id, position)),
            original_name=each.original_name,
            role=each.role,
            media_id=each.media_id,
        )


def _affinity(plan: JobPlan, run: Run, references: Sequence[AcceptedReference]) -> Affinity:
    """The model, and what an engine keeps of a prompt and of references."""
    kept = "\n".join([str(run.params.get("prompt", "")), *(each.sha256 for each in references)])
    return Affinity(plan.endpoint.provider_model_id, hashlib.sha256(kept.encode()).hexdigest()[:16])


def _with_seeds(plan: JobPlan, seeds: Mapping[int, int]) -> JobPlan:
    """The plan with the seeds that an earlier run chose, where the job itself names none."""
    runs = tuple(replace(run, seed=seeds.get(run.position)) if run.seed is None else run for run in plan.runs)
    return replace(plan, runs=runs)
