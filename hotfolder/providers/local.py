"""Requests to this machine's engines: the only place that knows both endpoints and the engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from hotfolder.domain.generation import GenerationOutcome, GenerationRequest, Progress
from hotfolder.engine.failures import build_model_missing
from hotfolder.engine.manager import EngineManager
from hotfolder.engine.messages import GenerateParams, LoadParams, StepProgress
from hotfolder.errors import EngineError

PROCEDURAL_MODEL = "procedural"
_OWN_PARAMS = ("prompt", "steps", "sampling_method")


@dataclass(frozen=True, slots=True)
class _Choice:
    manager: EngineManager
    load: LoadParams
    kind: str
    warnings: tuple[str, ...] = ()


class LocalProvider:
    """Chooses engine and model by the endpoint, always, and runs one request at a time."""

    def __init__(
        self,
        *,
        procedural: EngineManager,
        cn_engine: EngineManager | None,
        model_sets: Mapping[str, LoadParams],
        fallback: bool,
    ) -> None:
        self._procedural = procedural
        self._cn_engine = cn_engine
        self._model_sets = model_sets
        self._fallback = fallback

    def run(
        self,
        request: GenerationRequest,
        on_progress: Callable[[Progress], None],
        interrupt: threading.Event,
    ) -> GenerationOutcome:
        """Load the endpoint's model if needed and make the picture; raises EngineError."""
        choice = self._choose(request)
        try:
            return self._make(choice, request, on_progress, interrupt)
        except EngineError as error:
            if error.code != "engine.not_found" or choice.manager is self._procedural or not self._fallback:
                raise
            return self._make(self._stand_in(error), request, on_progress, interrupt)

    def _make(
        self,
        choice: _Choice,
        request: GenerationRequest,
        on_progress: Callable[[Progress], None],
        interrupt: threading.Event,
    ) -> GenerationOutcome:
        outcome = choice.manager.generate(
            choice.load,
            _to_params(request),
            on_progress=lambda step: on_progress(_to_progress(step)),
            cancel=interrupt,
        )
        return GenerationOutcome(
            output=outcome.output,
            total_time_ms=outcome.total_time_ms,
            prompt_cache_hit=outcome.prompt_cache_hit,
            ref_latent_cache_hit=outcome.ref_latent_cache_hit,
            engine_kind=choice.kind,
            model_info=choice.manager.status().model_info,
            model_files=_file_names(choice.load),
            ai_generated=choice.kind != PROCEDURAL_MODEL,
            warnings=choice.warnings,
        )

    def _choose(self, request: GenerationRequest) -> _Choice:
        if request.provider_model_id == PROCEDURAL_MODEL:
            return _Choice(self._procedural, LoadParams(), PROCEDURAL_MODEL)
        missing = self._what_is_missing(request.provider_model_id)
        if missing is None and self._cn_engine is not None:
            return _Choice(self._cn_engine, self._model_sets[request.provider_model_id], "cn-engine")
        if not self._fallback:
            raise missing or EngineError("There is no engine.", code="engine.not_found")
        return self._stand_in(missing)

    def _stand_in(self, missing: EngineError | None) -> _Choice:
        warning = f"Drawn by the procedural engine, not by an AI model: {missing}"
        return _Choice(self._procedural, LoadParams(), PROCEDURAL_MODEL, (warning,))

    def _what_is_missing(self, model_set: str) -> EngineError | None:
        advice = "or set `engine.fallback: procedural` for test pictures that say so."
        if self._cn_engine is None:
            return EngineError(
                "No cn-engine was found.",
                code="engine.not_found",
                hint=f"Install cn-engine and set `engine.path` in hotfolder.yaml, {advice}",
            )
        if model_set not in self._model_sets:
            return EngineError(
                f"The settings name no model set `{model_set}`.",
                code="engine.load_failed",
                hint=f"Add `models.sets.{model_set}` (diffusion_model, vae, llm) to hotfolder.yaml, {advice}",
            )
        gone = (each for each in self._model_sets[model_set].files() if not Path(each).is_file())
        return next(map(build_model_missing, gone), None)


def _to_params(request: GenerationRequest) -> GenerateParams:
    params = request.params
    return GenerateParams(
        prompt=str(params["prompt"]),
        width=request.width,
        height=request.height,
        seed=request.seed,
        steps=int(params["steps"]),
        sampling_method=params.get("sampling_method"),
        ref_images=tuple(each.path for each in request.references),
        output=request.output,
        extra={name: value for name, value in params.items() if name not in _OWN_PARAMS},
    )


def _to_progress(step: StepProgress) -> Progress:
    return Progress(step.stage, step.step, step.total_steps, step.step_time_s)


def _file_names(load: LoadParams) -> dict[str, str]:
    paths = {
        "diffusion_model": load.diffusion_model,
        "vae": load.vae,
        "llm": load.llm,
        "upscale_model": load.upscale_model,
    }
    return {kind: PurePath(path).name for kind, path in paths.items() if path}
