"""The upscale command as the manager gives it: to any engine, with or without a loaded model."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hotfolder.engine.manager import EngineCommand, EngineManager, EngineTimeouts
from hotfolder.engine.messages import LoadParams, StepProgress, UpscaleParams, parse_upscale
from hotfolder.errors import EngineCancelled, EngineError, EngineProtocolError, EngineTimeout


@pytest.fixture
def source(tmp_path: Path) -> str:
    Image.new("RGB", (20, 10), "red").save(tmp_path / "in.png")
    return str(tmp_path / "in.png")


@pytest.fixture
def managers() -> Iterator[list[EngineManager]]:
    made: list[EngineManager] = []
    yield made
    for each in made:
        each.stop()


def embedded(
    managers: list[EngineManager], env: dict[str, str] | None = None, **limits: Any
) -> EngineManager:
    argv = (sys.executable, "-m", "hotfolder.engine.procedural")
    managers.append(EngineManager(EngineCommand("procedural", argv, env or {}), EngineTimeouts(**limits)))
    return managers[-1]


def enlarge(manager: EngineManager, params: UpscaleParams, cancel: threading.Event | None = None) -> Any:
    steps: list[StepProgress] = []
    outcome = manager.upscale(params, on_progress=steps.append, cancel=cancel or threading.Event())
    return outcome, steps


def test_picture_is_enlarged_without_a_load(
    managers: list[EngineManager], source: str, tmp_path: Path
) -> None:
    manager = embedded(managers)

    outcome, steps = enlarge(manager, UpscaleParams(source, str(tmp_path / "up.png"), 3))

    assert (outcome.width, outcome.height) == (60, 30)
    assert outcome.model_info == "lanczos (no AI model)"
    assert {each.stage for each in steps} == {"upscaling"}
    assert manager.status().state == "idle"
    with Image.open(tmp_path / "up.png") as image:
        assert image.size == (60, 30)


def test_upscale_model_replaced_under_its_name_is_read_by_an_engine_that_starts_anew(
    managers: list[EngineManager], source: str, tmp_path: Path
) -> None:
    manager, model = embedded(managers), tmp_path / "esrgan.gguf"
    model.write_bytes(b"old")
    params = UpscaleParams(source, str(tmp_path / "up.png"), 2, str(model))
    first, _ = enlarge(manager, params)
    pid = manager.status().pid
    enlarge(manager, params)
    assert manager.status().pid == pid
    model.write_bytes(b"newer")

    second, _ = enlarge(manager, params)

    assert manager.status().pid != pid
    assert (first.files["upscale_model"].size, second.files["upscale_model"].size) == (3, 5)
    assert second.peak_memory_mb > 1


def test_loaded_model_stays_loaded(managers: list[EngineManager], source: str, tmp_path: Path) -> None:
    manager = embedded(managers)
    manager.load(LoadParams())

    enlarge(manager, UpscaleParams(source, str(tmp_path / "up.png"), 2))

    assert manager.status().state == "ready"
    assert manager.model_info == "procedural (no AI model)"


def test_engines_refusal_keeps_its_code(managers: list[EngineManager], source: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError) as refused:
        enlarge(embedded(managers), UpscaleParams(f"{source}.gone", str(tmp_path / "up.png"), 2))

    assert refused.value.code == "engine.ref_image_load_failed"


def test_cancelled_upscale_ends_early(managers: list[EngineManager], source: str, tmp_path: Path) -> None:
    manager = embedded(managers, {"HOTFOLDER_PROCEDURAL_FAULT": "hang"})
    cancel = threading.Event()

    with pytest.raises(EngineCancelled):
        manager.upscale(
            UpscaleParams(source, str(tmp_path / "up.png"), 2),
            on_progress=lambda _step: cancel.set(),
            cancel=cancel,
        )


def test_limit_of_an_upscale_is_that_of_a_generation_and_named_so(
    managers: list[EngineManager], source: str, tmp_path: Path
) -> None:
    manager = embedded(managers, {"HOTFOLDER_PROCEDURAL_FAULT": "hang"}, generate_s=0.3)

    with pytest.raises(EngineTimeout) as late:
        enlarge(manager, UpscaleParams(source, str(tmp_path / "up.png"), 2))

    assert "engine.generate_timeout_s" in (late.value.hint or "")


def test_params_are_one_pass_with_the_model_and_its_flags() -> None:
    params = UpscaleParams("/a.png", "/b.png", 4, "/m/esrgan.gguf", {"upscale_tile_size": 96})

    assert params.as_params() == {
        "input": "/a.png",
        "output": "/b.png",
        "upscale_repeats": 1,
        "upscale_factor": 4,
        "upscale_model": "/m/esrgan.gguf",
        "upscale_tile_size": 96,
    }
    assert "upscale_model" not in UpscaleParams("/a.png", "/b.png", 4).as_params()


@pytest.mark.parametrize(
    "change",
    [
        {"input": ""},
        {"output": 7},
        {"factor": 5},
        {"factor": 2.0},
        {"factor": True},
        {"model": ""},
        {"flags": {"upscale_tile_size": "96"}},
    ],
)
def test_what_would_kill_the_engine_is_never_sent(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must|cannot"):
        UpscaleParams(**{"input": "/a.png", "output": "/b.png", "factor": 4, **change})


@pytest.mark.parametrize("data", [{}, {"output": ""}, {"output": "/a.png", "success": False}])
def test_result_without_a_picture_is_a_fault_of_the_engine(data: dict[str, Any]) -> None:
    with pytest.raises(EngineProtocolError):
        parse_upscale(data)
