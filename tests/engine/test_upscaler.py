"""The upscaler child as its callers meet it, and what its pictures are worth beside Lanczos."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from hotfolder.engine.kinds import EXTRAS
from tests.engine.procedural_child import Child, Start, started_children
from tests.enlarging import drawn, harbour, lanczos_psnr_db, psnr_db, reduced

needs_extra = pytest.mark.skipif(
    not EXTRAS["upscaler"].is_installed(), reason=f"needs {EXTRAS['upscaler'].install_line}"
)
LARGE = "realesrgan-x4plus"


@pytest.fixture
def start() -> Iterator[Start]:
    with started_children("hotfolder.engine.upscaler") as starter:
        yield starter


@pytest.fixture
def child(start: Start) -> Child:
    return start(loaded=False)


def largest_difference(one: Image.Image, other: Image.Image) -> int:
    extrema = ImageChops.difference(one, other).getextrema()
    return max(int(high) for _, high in extrema)  # type: ignore[misc]


def enlarged(child: Child, image: Image.Image, folder: Path, **params: Any) -> Image.Image:
    source, output = folder / "in.png", folder / "up" / "out.png"
    image.save(source)
    answer = child.ask("upscale", {"input": str(source), "output": str(output), **params})
    assert answer["type"] == "result", answer
    with Image.open(output) as made:
        made.load()
        assert made.format == "PNG"
        return made.copy()


def test_ping_and_status_need_no_library(child: Child) -> None:
    assert child.ask("ping")["data"] == {"status": "pong"}
    assert child.ask("status")["data"] == {
        "model_loaded": False,
        "upscaler_loaded": False,
        "upscaler_model": "",
    }


def test_quit_and_the_end_of_stdin_end_it(start: Start) -> None:
    quitting, closed = start(loaded=False), start(loaded=False)
    assert quitting.ask("quit")["data"] == {"status": "quitting"}
    assert closed.ask("ping")["type"] == "ok"
    assert closed.process.stdin is not None
    closed.process.stdin.close()
    assert (quitting.wait(), closed.wait()) == (0, 0)


def test_wrong_json_type_aborts_it_like_the_real_engine(child: Child) -> None:
    child.send("upscale", {"input": 7})
    assert child.read_line() == b""
    assert child.wait() == -signal.SIGABRT


def test_missing_extra_is_told_with_the_line_that_installs_it(start: Start, tmp_path: Path) -> None:
    (tmp_path / "ncnn.py").write_text("raise ModuleNotFoundError('gone', name='ncnn')\n")
    drawn(32).save(tmp_path / "in.png")
    child = start(loaded=False, PYTHONPATH=str(tmp_path))
    refused = child.ask("upscale", {"input": str(tmp_path / "in.png"), "output": str(tmp_path / "a.png")})
    assert refused["data"]["code"] == "NOT_FOUND"
    assert "ncnn is not installed; run: pip install 'hotfolder[upscale]'" in refused["data"]["message"]
    assert child.ask("ping")["type"] == "ok"


@needs_extra
def test_result_and_progress_tell_how_a_picture_was_enlarged(child: Child, tmp_path: Path) -> None:
    source, output = tmp_path / "in.png", tmp_path / "up" / "out.png"
    harbour((300, 40)).save(source)
    child.send("upscale", {"input": str(source), "output": str(output), "upscale_factor": 2})
    *progress, result = child.read_replies()
    steps = [reply["data"] for reply in progress if "step" in reply["data"]]
    assert {reply["data"]["phase"] for reply in progress} == {"upscaling", "saving"}
    assert [(each["step"], each["total_steps"]) for each in steps] == [(0, 2), (1, 2), (2, 2)]
    assert isinstance(result["data"].pop("total_time_ms"), int)
    assert result["data"].pop("model_info").startswith("realesr-animevideov3 2x (Real-ESRGAN, ncnn ")
    assert result["data"] == {
        "success": True,
        "output": str(output),
        "upscale_repeats": 1,
        "upscale_factor": 2,
        "width": 600,
        "height": 80,
    }
    assert list(output.parent.iterdir()) == [output], "nothing temporary is left"


@needs_extra
@pytest.mark.parametrize("factor", [2, 3, 4])
def test_drawing_is_nearer_to_its_original_than_by_lanczos(child: Child, factor: int, tmp_path: Path) -> None:
    original = drawn(240)
    small = reduced(original, factor)
    made = enlarged(child, small, tmp_path, upscale_factor=factor)
    assert psnr_db(original, made) > lanczos_psnr_db(original, small) + 1


@needs_extra
def test_scene_keeps_its_colours_and_its_place(child: Child, tmp_path: Path) -> None:
    """Trained to please the eye, the model loses some dB to Lanczos on such pictures, but not many."""
    original = harbour((480, 320))
    small = reduced(original, 4)
    made = enlarged(child, small, tmp_path)
    assert psnr_db(original, made) > lanczos_psnr_db(original, small) - 2
    assert largest_difference(made.resize((12, 8)), small.resize((12, 8))) < 12


@needs_extra
def test_tiles_leave_no_seam(child: Child, tmp_path: Path) -> None:
    """The same place in the middle of a tile, and where two of them meet: the very pixels."""
    wide = harbour((290, 48))
    whole = enlarged(child, wide, tmp_path)  # two tiles, which meet at 145
    middle = enlarged(child, wide.crop((45, 0, 245, 48)), tmp_path)  # one tile
    met = whole.crop((4 * 105, 0, 4 * 185, 4 * 48))
    assert largest_difference(met, middle.crop((4 * 60, 0, 4 * 140, 4 * 48))) <= 1


@needs_extra
def test_tiles_of_a_large_model_meet_within_a_few_grey_levels(child: Child, tmp_path: Path) -> None:
    wide = harbour((160, 24))
    whole = enlarged(child, wide, tmp_path, upscale_model=LARGE)  # two tiles, which meet at 80
    middle = enlarged(child, wide.crop((26, 0, 134, 24)), tmp_path, upscale_model=LARGE)  # one tile
    met, same = whole.crop((4 * 76, 0, 4 * 84, 4 * 24)), middle.crop((4 * 50, 0, 4 * 58, 4 * 24))
    assert largest_difference(met, same) <= 6
    assert max(ImageStat.Stat(ImageChops.difference(met, same)).mean) < 1


@needs_extra
def test_large_model_reduces_its_own_factor_and_says_so(child: Child, tmp_path: Path) -> None:
    drawn(24).save(tmp_path / "in.png")
    params = {"input": str(tmp_path / "in.png"), "output": str(tmp_path / "out.png")}
    data = child.ask("upscale", params | {"upscale_factor": 3, "upscale_model": LARGE})["data"]
    assert (data["width"], data["height"]) == (72, 72)
    assert data["model_info"].endswith(", reduced to 3x by Lanczos")


@needs_extra
def test_transparency_is_kept_and_hidden_black_does_not_show(child: Child, tmp_path: Path) -> None:
    logo = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    ImageDraw.Draw(logo).ellipse((12, 12, 52, 52), fill=(230, 40, 40, 255))
    made = enlarged(child, logo, tmp_path)
    assert (made.mode, made.size) == ("RGBA", (256, 256))
    assert made.getpixel((4, 4))[3] == 0  # type: ignore[index]
    assert made.getpixel((128, 128))[3] == 255  # type: ignore[index]
    shown = made.getchannel("A").point(lambda value: 255 if value else 0)
    darkest = min(number for number, count in enumerate(made.getchannel("R").histogram(shown)) if count)
    assert darkest > 190, "no dark rim"


@needs_extra
def test_alpha_that_hides_nothing_is_dropped(child: Child, tmp_path: Path) -> None:
    assert enlarged(child, drawn(24).convert("RGBA"), tmp_path).mode == "RGB"


@needs_extra
def test_picture_of_one_pixel_and_two_passes_come_out_in_the_right_size(child: Child, tmp_path: Path) -> None:
    made = enlarged(child, Image.new("RGB", (1, 1), "red"), tmp_path, upscale_factor=3, upscale_repeats=2)
    assert made.size == (9, 9)


@needs_extra
def test_same_picture_comes_out_the_same_again(child: Child, tmp_path: Path) -> None:
    small = drawn(48)
    assert enlarged(child, small, tmp_path).tobytes() == enlarged(child, small, tmp_path).tobytes()


@needs_extra
def test_what_it_cannot_do_is_refused_and_it_lives_on(child: Child, tmp_path: Path) -> None:
    drawn(32).save(tmp_path / "in.png")
    job = {"input": str(tmp_path / "in.png"), "output": str(tmp_path / "out.png")}
    (tmp_path / "file").touch()
    refusals = [
        (job | {"upscale_factor": 5}, "UPSCALE_FAILED"),
        (job | {"upscale_repeats": 9}, "UPSCALE_FAILED"),
        (job | {"upscale_model": "esrgan.pth"}, "UPSCALER_CREATION_FAILED"),
        (job | {"input": str(tmp_path / "none.png")}, "REF_IMAGE_LOAD_FAILED"),
        (job | {"output": str(tmp_path / "file" / "out.png")}, "OUTPUT_DIR_FAILED"),
        (job | {"output": str(tmp_path)}, "NO_OUTPUT"),
    ]
    for params, code in refusals:
        assert child.ask("upscale", params)["data"].get("code") == code
    assert "code" not in child.ask("upscale", {})["data"]
    assert child.ask("generate", {"prompt": "x"})["data"]["code"] == "GENERATION_FAILED"
    assert child.ask("upscale", job)["type"] == "result"


@needs_extra
def test_load_and_unload_are_told_by_status(child: Child) -> None:
    assert child.ask("load", {})["data"]["status"] == "model_loaded"
    assert child.ask("status")["data"]["upscaler_model"] == "realesr-animevideov3"
    assert child.ask("unload")["data"] == {"status": "model_unloaded"}
    assert child.ask("status")["data"]["upscaler_loaded"] is False


@needs_extra
def test_terminate_ends_it_in_the_middle_of_a_tile(child: Child, tmp_path: Path) -> None:
    harbour((144, 144)).save(tmp_path / "in.png")
    output = tmp_path / "out.png"
    child.send("upscale", {"input": str(tmp_path / "in.png"), "output": str(output), "upscale_model": LARGE})
    assert b"upscaling" in child.read_line()
    child.process.terminate()
    assert child.wait() == -signal.SIGTERM
    assert not output.exists()
