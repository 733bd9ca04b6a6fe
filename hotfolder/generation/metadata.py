"""What is written about a made picture: its `parameters` text, its XMP and its JSON sidecar (pure)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hotfolder import __version__
from hotfolder.domain.endpoint import Endpoint
from hotfolder.domain.generation import GenerationOutcome
from hotfolder.domain.instants import derived_id
from hotfolder.files.xmp import Ingredient, XmpRecord
from hotfolder.library.generations import Generation, GenerationInput
from hotfolder.library.jobs import Job

SIDECAR_SCHEMA = "hotfolder/sidecar@1"
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/"
CREATOR_TOOL = f"hotfolder {__version__}"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Everything that is known about a made picture before it is stored."""

    media_id: str
    arrived_at: str
    mime_type: str
    width: int
    height: int
    pixel_sha256: str
    outcome: GenerationOutcome
    generation: Generation
    inputs: tuple[GenerationInput, ...]
    job: Job
    endpoint: Endpoint | None
    credit: Mapping[str, Any]
    model_hashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def sent_params(self) -> dict[str, Any]:
        """The params as run, with the real size of the picture and the seed where the endpoint has such."""
        decided = {"width": self.width, "height": self.height, "seed": self.generation.seed}
        known = self.endpoint.request_schema.properties if self.endpoint else decided
        return {**self.generation.params, **{name: each for name, each in decided.items() if name in known}}

    @property
    def source(self) -> GenerationInput | None:
        """The picture that this one is another form of: its size follows from the first reference."""
        follows = self.endpoint is not None and not self.endpoint.takes_size
        return self.inputs[0] if follows and self.inputs else None

    @property
    def model_name(self) -> str:
        """The model's file, or what the engine says of itself."""
        return self.outcome.model_files.get("diffusion_model") or self.outcome.model_info or "unknown"


def build_parameters(made: Provenance) -> str:
    """The PNG text that image tools read: prompt, then one line of `Key: value` pairs."""
    params = made.sent_params
    pairs = {
        "Steps": params.get("steps"),
        "Sampler": params.get("sampling_method"),
        "Seed": params.get("seed"),
        "Size": f"{made.width}x{made.height}",
        "Model": made.model_name,
        "Engine": made.outcome.engine_kind,
        "Endpoint": made.generation.endpoint_key,
        "Version": CREATOR_TOOL,
    }
    line = ", ".join(f"{key}: {_quoted(value)}" for key, value in pairs.items() if value is not None)
    return f"{params.get('prompt', '')}\n{line}"


def _quoted(value: Any) -> str:
    """Values with a comma or colon are quoted, as readers of this text expect."""
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if any(each in text for each in ",:\n") else text


def build_xmp_record(made: Provenance) -> XmpRecord:
    """The XMP of a made picture; only a picture made by a model is disclosed as such."""
    generated = made.outcome.ai_generated
    document_id = f"xmp.did:{made.media_id}"
    creator = made.credit.get("creator")
    return XmpRecord(
        document_id=document_id,
        instance_id=f"xmp.iid:{derived_id(made.media_id, 'instance')}",
        original_document_id=document_id,
        created_at=made.arrived_at,
        modified_at=made.arrived_at,
        creator_tool=CREATOR_TOOL,
        title=made.job.title,
        description="\n".join(made.outcome.warnings) or None,
        creators=(creator,) if creator else (),
        rights=made.credit.get("copyright"),
        keywords=made.job.keywords,
        digital_source_type=_digital_source_type(made),
        ai_system_used=made.model_name if generated else None,
        ai_system_version_used=made.outcome.engine_kind if generated else None,
        ai_prompt_information=made.generation.params.get("prompt") if generated else None,
        derived_from=_to_ingredient(made.source) if made.source else None,
        ingredients=tuple(_to_ingredient(each) for each in made.inputs),
        job_id=made.job.job_id,
        generation_id=made.generation.generation_id,
        params_json=json.dumps(_run_again(made), ensure_ascii=False, sort_keys=True),
    )


