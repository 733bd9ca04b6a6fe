"""A real diffusion engine behind job files: stable-diffusion.cpp on a synthetic FLUX.2 Klein model."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hotfolder.engine.kinds import EXTRAS
from hotfolder.files.xmp import parse_xmp
from tests import pictures
from tests.scenarios.service import Service, wait_for
from tests.tiny_klein import write_diffusion_model, write_tiny_klein

EXTRA = EXTRAS["sdcpp"]
pytestmark = pytest.mark.skipif(not EXTRA.is_installed(), reason=f"needs {EXTRA.install_line}")

JOB = "endpointKey: local.sdcpp.%s.image\nparams: {prompt: %s, size: %s, seed: 5, steps: %d}\n"
SAMPLING = "SELECT 1 FROM events WHERE topic = 'generation.progress' AND data_json LIKE '%\"sampling\"%'"
SETTINGS = """\
models:
  sets:
    tiny: {diffusion_model: tiny-klein.safetensors, vae: tiny-vae.safetensors, llm: tiny-qwen3.safetensors}
    other: {diffusion_model: other-klein.safetensors, vae: tiny-vae.safetensors, llm: tiny-qwen3.safetensors}
    broken: {diffusion_model: half-klein.safetensors, vae: tiny-vae.safetensors, llm: tiny-qwen3.safetensors}
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running library with two models that differ in their weights, and one of which half is missing."""
    service = Service(tmp_path_factory.mktemp("sdcpp") / "library", settings=SETTINGS)
    models = service.root / "models"
    write_tiny_klein(models)
    write_diffusion_model(models / "other-klein.safetensors", seed=4321)
    whole = (models / "tiny-klein.safetensors").read_bytes()
    (models / "half-klein.safetensors").write_bytes(whole[: len(whole) // 2])
    try:
        service.start()
        service.wait_until_watching()
        yield service
    finally:
        service.kill()


@pytest.fixture(scope="module")
def first(studio: Service) -> dict[str, Any]:
    """The result of a first job: from text alone, with seed 5."""
    return run(studio, "first.yaml", job())


def job(model_set: str = "tiny", *, more: str = "", size: str = "64*64", steps: int = 2) -> str:
    return JOB % (model_set, "A quiet bay", size, steps) + more


def run(service: Service, name: str, text: str) -> dict[str, Any]:
    service.drop(name, text)
    result = service.wait_for_result(name, limit_s=50.0)
    assert result["status"] == "completed", result["error"]
    return result


def outputs_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [output for each in result["generations"] for output in each["outputs"]]


def pixels_of(result: dict[str, Any]) -> list[str]:
    return [each["pixelSha256"] for each in outputs_of(result)]


def sidecar_of(service: Service, result: dict[str, Any]) -> dict[str, Any]:
    path = service.root / outputs_of(result)[0]["path"]
    found: dict[str, Any] = json.loads(path.with_name(path.name + ".json").read_text(encoding="utf-8"))
    return found


def model_file_of(service: Service, result: dict[str, Any]) -> tuple[str, str]:
    """Which diffusion model made a picture: what the sidecar says, and the generation's row."""
    generation_id = result["generations"][0]["generationId"]
    row = service.query("SELECT model_file FROM generations WHERE id = ?", generation_id)[0]
    return sidecar_of(service, result)["engine"]["modelFiles"]["diffusion_model"], row["model_file"]


def test_picture_from_text_says_which_engine_and_model_made_it(
    studio: Service, first: dict[str, Any]
) -> None:
    (output,) = outputs_of(first)
    path = studio.root / output["path"]

    sidecar = sidecar_of(studio, first)

    with Image.open(path) as image:
        assert (image.size, image.mode, image.format) == ((64, 64), "RGB", "PNG")
    assert sidecar["aiGenerated"] is True
    assert sidecar["engine"]["kind"] == "sdcpp"
    assert sidecar["engine"]["modelInfo"].startswith("tiny-klein.safetensors (stable-diffusion.cpp, cyllama ")
    assert sidecar["engine"]["modelFiles"] == {
        "diffusion_model": "tiny-klein.safetensors",
        "vae": "tiny-vae.safetensors",
        "llm": "tiny-qwen3.safetensors",
    }
    record = parse_xmp(path.with_name(path.name + ".xmp").read_bytes())
    assert (record.digital_source_type or "").endswith("/trainedAlgorithmicMedia")


