"""The embedded engine as its callers meet it: a real child process, driven over its pipes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.engine.procedural_child import READ_LIMIT_S, Start, started_children


@pytest.fixture
def start() -> Iterator[Start]:
    with started_children() as starter:
        yield starter


@pytest.fixture
def job(tmp_path: Path) -> dict[str, Any]:
    return {
        "prompt": "a fox",
        "width": 64,
        "height": 48,
        "steps": 2,
        "output": str(tmp_path / "out" / "a.png"),
    }


def save_reference(path: Path, colour: str, mode: str = "RGB") -> str:
    Image.new(mode, (32, 32), colour).save(path)
    return str(path)


def pixels_of(path: str) -> bytes:
    with Image.open(path) as image:
        return image.convert("RGB").tobytes()


def test_ping_is_answered_with_its_id(start: Start) -> None:
    child = start(loaded=False)
    assert child.ask("ping") == {"id": "ping-1", "type": "ok", "data": {"status": "pong"}}


def test_version_names_a_program_without_a_model() -> None:
    command = [sys.executable, "-m", "hotfolder.engine.procedural", "--version"]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=READ_LIMIT_S)
    assert shown.returncode == 0
    assert shown.stdout.startswith("procedural ")
    assert "no AI model" in shown.stdout


def test_load_says_that_there_is_no_model(start: Start) -> None:
    data = start(loaded=False).ask("load", {"diffusion_model": "/nowhere.gguf", "flash_attn": True})["data"]
    assert isinstance(data.pop("load_time_ms"), int)
    assert data == {
        "status": "model_loaded",
        "model_info": "procedural (no AI model)",
        "upscaler_loaded": True,
        "upscaler_model": "lanczos (no AI model)",
    }


def test_status_follows_load_and_unload(start: Start) -> None:
    child = start()
    loaded = child.ask("status")["data"]
    assert (loaded["model_loaded"], loaded["model_info"]) == (True, "procedural (no AI model)")
    assert isinstance(loaded["uptime_s"], int)
    assert child.ask("unload")["data"] == {"status": "model_unloaded"}
    unloaded = child.ask("status")["data"]
    assert unloaded["model_loaded"] is False
    assert "model_info" not in unloaded


def test_generate_before_load_is_refused(start: Start, job: dict[str, Any]) -> None:
    assert start(loaded=False).ask("generate", job)["data"]["code"] == "NO_MODEL"


def test_generate_reports_its_phases_in_order_and_ends_with_a_result(
    start: Start, job: dict[str, Any], tmp_path: Path
) -> None:
    child = start()
    reference = save_reference(tmp_path / "ref.png", "red")
    child.send(
        "generate", job | {"ref_images": [reference], "upscale_repeats": 1, "upscale_factor": 2, "seed": 7}
    )
    *progress, result = child.read_replies()
    seen = [(reply["data"]["phase"], reply["data"].get("step")) for reply in progress]
    assert seen == [
        ("conditioning", None),
        ("encoding", None),
        ("sampling", 0),
        ("sampling", 1),
        ("sampling", 2),
        ("saving", None),
        ("upscaling", None),
        ("upscaling", 1),
    ]
    assert {reply["id"] for reply in progress} == {"generate-1"}
    assert isinstance(result["data"].pop("total_time_ms"), int)
    assert result == {
        "id": "generate-1",
        "type": "result",
        "data": {
            "success": True,
            "output": job["output"],
            "seed": 7,
            "images_saved": 1,
            "prompt_cache_hit": False,
            "ref_latent_cache_hit": False,
            "upscaled": True,
            "upscale_repeats": 1,
        },
    }
    with Image.open(job["output"]) as image:
        assert (image.format, image.size) == ("PNG", (128, 96))


def test_generate_uses_the_defaults_of_the_real_engine(start: Start, job: dict[str, Any]) -> None:
    child = start()
    child.send("generate", {"output": job["output"]})
    replies = child.read_replies()
    assert replies[-1]["data"]["seed"] == 42
    assert sum(reply["data"].get("phase") == "sampling" for reply in replies) == 21
    with Image.open(job["output"]) as image:
        assert image.size == (512, 512)


def test_sizes_are_rounded_up_to_sixteen(start: Start, job: dict[str, Any]) -> None:
    start().ask("generate", job | {"width": 65.0, "height": 33})
    with Image.open(job["output"]) as image:
        assert image.size == (80, 48)


def test_jpeg_is_written_when_the_name_says_so(start: Start, job: dict[str, Any], tmp_path: Path) -> None:
    start().ask("generate", job | {"output": str(tmp_path / "a.JPG")})
    with Image.open(tmp_path / "a.JPG") as image:
        assert image.format == "JPEG"


def test_two_processes_draw_the_same_pixels(start: Start, job: dict[str, Any], tmp_path: Path) -> None:
    reference = save_reference(tmp_path / "ref.png", "red")
    outputs = [str(tmp_path / f"{number}.png") for number in range(2)]
    for number, output in enumerate(outputs):
        start(PYTHONHASHSEED=str(number)).ask("generate", job | {"ref_images": [reference], "output": output})
    assert Path(outputs[0]).read_bytes() == Path(outputs[1]).read_bytes()


def test_seed_steps_prompt_and_references_each_change_the_pixels(
    start: Start, job: dict[str, Any], tmp_path: Path
) -> None:
    child = start()
    red, blue = save_reference(tmp_path / "r.png", "red"), save_reference(tmp_path / "b.png", "blue")
    changes: list[dict[str, Any]] = [
        {},
        {"seed": 1},
        {"steps": 3},
        {"prompt": "an owl"},
        {"caption": False},
        {"ref_images": [red]},
        {"ref_images": [blue]},
    ]
    drawn = set()
    for change in changes:
        assert child.ask("generate", job | change)["type"] == "result"
        drawn.add(pixels_of(job["output"]))
    assert len(drawn) == len(changes)


def test_cache_flags_follow_the_prompts_and_references_of_this_process(
    start: Start, job: dict[str, Any], tmp_path: Path
) -> None:
    child = start()
    with_reference = job | {"ref_images": [save_reference(tmp_path / "ref.png", "red")]}

    def hits(params: dict[str, Any]) -> tuple[bool, bool]:
        data = child.ask("generate", params)["data"]
        return data["prompt_cache_hit"], data["ref_latent_cache_hit"]

    assert hits(with_reference) == (False, False)
    assert hits(with_reference | {"seed": 2}) == (True, True)
    assert hits(with_reference | {"prompt": "other"}) == (False, True)
    assert hits(with_reference | {"use_prompt_cache": False, "use_ref_latent_cache": False}) == (False, False)
    child.ask("load", {})
    assert hits(with_reference) == (False, False)


def test_the_prompt_cache_forgets_the_oldest_of_seventeen(start: Start, job: dict[str, Any]) -> None:
    child = start()
    small = job | {"width": 16, "height": 16, "steps": 1, "caption": False}
    for number in range(17):
        child.ask("generate", small | {"prompt": f"prompt {number}"})
    assert child.ask("generate", small | {"prompt": "prompt 16"})["data"]["prompt_cache_hit"] is True
    assert child.ask("generate", small | {"prompt": "prompt 0"})["data"]["prompt_cache_hit"] is False


def test_a_reference_that_the_real_engine_could_not_read_is_refused(
    start: Start, job: dict[str, Any], tmp_path: Path
) -> None:
    child = start()
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (8, 8)).save(tmp_path / "a.webp")
    save_reference(tmp_path / "grey.png", "white", mode="L")
    for name in ("missing.png", "text.png", "a.webp", "grey.png"):
        reply = child.ask("generate", job | {"ref_images": [str(tmp_path / name)]})
        assert (reply["type"], reply["data"]["code"]) == ("error", "REF_IMAGE_LOAD_FAILED")
    assert not Path(job["output"]).exists()


def test_an_output_that_cannot_be_written_has_the_code_of_its_cause(
    start: Start, job: dict[str, Any], tmp_path: Path
) -> None:
    child = start()
    (tmp_path / "file").write_text("in the way")
    inside_file = child.ask("generate", job | {"output": str(tmp_path / "file" / "a.png")})
    folder = child.ask("generate", job | {"output": str(tmp_path)})
    assert inside_file["data"]["code"] == "OUTPUT_DIR_FAILED"
    assert folder["data"]["code"] == "NO_OUTPUT"


@pytest.mark.parametrize("change", [{"width": 0}, {"height": -5}, {"steps": 0}, {"width": 10**9}])
def test_values_out_of_range_are_refused(start: Start, job: dict[str, Any], change: dict[str, int]) -> None:
    assert start().ask("generate", job | change)["data"]["code"] == "GENERATION_FAILED"


def test_upscale_enlarges_without_a_load_and_says_how(start: Start, tmp_path: Path) -> None:
    child = start(loaded=False)
    source, output = save_reference(tmp_path / "in.png", "red"), str(tmp_path / "up.png")
    child.send("upscale", {"input": source, "output": output, "upscale_factor": 2, "upscale_repeats": 2})
    *progress, result = child.read_replies()
    assert {reply["data"]["phase"] for reply in progress} == {"upscaling"}
    assert "lanczos" in progress[0]["data"]["message"]
    assert isinstance(result["data"].pop("total_time_ms"), int)
    assert result["data"] == {
        "success": True,
        "output": output,
        "upscale_repeats": 2,
        "upscale_factor": 2,
        "width": 128,
        "height": 128,
        "model_info": "lanczos (no AI model)",
    }
    with Image.open(output) as image:
        assert image.size == (128, 128)


def test_upscale_refuses_what_it_cannot_do(start: Start, tmp_path: Path) -> None:
    child = start(loaded=False)
    source = {"input": save_reference(tmp_path / "in.png", "red"), "output": str(tmp_path / "up.png")}
    assert "code" not in child.ask("upscale", {})["data"]
    assert "code" not in child.ask("upscale", source | {"upscale_repeats": 0})["data"]
    assert child.ask("upscale", source | {"upscale_factor": 5})["data"]["code"] == "UPSCALE_FAILED"
    assert child.ask("upscale", source | {"upscale_repeats": 9})["data"]["code"] == "UPSCALE_FAILED"
    missing = source | {"input": str(tmp_path / "missing.png")}
    assert child.ask("upscale", missing)["data"]["code"] == "REF_IMAGE_LOAD_FAILED"


def test_a_bare_string_of_references_is_ignored(start: Start, job: dict[str, Any]) -> None:
    assert start().ask("generate", job | {"ref_images": "/nowhere.png"})["type"] == "result"


def test_quit_is_answered_and_ends_the_process(start: Start) -> None:
    child = start()
    assert child.ask("quit")["data"] == {"status": "quitting"}
    assert child.wait() == 0


def test_end_of_stdin_lets_the_command_in_hand_finish(start: Start, job: dict[str, Any]) -> None:
    child = start()
    child.send("generate", job | {"slow_ms": 50})
    assert child.process.stdin is not None
    child.process.stdin.close()
    assert child.read_replies()[-1]["data"]["success"] is True
    assert child.wait() == 0


def test_sigterm_ends_a_generation_at_once_without_output(start: Start, job: dict[str, Any]) -> None:
    child = start()
    child.send("generate", job | {"slow_ms": 60_000})
    while b'"sampling"' not in child.read_line():
        pass
    child.process.terminate()
    assert child.wait() == -signal.SIGTERM
    assert not Path(job["output"]).exists()
