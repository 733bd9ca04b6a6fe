"""Rows of `generations` and `generation_inputs`: one a picture asked for, with its references."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hotfolder.database import Database, Row, Transaction, to_json
from hotfolder.domain.generation import (
    GENERATION_TRANSITIONS,
    GenerationOutcome,
    GenerationStatus,
)
from hotfolder.domain.instants import elapsed_ms
from hotfolder.domain.transitions import check_transition
from hotfolder.errors import NotFound
from hotfolder.events import GENERATION_CHANGED
from hotfolder.metrics import ENGINE_BUSY, GENERATION_DURATION, GENERATIONS_ENDED, QUEUE_WAIT, observe


@dataclass(frozen=True, slots=True)
class Generation:
    """A generation as stored; `params` are canonical, without size and seed.

    A width and height of 0 are those of a picture that is not made yet, and follows from its reference.
    """

    generation_id: str
    job_id: str
    position: int | None
    provider: str
    endpoint_key: str
    mode: str
    params: Mapping[str, Any]
    width: int
    height: int
    seed: int
    status: GenerationStatus
    created_at: str
    base_model_id: str | None = None
    model_file: str | None = None
    engine_kind: str | None = None
    attempts: int = 0
    warnings: Sequence[str] = ()
    error: Mapping[str, Any] | None = None
    total_time_ms: int | None = None
    prompt_cache_hit: bool | None = None
    ref_latent_cache_hit: bool | None = None
    worker_id: str | None = None
    started_at: str | None = None
    completed_at: str | None = None

    @property
    def sent_params(self) -> dict[str, Any]:
        """The params as run, with the size and seed that were decided."""
        size = {"width": self.width, "height": self.height} if self.width else {}
        return {**self.params, **size, "seed": self.seed}


@dataclass(frozen=True, slots=True)
class GenerationInput:
    """A reference of a generation, as accepted into refs/."""

    input_id: str
    generation_id: str
    position: int
    sha256: str
    file_path: str
    thumb_path: str
    original_name: str | None = None
    role: str | None = None
    media_id: str | None = field(default=None)


class GenerationStore:
    """Reads and writes generations; the status changes by its table only, each change with an event."""

    def __init__(
        self,
        database: Database,
        on_ended: Callable[[Transaction, str, str], None] = lambda tx, generation_id, status: None,  # noqa: ARG005
    ) -> None:
        """`on_ended` is told, in the same transaction, of each picture that is made or will not be."""
        self._database = database
        self._on_ended = on_ended

    def insert(self, tx: Transaction, generation: Generation, inputs: Sequence[GenerationInput]) -> None:
        """A new pending generation with its references."""
        params = generation.params
        tx.execute(
            """
            INSERT INTO generations (
                id, job_id, position, base_model_id, provider, endpoint_key, mode, prompt, negative_prompt,
                width, height, seed, steps, guidance, sampling_method, params_json, status, created_at
            )
            VALUES (
                ?, ?, ?, (SELECT id FROM base_models WHERE id = ?), ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?, ?, ?, ?, ?
            )
            """,
            (
                generation.generation_id,
                generation.job_id,
                generation.position,
                generation.base_model_id,
                generation.provider,
                generation.endpoint_key,
                generation.mode,
                params.get("prompt"),
                params.get("negativePrompt"),
                generation.width,
                generation.height,
                generation.seed,
                params.get("steps"),
                params.get("guidance"),
                params.get("sampling_method"),
                to_json(dict(params)),
                generation.status,
                tx.at,
            ),
        )
        for each in inputs:
            self._insert_input(tx, each)

    def _insert_input(self, tx: Transaction, each: GenerationInput) -> None:
        tx.execute(
            """
            INSERT INTO generation_inputs (id, generation_id, media_id, position, role, sha256, file_path,
                                           original_name, thumb_path, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            (
                each.input_id,
                each.generation_id,
                each.media_id,
                each.position,
                each.role,
                each.sha256,
                each.file_path,
                each.original_name,
                each.thumb_path,
                tx.at,
            ),
        )

    def get(self, generation_id: str) -> Generation:
        """The generation; raises NotFound."""
        row = self._database.query_one("SELECT * FROM generations WHERE id = ?", (generation_id,))
        if row is None:
            raise NotFound(f"There is no generation {generation_id}.")
        return _to_generation(row)

    def list_of_job(self, job_id: str) -> list[Generation]:
        """The job's generations of its current run, in order."""
        rows = self._database.query(
            "SELECT * FROM generations WHERE job_id = ? AND position IS NOT NULL ORDER BY position", (job_id,)
        )
        return [_to_generation(row) for row in rows]

    def count_of_jobs(self, job_ids: Sequence[str]) -> dict[str, int]:
        """How many pictures each of some jobs asks for."""
        marks = ", ".join("?" for _ in job_ids)
        rows = self._database.query(
            f"""
            SELECT job_id, count(*) AS n FROM generations
            WHERE job_id IN ({marks}) AND position IS NOT NULL GROUP BY job_id
            """,
            tuple(job_ids),
        )
        return {row["job_id"]: int(row["n"]) for row in rows}

    def find_model_name(self, base_model_id: str | None) -> str | None:
        """What people call the model of a generation; None when it had none, or one without a name."""
        row = self._database.query_one("SELECT name FROM base_models WHERE id = ?", (base_model_id,))
        return str(row["name"]) if row else None

    def list_inputs(self, generation_id: str) -> list[GenerationInput]:
        """The references of a generation, in order."""
        rows = self._database.query(
            "SELECT * FROM generation_inputs WHERE generation_id = ? ORDER BY position", (generation_id,)
        )
        return [_to_input(row) for row in rows]

    def set_status(
        self,
        tx: Transaction,
        generation_id: str,
        status: GenerationStatus,
        *,
        attempts: int | None = None,
        error: Mapping[str, Any] | None = None,
        at: str | None = None,
    ) -> None:
        """Change the status; raises ValueError for a change that the table does not have."""
        sql = "SELECT status, job_id, endpoint_key, created_at, started_at FROM generations WHERE id = ?"
        row = tx.execute(sql, (generation_id,)).fetchone()
        if row is None:
            raise NotFound(f"There is no generation {generation_id}.")
        check_transition(GENERATION_TRANSITIONS, row["status"], status)
        tx.execute(
            """
            UPDATE generations
            SET status = :status,
                attempts = coalesce(:attempts, attempts),
                error_json = :error,
                started_at = CASE :status
                    WHEN 'processing' THEN :at WHEN 'pending' THEN NULL ELSE started_at
                END,
                completed_at = CASE WHEN :status IN ('completed', 'failed', 'cancelled') THEN :at END
            WHERE id = :id
            """,
            {
                "status": status,
                "attempts": attempts,
                "error": to_json(dict(error)) if error else None,
                "at": at or tx.at,
                "id": generation_id,
            },
        )
        data = {"status": status, "from": row["status"], "jobId": row["job_id"]}
        tx.event(GENERATION_CHANGED, "generation", generation_id, data)
        if row["status"] in ("pending", "processing") and status not in ("pending", "processing"):
            self._on_ended(tx, generation_id, status)
        _count(tx, row, status, at or tx.at)

    def is_reference(self, sha256: str) -> bool:
        """Whether a generation was accepted with a reference of this content."""
        sql = "SELECT 1 FROM generation_inputs WHERE sha256 = ? LIMIT 1"
        return self._database.query_one(sql, (sha256,)) is not None

    def find_last_endpoint(self) -> str | None:
        """The endpoint of the picture that was made last by an engine with a model."""
        row = self._database.query_one(
            """
            SELECT endpoint_key FROM generations
            WHERE completed_at IS NOT NULL AND model_file IS NOT NULL AND engine_kind <> 'procedural'
            ORDER BY completed_at DESC LIMIT 1
            """
        )
        return str(row["endpoint_key"]) if row else None

    def record_outcome(self, tx: Transaction, generation_id: str, outcome: GenerationOutcome) -> None:
        """By what means the picture was made."""
        tx.execute(
            """
            UPDATE generations
            SET model_file = ?, engine_kind = ?, worker_id = 'local', total_time_ms = ?, prompt_cache_hit = ?,
                ref_latent_cache_hit = ?, warnings_json = ?, peak_memory_mb = ?,
                base_model_id = CASE WHEN ? THEN base_model_id END
            WHERE id = ?
            """,
            (
                outcome.model_files.get("diffusion_model"),
                outcome.engine_kind,
                outcome.total_time_ms,
                outcome.prompt_cache_hit,
                outcome.ref_latent_cache_hit,
                to_json(list(outcome.warnings)),
                outcome.peak_memory_mb,
                outcome.ai_generated,
                generation_id,
            ),
        )
        tx.count(ENGINE_BUSY, {"engine": outcome.engine_kind}, (outcome.total_time_ms or 0) / 1000)

    def record_model_hashes(self, tx: Transaction, generation_id: str, hashes: Mapping[str, str]) -> None:
        """SHA-256 of the model's files by role."""
        if hashes:
            sql = "UPDATE generations SET model_hashes_json = ? WHERE id = ?"
            tx.execute(sql, (to_json(dict(hashes)), generation_id))

    def record_size(self, tx: Transaction, generation_id: str, width: int, height: int) -> None:
        """The real size of the picture, which engines may raise."""
        tx.execute(
            "UPDATE generations SET width = ?, height = ? WHERE id = ?", (width, height, generation_id)
        )

    def detach(self, tx: Transaction, generation_id: str) -> None:
        """Take a generation out of its job's current run: a retry makes its picture anew."""
        tx.execute("UPDATE generations SET position = NULL WHERE id = ?", (generation_id,))

    def list_work_ids_in_use(self) -> set[str]:
        """Generations that have not ended: their work folders are still needed."""
        rows = self._database.query("SELECT id FROM generations WHERE status IN ('pending', 'processing')")
        return {row["id"] for row in rows}