def test_same_seed_gives_the_same_pixels_and_another_seed_others(
    studio: Service, first: dict[str, Any]
) -> None:
    result = run(studio, "seeds.yaml", job(more="count: 2\n"))

    assert [each["seed"] for each in result["generations"]] == [5, 6]
    same, different = pixels_of(result)
    assert [same] == pixels_of(first)
    assert different != same


def test_two_references_change_the_picture(studio: Service, first: dict[str, Any]) -> None:
    pictures.write_png(studio.root / "inbox" / "layout.png")
    Image.new("RGB", (96, 64), (30, 30, 220)).save(studio.root / "inbox" / "sky.png")

    result = run(studio, "references.yaml", job(more="refs: [layout.png, sky.png]\n"))

    assert pixels_of(result) != pixels_of(first)
    path = studio.root / outputs_of(result)[0]["path"]
    record = parse_xmp(path.with_name(path.name + ".xmp").read_bytes())
    assert [each.file_path for each in record.ingredients] == ["layout.png", "sky.png"]
    assert (record.digital_source_type or "").endswith("/compositeWithTrainedAlgorithmicMedia")


def test_cancel_ends_the_running_job_within_a_second_and_the_next_one_runs(
    studio: Service, first: dict[str, Any]
) -> None:
    before = studio.query("SELECT max(seq) AS seq FROM events")[0]["seq"]
    claimed = studio.drop("long.yaml", job(size="1024*1024", steps=10)).name
    wait_for(lambda: studio.query(f"{SAMPLING} AND seq > ?", before), "a job at its steps")
    (at_work,) = (studio.root / "processing").glob(f"*--{claimed}")

    deleted_at = time.monotonic()
    at_work.unlink()
    result = studio.wait_for_result("long.yaml")
    took_s = time.monotonic() - deleted_at

    assert result["status"] == "cancelled"
    assert took_s < 2.0, "noticed within half a second, ended within one"
    assert pixels_of(run(studio, "after.yaml", job())) == pixels_of(first)


def test_each_picture_names_the_model_that_made_it_when_models_take_turns(
    studio: Service, first: dict[str, Any]
) -> None:
    other = run(studio, "other.yaml", job("other"))
    back = run(studio, "back.yaml", job("tiny"))

    assert model_file_of(studio, other) == ("other-klein.safetensors",) * 2
    assert model_file_of(studio, back) == ("tiny-klein.safetensors",) * 2
    assert pixels_of(back) == pixels_of(first)
    assert pixels_of(other) != pixels_of(first)


def test_model_that_cannot_be_loaded_fails_its_job_with_the_cause(studio: Service) -> None:
    studio.drop("broken.yaml", job("broken", more="maxAttempts: 1\n"))

    result = studio.wait_for_result("broken.yaml")

    assert result["status"] == "failed"
    assert result["error"]["code"] == "engine.load_failed"
    assert "read tensor data failed" in result["error"]["message"]
    assert "half-klein.safetensors" in result["error"]["message"]


def test_model_set_that_the_settings_do_not_name_has_no_endpoint(studio: Service) -> None:
    studio.drop("unknown.yaml", job("tiney"))

    result = studio.wait_for_result("unknown.yaml")

    assert result["error"]["problems"][0]["code"] == "job.unknown_endpoint"
    report = Path(studio.root, "failed", "unknown.yaml.error.md").read_text(encoding="utf-8")
    assert "local.sdcpp.tiny.image" in report
