"""Which engine makes a picture, and what becomes of a job whose engine misbehaves."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hotfolder.files.xmp import parse_xmp
from tests import pictures
from tests.scenarios.recording import RecordingService
from tests.scenarios.service import Service

FLUX = "endpointKey: local.flux2-klein-4b.image\nparams: {prompt: %r, size: 64*64}\n"
PROCEDURAL = "endpointKey: local.procedural.image\nparams: {prompt: %r, size: 64*64, steps: 1}\n"

# The embedded engine as cn-engine; a prompt `fault:NAME ...` brings that fault about.
FAULTY_ENGINE = f"""\
#!/bin/sh
sed -u 's/"prompt": "fault:\\([a-z-]*\\)/"fault": "\\1", &/' |
"{sys.executable}" -m hotfolder.engine.procedural
"""


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecordingService]:
    """A running library on the rough engine; a prompt `fault:NAME ...` brings that fault about."""
    service = RecordingService(
        tmp_path_factory.mktemp("engines") / "library",
        settings="    flux2-klein-9b: {diffusion_model: nine.gguf, vae: ae.safetensors, llm: qwen.gguf}\n",
        env={"HOTFOLDER_ENGINE__STALL_S": "2"},
    )
    try:
        service.start()
        service.wait_until_watching()
        yield service
    finally:
        service.kill()


def made_picture(service: Service, result: dict[str, Any]) -> Path:
    path: str = result["generations"][0]["outputs"][0]["path"]
    return service.root / path


def sidecar_of(picture: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(picture.with_name(picture.name + ".json").read_text(encoding="utf-8"))
    return found


def error_of(result: dict[str, Any]) -> dict[str, Any]:
    assert result["status"] == "failed", result
    error: dict[str, Any] = result["error"]
    assert result["generations"][0]["error"] == error
    return error


def media_of(service: Service, result: dict[str, Any]) -> list[dict[str, Any]]:
    generation_id = result["generations"][0]["generationId"]
    return service.query("SELECT * FROM media WHERE generation_id = ?", generation_id)


def test_flux_job_without_an_engine_fails_at_once_and_says_what_to_do(service: Service) -> None:
    service.drop("flux.yaml", FLUX % "A lighthouse")

    assert service.run_once() == 1

    result = service.wait_for_result("flux.yaml")
    error = error_of(result)
    assert error["code"] == "engine.not_found"
    assert "engine.path" in error["hint"]
    assert "engine.fallback: procedural" in error["hint"]
    assert result["generations"][0]["attempts"] == 1


def test_engine_path_that_is_no_program_fails_as_not_found(make_service: Callable[..., Service]) -> None:
    service = make_service(
        settings="engine: {path: /nowhere/cn-engine}\n"
        "models: {sets: {flux2-klein-4b: {diffusion_model: klein.gguf}}}\n"
    )
    (service.root / "models" / "klein.gguf").touch()
    service.drop("flux.yaml", FLUX % "A lighthouse")

    assert service.run_once() == 1

    error = error_of(service.wait_for_result("flux.yaml"))
    assert error["code"] == "engine.not_found"
    assert "engine.path" in error["hint"]


@pytest.mark.parametrize(
    ("settings", "cause"),
    [
        ("engine: {fallback: procedural}\n", "No cn-engine was found"),
        (
            "engine: {fallback: procedural, path: /nowhere/cn-engine}\n"
            "models: {sets: {flux2-klein-4b: {diffusion_model: /bin/sh}}}\n",
            "/nowhere/cn-engine",
        ),
        (
            "engine: {fallback: procedural, path: /bin/true}\n"
            "models: {sets: {flux2-klein-4b: {diffusion_model: klein.gguf}}}\n",
            "klein.gguf is not there",
        ),
    ],
    ids=["no engine", "engine path leads nowhere", "model file missing"],
)
def test_fallback_draws_the_picture_and_says_so_everywhere(
    make_service: Callable[..., Service], settings: str, cause: str
) -> None:
    service = make_service(settings=settings)
    service.drop("flux.yaml", FLUX % "A lighthouse")

    assert service.run_once() == 0, service.output()

    result = service.wait_for_result("flux.yaml")
    picture = made_picture(service, result)
    sidecar = sidecar_of(picture)
    warnings = result["generations"][0]["warnings"]
    assert len(warnings) == 1
    assert "procedural" in warnings[0]
    assert cause in warnings[0]
    assert sidecar["warnings"] == warnings
    assert (sidecar["engine"]["kind"], sidecar["aiGenerated"]) == ("procedural", False)
    assert sidecar["endpoint"]["endpointKey"] == "local.flux2-klein-4b.image"
    assert b"trainedAlgorithmicMedia" not in picture.read_bytes()
    row = service.query("SELECT engine_kind, model_file FROM generations")[0]
    assert row == {"engine_kind": "procedural", "model_file": None}


def test_cn_engine_gets_a_safe_command_and_its_picture_is_disclosed_as_generated(
    studio: RecordingService,
) -> None:
    studio.drop("flux.yaml", FLUX % "A lighthouse, no seed")

    result = studio.wait_for_result("flux.yaml")

    assert result["status"] == "completed"
    sent = next(each for each in studio.commands("generate") if each["prompt"] == "A lighthouse, no seed")
    seed = result["generations"][0]["seed"]
    assert (sent["seed"], sent["steps"], sent["sampling_method"]) == (seed, 4, "euler")
    assert 0 <= seed < 2**31
    assert sent["use_prompt_cache"] is sent["use_ref_latent_cache"] is True
    load = studio.commands("load")[0]
    assert load["vae_decode_only"] is False
    assert load["free_params_immediately"] is False
    assert load["offload_to_cpu"] is load["flash_attn"] is True
    picture = made_picture(studio, result)
    sidecar = sidecar_of(picture)
    assert sidecar["aiGenerated"] is True
    assert sidecar["engine"]["kind"] == "cn-engine"
    assert sidecar["engine"]["modelFiles"] == {
        "diffusion_model": "klein.gguf",
        "vae": "ae.safetensors",
        "llm": "qwen.gguf",
    }
    record = parse_xmp(picture.with_name(picture.name + ".xmp").read_bytes())
    assert (record.digital_source_type or "").endswith("/trainedAlgorithmicMedia")
    assert record.ai_prompt_information == "A lighthouse, no seed"
    assert record.ai_system_used == "klein.gguf"


def test_picture_from_references_is_disclosed_as_a_composite(studio: RecordingService) -> None:
    pictures.write_png(studio.root / "inbox" / "layout.png")
    studio.drop("composite.yaml", FLUX % "A composite" + "refs: [{path: layout.png, role: layout}]\n")

    result = studio.wait_for_result("composite.yaml")

    picture = made_picture(studio, result)
    record = parse_xmp(picture.with_name(picture.name + ".xmp").read_bytes())
    assert (record.digital_source_type or "").endswith("/compositeWithTrainedAlgorithmicMedia")
    assert [(each.file_path, each.role) for each in record.ingredients] == [("layout.png", "layout")]
    assert b"/compositeWithTrainedAlgorithmicMedia" in picture.read_bytes()


def test_engine_that_always_crashes_fails_its_job_with_the_engines_last_words_and_no_other(
    studio: RecordingService,
) -> None:
    studio.drop("crash.yaml", FLUX % "fault:crash one" + "maxAttempts: 2\n")
    studio.drop("fine.yaml", FLUX % "all is well")

    crashed, fine = studio.wait_for_result("crash.yaml"), studio.wait_for_result("fine.yaml")

    error = error_of(crashed)
    assert error["code"] == "engine.out_of_memory"  # as its log says
    assert "ggml.c:12 - out of memory" in error["hint"]
    assert crashed["generations"][0]["attempts"] == 2
    assert sum(each["prompt"] == "fault:crash one" for each in studio.commands("generate")) == 2
    assert fine["status"] == "completed"
    assert fine["generations"][0]["attempts"] == 1
    report = (studio.root / "failed" / "crash.yaml.error.md").read_text(encoding="utf-8")
    assert "engine.out_of_memory" in report


def test_engines_own_error_ends_the_job_under_its_own_code(studio: RecordingService) -> None:
    studio.drop("refused.yaml", FLUX % "fault:fail one" + "maxAttempts: 1\n")

    error = error_of(studio.wait_for_result("refused.yaml"))

    assert error["code"] == "engine.generation_failed"


def test_engine_that_hangs_ends_as_a_timeout_and_the_next_job_runs(studio: RecordingService) -> None:
    studio.drop("hang.yaml", FLUX % "fault:hang one" + "maxAttempts: 1\n")
    studio.drop("after.yaml", FLUX % "after the hang")

    hung, after = studio.wait_for_result("hang.yaml"), studio.wait_for_result("after.yaml")

    error = error_of(hung)
    assert error["code"] == "engine.timeout"
    assert "engine.stall_s" in error["hint"]
    assert after["status"] == "completed"


def test_missing_model_file_is_named_and_other_models_still_run(studio: RecordingService) -> None:
    studio.drop("nine.yaml", (FLUX % "with 9B").replace("4b", "9b"))
    studio.drop("four.yaml", FLUX % "with 4B")

    error = error_of(studio.wait_for_result("nine.yaml"))

    assert error["code"] == "engine.load_failed"
    assert str(studio.root / "models" / "nine.gguf") in error["message"]
    assert "models.sets" in error["hint"]
    assert studio.wait_for_result("four.yaml")["status"] == "completed"


def test_engine_that_crashes_once_is_tried_again_and_the_job_completes(
    make_service: Callable[..., Service], tmp_path: Path
) -> None:
    armed = tmp_path / "armed"
    armed.touch()
    fault = f"{{HOTFOLDER_PROCEDURAL_FAULT: crash, HOTFOLDER_PROCEDURAL_FAULT_ONCE: {armed}}}"
    service = make_service(settings=f"engine: {{env: {fault}}}\n")
    service.drop("once.yaml", PROCEDURAL % "A crash")

    assert service.run_once() == 0, service.output()

    result = service.wait_for_result("once.yaml")
    assert not armed.exists()
    assert result["status"] == "completed"
    assert result["error"] is None
    assert (result["generations"][0]["attempts"], result["generations"][0]["error"]) == (2, None)
    assert sidecar_of(made_picture(service, result))["generation"]["attempts"] == 2
    assert len(service.query("SELECT id FROM media")) == 1


def test_output_that_is_no_whole_picture_is_never_taken_in(
    make_service: Callable[..., Service], tmp_path: Path
) -> None:
    engine = tmp_path / "faulty-engine"
    engine.write_text(FAULTY_ENGINE, encoding="utf-8")
    engine.chmod(0o755)
    service = make_service(
        settings=f"engine: {{path: {engine}}}\nmodels: {{sets: {{flux2-klein-4b: {{}}}}}}\n".replace(
            "{}", "{diffusion_model: klein.gguf}"
        )
    )
    (service.root / "models" / "klein.gguf").touch()
    faults = ("garbage-output", "missing-output", "half-output")
    for fault in faults:
        service.drop(f"{fault}.yaml", FLUX % f"fault:{fault} x" + "maxAttempts: 1\n")
    service.drop("whole.yaml", FLUX % "whole")

    assert service.run_once() == 1

    for fault in faults:
        result = service.wait_for_result(f"{fault}.yaml")
        assert error_of(result)["code"] == "engine.bad_output"
        assert error_of(result)["hint"]
        assert result["generations"][0]["outputs"] == media_of(service, result) == []
    whole = service.wait_for_result("whole.yaml")
    assert whole["status"] == "completed"
    stored = [each for each in (service.root / "originals").rglob("*") if each.is_file()]
    assert {each.name.split(".")[0] for each in stored} == {whole["generations"][0]["outputs"][0]["mediaId"]}
    assert not any((service.root / "work").iterdir())