def _digital_source_type(made: Provenance) -> str | None:
    """IPTC NewsCodes: trained only when a model was at work; a drawing without one is algorithmicMedia."""
    if made.outcome.ai_generated:
        composite = "compositeWithTrainedAlgorithmicMedia"
        return _SOURCE_TYPE + (composite if made.inputs else "trainedAlgorithmicMedia")
    return None if made.inputs else _SOURCE_TYPE + "algorithmicMedia"


def _to_ingredient(each: GenerationInput) -> Ingredient:
    return Ingredient(
        document_id=f"xmp.did:{each.media_id}" if each.media_id else f"sha256:{each.sha256}",
        instance_id=None,
        file_path=each.original_name or each.file_path,
        role=each.role,
    )


def _run_again(made: Provenance) -> dict[str, Any]:
    """A job that makes the same picture again."""
    job: dict[str, Any] = {"endpointKey": made.generation.endpoint_key, "params": made.sent_params}
    if made.inputs:
        job["refs"] = [_to_reference(each) for each in made.inputs]
    return job


def _to_reference(each: GenerationInput) -> dict[str, Any]:
    return {"sha256": each.sha256} | ({"role": each.role} if each.role else {})


def build_sidecar(made: Provenance, sha256: str, size_bytes: int, file_path: str) -> dict[str, Any]:
    """The JSON sidecar: everything needed to run the picture again, and to rebuild its rows."""
    generation, job, outcome = made.generation, made.job, made.outcome
    return {
        "schema": SIDECAR_SCHEMA,
        "mediaId": made.media_id,
        "origin": "generation",
        "createdAt": made.arrived_at,
        "file": {
            "path": file_path,
            "sha256": sha256,
            "pixelSha256": made.pixel_sha256,
            "width": made.width,
            "height": made.height,
            "bytes": size_bytes,
            "mimeType": made.mime_type,
        },
        "aiGenerated": outcome.ai_generated,
        "endpoint": _endpoint_object(made),
        "mode": generation.mode,
        "params": made.sent_params,
        "seed": generation.seed,
        "refs": [
            {
                "position": each.position,
                "sha256": each.sha256,
                "path": each.file_path,
                "originalName": each.original_name,
                "role": each.role,
                "mediaId": each.media_id,
            }
            for each in made.inputs
        ],
        "engine": {
            "kind": outcome.engine_kind,
            "modelInfo": outcome.model_info,
            "modelFiles": dict(outcome.model_files),
            "modelSha256": dict(made.model_hashes),
        },
        "generation": {
            "generationId": generation.generation_id,
            "attempts": generation.attempts,
            "createdAt": generation.created_at,
            "startedAt": generation.started_at,
            "completedAt": made.arrived_at,
            "totalTimeMs": outcome.total_time_ms,
            "peakMemoryMb": outcome.peak_memory_mb,
            "promptCacheHit": outcome.prompt_cache_hit,
            "refLatentCacheHit": outcome.ref_latent_cache_hit,
        },
        "title": job.title,
        "keywords": list(job.keywords),
        "metadata": dict(made.credit),
        "job": {
            "jobId": job.job_id,
            "jobFile": job.job_file,
            "position": generation.position,
            "createdAt": job.created_at,
            "text": job.text.decode("utf-8", "replace"),
        },
        "extra": dict(job.extra),
        "warnings": list(outcome.warnings),
        "versions": {"hotfolder": __version__},
    }


def _endpoint_object(made: Provenance) -> dict[str, Any]:
    endpoint = made.endpoint
    return {
        "endpointKey": made.generation.endpoint_key,
        "providerId": made.generation.provider,
        "providerModelId": endpoint.provider_model_id if endpoint else None,
        "canonicalModelId": endpoint.canonical_model_id if endpoint else None,
    }
