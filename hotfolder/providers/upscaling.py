"""Enlarging a picture by the best that is there: cn-engine's model, a model of the extra, or Lanczos."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Final

from hotfolder.domain.generation import GenerationOutcome, GenerationRequest, PreparedReference
from hotfolder.engine.failures import build_model_missing
from hotfolder.engine.kinds import CN_ENGINE, EXTRAS, PROCEDURAL
from hotfolder.engine.made import EnlargedPicture
from hotfolder.engine.manager import EngineManager
from hotfolder.engine.messages import LoadParams, StepProgress, UpscaleOutcome, UpscaleParams
from hotfolder.engine.params import MAX_UPSCALED_PIXELS
from hotfolder.errors import EngineError

UPSCALE_MODEL: Final = "upscale"
UPSCALER: Final = "upscaler"
LANCZOS: Final = "lanczos"
CN_ENGINE_MOST_PIXELS: Final = 5_200_000
"""Of the picture to enlarge: with more, the engine overruns a buffer."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way to enlarge: the kind of engine, the model to name to it, and what people call it."""

    kind: str
    name: str
    model: str | None = None
    flags: Mapping[str, Any] = field(default_factory=dict)


class _Unfit(EngineError):
    """A way that is not there, or that cannot take this picture: the next one is tried."""


class Upscaling:
    """Runs the requests of `local.upscale`; each result says truthfully how it was made."""

    def __init__(self, engines: Mapping[str, EngineManager], model_sets: Mapping[str, LoadParams]) -> None:
        self._engines = engines
        self._model_sets = model_sets

    def run(
        self,
        request: GenerationRequest,
        on_progress: Callable[[StepProgress], None],
        interrupt: threading.Event,
    ) -> GenerationOutcome:
        """Enlarge the only reference; a model that the job names is the only way. Raises EngineError."""
        (picture,) = request.references
        factor, named = int(request.params["factor"]), request.params.get("model")
        _check_size(picture, factor)
        passed_over: list[str] = []
        for way in self._list_ways(named):
            try:
                self._require(way, picture)
                params = UpscaleParams(picture.path, request.output, factor, way.model, way.flags)
                made = self._engines[way.kind].upscale(
                    params,
                    on_progress=on_progress,
                    cancel=interrupt,
                    job=request.job_id or request.generation_id,
                )
            except EngineError as error:
                if named or not (isinstance(error, _Unfit) or error.code == "engine.not_found"):
                    raise
                passed_over.append(error.message)
            else:
                warnings = (*_tell(way, passed_over), *_tell_size(made, picture, factor))
                return _build_outcome(way, made, warnings)
        raise AssertionError("the embedded engine takes every picture")

    def _list_ways(self, named: str | None) -> list[_Way]:
        wanted = next((each for each in self._model_sets.values() if each.upscale_model), LoadParams())
        flags = {name: each for name, each in wanted.flags.items() if name.startswith("upscale_")}
        cn_engine = _Way(CN_ENGINE, CN_ENGINE, wanted.upscale_model, flags)
        if named == CN_ENGINE:
            return [cn_engine]
        if named == LANCZOS:
            return [_Way(PROCEDURAL, "Lanczos")]
        if named:
            return [_Way(UPSCALER, named, named)]
        extra = _Way(UPSCALER, "the extra `upscale`")
        return [*([cn_engine] if cn_engine.model else []), extra, _Way(PROCEDURAL, "Lanczos")]

    def _require(self, way: _Way, picture: PreparedReference) -> None:
        if way.kind == CN_ENGINE:
            _require_model_file(way.model)
        if way.kind not in self._engines:
            raise _build_missing(way.kind)
        if way.kind == CN_ENGINE:
            _require_fit(picture)


def _require_model_file(path: str | None) -> None:
    if path is None:
        raise _Unfit(
            "No model set of the settings has an upscale_model.",
            code="engine.load_failed",
            hint="Add `upscale_model` (an ESRGAN file) to a set of `models.sets` in hotfolder.yaml.",
        )
    if not Path(path).is_file():
        missing = build_model_missing(path)
        raise _Unfit(missing.message, code=missing.code, hint=missing.hint)


def _build_missing(kind: str) -> _Unfit:
    extra = EXTRAS.get(kind)
    if extra is None:
        hint = "Install cn-engine and set `engine.path` in hotfolder.yaml, or leave `model` out."
        return _Unfit("No cn-engine was found.", code="engine.not_found", hint=hint)
    message = f"The extra `{extra.name}` is not installed."
    return _Unfit(message, code="engine.not_found", hint=f"Run `{extra.install_line}`, or leave `model` out.")


def _require_fit(picture: PreparedReference) -> None:
    """What cn-engine would spoil or die of."""
    hint = "Leave `model` out: another way is taken then."
    if picture.has_alpha:
        raise _Unfit("cn-engine would lose the transparency.", code="engine.upscale_failed", hint=hint)
    pixels = picture.width * picture.height
    if pixels > CN_ENGINE_MOST_PIXELS:
        message = f"cn-engine enlarges at most {CN_ENGINE_MOST_PIXELS:,} pixels, this picture has {pixels:,}."
        raise _Unfit(message, code="engine.upscale_failed", hint=hint)


def _check_size(picture: PreparedReference, factor: int) -> None:
    pixels = picture.width * picture.height * factor**2
    if pixels > MAX_UPSCALED_PIXELS:
        raise EngineError(
            f"The result would have {pixels:,} pixels; at most {MAX_UPSCALED_PIXELS:,} are made.",
            code="engine.upscale_failed",
            hint="Write a smaller factor, or make the picture smaller.",
        )


def _tell(way: _Way, passed_over: list[str]) -> tuple[str, ...]:
    """A warning when a better way was not to be had."""
    if not passed_over:
        return ()
    not_by_model = ", not by an AI model" if way.kind == PROCEDURAL else ""
    return (f"Enlarged by {way.name}{not_by_model}: {' '.join(passed_over)}",)


def _tell_size(made: UpscaleOutcome, picture: PreparedReference, factor: int) -> tuple[str, ...]:
    """A warning when the engine's model has a factor of its own."""
    wanted = (picture.width * factor, picture.height * factor)
    found = (made.width or wanted[0], made.height or wanted[1])
    if found == wanted:
        return ()
    return (
        f"The result has {found[0]} x {found[1]} pixels, not {wanted[0]} x {wanted[1]}: so is the model.",
    )


def _build_outcome(way: _Way, made: EnlargedPicture, warnings: tuple[str, ...]) -> GenerationOutcome:
    file_name = PurePath(way.model).name if way.kind == CN_ENGINE and way.model else None
    files = made.files if file_name else {}  # other engines bring their models
    return GenerationOutcome(
        output=made.output,
        total_time_ms=made.total_time_ms,
        prompt_cache_hit=None,
        ref_latent_cache_hit=None,
        engine_kind=way.kind,
        model_info=made.model_info or file_name,
        model_files={"upscale_model": file_name} if file_name else {},
        ai_generated=way.kind != PROCEDURAL,
        warnings=warnings,
        model_paths={role: key.path for role, key in files.items()},
        model_stamps={role: (key.size, key.mtime_ns) for role, key in files.items()},
        peak_memory_mb=made.peak_memory_mb,
    )
