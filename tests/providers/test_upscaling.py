"""Which way a picture is enlarged, and what is said of it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from hotfolder.domain.generation import GenerationOutcome, GenerationRequest, PreparedReference
from hotfolder.engine.made import EnlargedPicture
from hotfolder.engine.messages import LoadParams, UpscaleParams
from hotfolder.engine.model_shelf import find_key
from hotfolder.errors import EngineCrashed, EngineError
from hotfolder.providers.upscaling import Upscaling

CN_ENGINE, UPSCALER, PROCEDURAL = "cn-engine", "upscaler", "procedural"


class Engine:
    """Stands for a manager: notes what it is asked for, and answers or fails as told."""

    def __init__(self, error: EngineError | None = None, **answer: Any) -> None:
        self.asked: list[UpscaleParams] = []
        self._error = error
        self._answer = answer

    def upscale(self, params: UpscaleParams, **_: Any) -> EnlargedPicture:
        self.asked.append(params)
        if self._error:
            raise self._error
        key = find_key(Path(params.model or ""))
        files = {"upscale_model": key} if key else {}
        return EnlargedPicture(params.output, 5, **self._answer, peak_memory_mb=77, files=files)


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, LoadParams]:
    model = tmp_path / "esrgan.gguf"
    model.touch()
    flags = {"flash_attn": True, "upscale_tile_size": 96}
    return {"plain": LoadParams("/klein.gguf"), "up": LoadParams(upscale_model=str(model), flags=flags)}


def ask(
    engines: dict[str, Engine],
    sets: dict[str, LoadParams],
    *,
    size: tuple[int, int] = (40, 30),
    has_alpha: bool = False,
    **params: Any,
) -> GenerationOutcome:
    reference = PreparedReference(0, "a" * 64, "/ref.png", None, *size, has_alpha)
    request = GenerationRequest(
        "g", "local.upscale", "upscale", {"factor": 4, **params}, 0, 0, 1, (reference,), "/out.png"
    )
    upscaling = Upscaling(engines, sets)  # type: ignore[arg-type]  # stands for managers
    return upscaling.run(request, lambda _step: None, threading.Event())


def all_three(**cn_engine: Any) -> dict[str, Engine]:
    return {CN_ENGINE: Engine(**cn_engine), UPSCALER: Engine(model_info="anime"), PROCEDURAL: Engine()}


def test_cn_engines_model_comes_first_with_its_file_and_flags(sets: dict[str, LoadParams]) -> None:
    engines = all_three()

    made = ask(engines, sets)

    (asked,) = engines[CN_ENGINE].asked
    assert (asked.model, asked.flags) == (sets["up"].upscale_model, {"upscale_tile_size": 96})
    assert (made.engine_kind, made.ai_generated, made.warnings) == (CN_ENGINE, True, ())
    assert made.model_info == "esrgan.gguf"
    assert made.model_files == {"upscale_model": "esrgan.gguf"}


def test_picture_enlarged_by_cn_engine_tells_its_memory_and_what_its_models_hash_is_of(
    sets: dict[str, LoadParams],
) -> None:
    path = Path(sets["up"].upscale_model or "")

    made = ask(all_three(), sets)

    assert made.peak_memory_mb == 77
    assert made.model_paths == {"upscale_model": str(path)}
    assert made.model_stamps == {"upscale_model": (0, path.stat().st_mtime_ns)}
    assert ask(all_three(), sets, model="realesrgan-x4plus").model_paths == {}


def test_extra_comes_next_and_lanczos_last() -> None:
    engines = all_three()
    by_extra = ask(engines, {})
    by_lanczos = ask({PROCEDURAL: engines[PROCEDURAL]}, {})

    assert (by_extra.engine_kind, by_extra.model_info, by_extra.warnings) == (UPSCALER, "anime", ())
    assert (by_lanczos.engine_kind, by_lanczos.ai_generated) == (PROCEDURAL, False)
    assert by_lanczos.warnings == (
        "Enlarged by Lanczos, not by an AI model: The extra `upscale` is not installed.",
    )
    assert engines[CN_ENGINE].asked == []


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        ({"size": (2300, 2300), "factor": 2}, "at most 5,200,000 pixels"),
        ({"has_alpha": True}, "lose the transparency"),
    ],
)
def test_picture_that_cn_engine_would_die_of_or_spoil_goes_the_next_way(
    sets: dict[str, LoadParams], picture: dict[str, Any], reason: str
) -> None:
    engines = all_three()

    made = ask(engines, sets, **picture)

    assert made.engine_kind == UPSCALER
    assert made.warnings[0].startswith("Enlarged by the extra `upscale`: ")
    assert reason in made.warnings[0]
    assert engines[CN_ENGINE].asked == []


def test_model_file_or_program_that_is_gone_is_told_and_passed_over(sets: dict[str, LoadParams]) -> None:
    gone = EngineError("there is no engine program /opt/cn", code="engine.not_found")
    assert "/opt/cn" in ask(all_three(error=gone), sets).warnings[0]

    Path(sets["up"].upscale_model or "").unlink()
    engines = all_three()
    assert "esrgan.gguf is not there" in ask(engines, sets).warnings[0]
    assert engines[CN_ENGINE].asked == []


def test_engine_that_fails_at_the_work_is_no_reason_for_another_way(sets: dict[str, LoadParams]) -> None:
    with pytest.raises(EngineCrashed):
        ask(all_three(error=EngineCrashed("it ended")), sets)


def test_named_model_is_the_only_way(sets: dict[str, LoadParams]) -> None:
    engines = all_three()
    assert ask(engines, sets, model="realesrgan-x4plus").engine_kind == UPSCALER
    assert engines[UPSCALER].asked[0].model == "realesrgan-x4plus"
    assert ask(engines, sets, model="lanczos").warnings == ()

    with pytest.raises(EngineError, match="not installed") as missing:
        ask({PROCEDURAL: Engine()}, {}, model="realesrgan-x4plus")
    assert missing.value.code == "engine.not_found"
    assert "pip install 'hotfolder[upscale]'" in (missing.value.hint or "")
    with pytest.raises(EngineError, match="No model set"):
        ask(all_three(), {}, model="cn-engine")
    with pytest.raises(EngineError, match="No cn-engine was found"):
        ask({PROCEDURAL: Engine()}, sets, model="cn-engine")
    with pytest.raises(EngineError, match="transparency"):
        ask(all_three(), sets, model="cn-engine", has_alpha=True)


def test_result_of_more_pixels_than_fit_is_refused_before_any_work(sets: dict[str, LoadParams]) -> None:
    engines = all_three()

    with pytest.raises(EngineError, match="at most 100,000,000") as refused:
        ask(engines, sets, size=(2501, 2500))

    assert (refused.value.code, refused.value.retryable) == ("engine.upscale_failed", False)
    assert not any(each.asked for each in engines.values())


def test_model_with_a_factor_of_its_own_is_told(sets: dict[str, LoadParams]) -> None:
    made = ask(all_three(width=160, height=120), sets, factor=2)

    assert made.warnings == ("The result has 160 x 120 pixels, not 80 x 60: so is the model.",)
