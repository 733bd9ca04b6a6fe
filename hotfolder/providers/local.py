"""Requests to this machine's engines: the only place that knows both endpoints and the engine."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from hotfolder.domain.generation import GenerationOutcome, GenerationRequest, Progress
from hotfolder.engine.failures import build_model_missing
from hotfolder.engine.kinds import CN_ENGINE, EXTRAS, PROCEDURAL
from hotfolder.engine.manager import EngineManager
from hotfolder.engine.messages import GenerateParams, LoadParams, StepProgress
from hotfolder.engine.model_sets import named_files
from hotfolder.errors import EngineError
from hotfolder.providers.seat import Seat
from hotfolder.providers.styling import STYLE, STYLE_MODEL, build_style_params, find_useless_style
from hotfolder.providers.upscaling import UPSCALE_MODEL, Upscaling

_WITHOUT_SET = {"procedural": PROCEDURAL, STYLE_MODEL: STYLE}
"""Endpoints that need no model set: their provider model id, and the kind of engine that serves them."""
_NO_STAND_IN = (PROCEDURAL, STYLE)
_OWN_PARAMS = ("prompt", "steps", "sampling_method")
_INSTEAD = {
    False: ", or set `engine.fallback: procedural` for test pictures that say so.",
    True: ". Until then test pictures are drawn, and say so.",
}
"""How a hint ends, by whether the fallback is set."""


@dataclass(frozen=True, slots=True)
class _Choice:
    manager: EngineManager
    load: LoadParams
    kind: str
    warnings: tuple[str, ...] = ()


def find_engine(provider_model_id: str) -> tuple[str, str | None]:
    """Kind of engine and model set of an endpoint: `KIND/SET`, for cn-engine `SET` alone."""
    if provider_model_id in _WITHOUT_SET:
        return _WITHOUT_SET[provider_model_id], None
    kind, _, model_set = provider_model_id.partition("/")
    return (kind, model_set) if model_set else (CN_ENGINE, provider_model_id)


class LocalProvider:
    """Chooses engine and model by the endpoint, always, and runs one request at a time."""

    def __init__(
        self,
        *,
        engines: Mapping[str, EngineManager],
        model_sets: Mapping[str, LoadParams],
        fallback: bool,
        seat: Seat | None = None,
    ) -> None:
        self._seat = seat or Seat()
        self._engines = engines
        self._model_sets = model_sets
        self._upscaling = Upscaling(engines, model_sets)
        self._fallback = fallback

    def run(
        self,
        request: GenerationRequest,
        on_progress: Callable[[Progress], None],
        interrupt: threading.Event,
    ) -> GenerationOutcome:
        """Load the endpoint's model if needed and make the picture; raises EngineError.

        Waits while another request runs: on one graphics card two would both be slower.
        """
        with self._seat.taken(interrupt):
            return self._run(request, on_progress, interrupt)

    def find_missing(self, provider_model_id: str) -> EngineError | None:
        """What an endpoint needs and this machine lacks, known without starting anything."""
        if provider_model_id == UPSCALE_MODEL:
            return None  # the embedded engine enlarges every picture
        return self._what_is_missing(*find_engine(provider_model_id))

    def _run(
        self,
        request: GenerationRequest,
        on_progress: Callable[[Progress], None],
        interrupt: threading.Event,
    ) -> GenerationOutcome:
        if request.provider_model_id == UPSCALE_MODEL:
            return self._upscaling.run(request, lambda step: on_progress(_to_progress(step)), interrupt)
        choice = self._choose(request)
        try:
            return self._make(choice, request, on_progress, interrupt)
        except EngineError as error:
            if error.code != "engine.not_found" or choice.kind in _NO_STAND_IN or not self._fallback:
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
            build_style_params(request) if choice.kind == STYLE else _to_params(request),
            on_progress=lambda step: on_progress(_to_progress(step)),
            cancel=interrupt,
            job=request.job_id or request.generation_id,
        )
        files = {} if choice.kind == PROCEDURAL else outcome.files
        return GenerationOutcome(
            output=outcome.output,
            total_time_ms=outcome.total_time_ms,
            prompt_cache_hit=outcome.prompt_cache_hit,
            ref_latent_cache_hit=outcome.ref_latent_cache_hit,
            engine_kind=choice.kind,
            model_info=outcome.model_name,
            model_files=_file_names(choice.load),
            model_paths={role: key.path for role, key in files.items()},
            model_stamps={role: (key.size, key.mtime_ns) for role, key in files.items()},
            peak_memory_mb=outcome.peak_memory_mb,
            ai_generated=choice.kind != PROCEDURAL,
            warnings=choice.warnings,
        )

    def _choose(self, request: GenerationRequest) -> _Choice:
        kind, model_set = find_engine(request.provider_model_id)
        missing = self._what_is_missing(kind, model_set)
        if missing is None:
            load = LoadParams() if model_set is None else self._model_sets[model_set]
            warnings = find_useless_style(request) if kind == STYLE else ()
            return _Choice(self._engines[kind], load, kind, warnings)
        if kind in _NO_STAND_IN or not self._fallback:
            raise missing
        return self._stand_in(missing)

    def _stand_in(self, missing: EngineError) -> _Choice:
        warning = f"Drawn by the procedural engine, not by an AI model: {missing}"
        return _Choice(self._engines[PROCEDURAL], LoadParams(), PROCEDURAL, (warning,))

    def _what_is_missing(self, kind: str, model_set: str | None) -> EngineError | None:
        if kind not in self._engines:
            return self._build_engine_missing(kind)
        if model_set is None:
            return None
        if model_set not in self._model_sets:
            return EngineError(
                f"The settings name no model set `{model_set}`.",
                code="engine.load_failed",
                hint=f"Add `models.sets.{model_set}` (diffusion_model, vae, llm) to hotfolder.yaml"
                f"{_INSTEAD[self._fallback]}",
            )
        gone = (each for each in self._model_sets[model_set].files() if not Path(each).is_file())
        return next(map(build_model_missing, gone), None)

    def _build_engine_missing(self, kind: str) -> EngineError:
        extra = EXTRAS.get(kind)
        install = (
            f"Run `{extra.install_line}`"
            if extra
            else "Install cn-engine and set `engine.path` in hotfolder.yaml"
        )
        message = f"The engine {kind} is not installed." if extra else "No cn-engine was found."
        instead = "." if kind in _NO_STAND_IN else _INSTEAD[self._fallback]
        return EngineError(message, code="engine.not_found", hint=install + instead)


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
    return {role: PurePath(path).name for role, path in named_files(load).items()}