def _count(tx: Transaction, row: Row, status: GenerationStatus, at: str) -> None:
    """For metrics: how it ended, and how long it waited and took; a review is no part of that."""
    labels = {"endpoint": row["endpoint_key"]}
    if status in ("completed", "failed", "cancelled"):
        tx.count(GENERATIONS_ENDED, labels | {"status": status})
    if row["status"] == "processing" and status in ("completed", "awaiting_review"):
        observe(tx, GENERATION_DURATION, labels, (elapsed_ms(row["started_at"], at) or 0) / 1000)
        waited_ms = elapsed_ms(row["created_at"], row["started_at"])
        observe(tx, QUEUE_WAIT, labels, (waited_ms or 0) / 1000)


def _to_generation(row: Row) -> Generation:
    return Generation(
        generation_id=row["id"],
        job_id=row["job_id"],
        position=row["position"],
        provider=row["provider"],
        endpoint_key=row["endpoint_key"],
        mode=row["mode"],
        params=json.loads(row["params_json"]),
        width=row["width"],
        height=row["height"],
        seed=row["seed"],
        status=row["status"],
        created_at=row["created_at"],
        base_model_id=row["base_model_id"],
        model_file=row["model_file"],
        engine_kind=row["engine_kind"],
        attempts=row["attempts"],
        warnings=tuple(json.loads(row["warnings_json"])),
        error=json.loads(row["error_json"]) if row["error_json"] else None,
        total_time_ms=row["total_time_ms"],
        prompt_cache_hit=_to_bool(row["prompt_cache_hit"]),
        ref_latent_cache_hit=_to_bool(row["ref_latent_cache_hit"]),
        worker_id=row["worker_id"],
        started_at=row["started_at"],
        completed_at=row["completed_at"],
    )


def _to_bool(value: int | None) -> bool | None:
    return None if value is None else bool(value)


def _to_input(row: Row) -> GenerationInput:
    return GenerationInput(
        input_id=row["id"],
        generation_id=row["generation_id"],
        position=row["position"],
        sha256=row["sha256"],
        file_path=row["file_path"],
        thumb_path=row["thumb_path"],
        original_name=row["original_name"],
        role=row["role"],
        media_id=row["media_id"],
    )
