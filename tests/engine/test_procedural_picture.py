"""The embedded engine's pictures: what is in them, and that they depend on their recipe alone."""

from __future__ import annotations

import hashlib

import pytest
from PIL import Image

from hotfolder.engine.procedural_overlay import drawable
from hotfolder.engine.procedural_palette import TERRAINS, choose_palette, choose_terrain
from hotfolder.engine.procedural_picture import Recipe, paint
from hotfolder.engine.procedural_scene import random_stream

RED, BLUE = (250, 0, 0), (0, 0, 250)


def finish(recipe: Recipe) -> Image.Image:
    *_, picture = paint(recipe)
    return picture


def count(picture: Image.Image, colour: tuple[int, int, int]) -> int:
    return sum(
        found for found, value in picture.getcolors(picture.width * picture.height) or [] if value == colour
    )


@pytest.mark.parametrize(
    "prompt", ["alpine peaks in winter", "forest hills", "a calm lake at dusk", "city at night"]
)
def test_a_recipe_gives_the_same_pixels_again(prompt: str) -> None:
    recipe = Recipe(prompt, 5, 160, 96, 12)
    digests = {hashlib.sha256(finish(recipe).tobytes()).hexdigest() for _ in range(2)}
    assert len(digests) == 1


def test_every_step_adds_something_that_can_be_seen() -> None:
    drawn = [canvas.tobytes() for canvas in paint(Recipe("hills", 3, 256, 256, 14, caption=False))]
    assert len(drawn) == 14
    assert len(set(drawn)) == 14


def test_more_steps_give_another_picture_even_without_a_caption() -> None:
    pictures = {finish(Recipe("lake", 3, 128, 128, steps, caption=False)).tobytes() for steps in range(1, 13)}
    assert len(pictures) == 12


@pytest.mark.parametrize("size", [(16, 16), (16, 512), (512, 16), (64, 64), (208, 1024), (1024, 208)])
@pytest.mark.parametrize("prompt", ["mountain", "lake", "city", "forest"])
def test_every_size_can_be_drawn_with_references_and_caption(size: tuple[int, int], prompt: str) -> None:
    references = (Image.new("RGB", (300, 20), RED), Image.new("RGB", (1, 90), BLUE))
    assert finish(Recipe(prompt, 1, *size, 4, references)).size == size


@pytest.mark.parametrize("amount", [1, 3, 8])
def test_every_reference_is_shown_with_its_own_colours(amount: int) -> None:
    colours = [(200 + index, 10 * index, 255 - index) for index in range(amount)]
    references = tuple(Image.new("RGB", (64, 48), colour) for colour in colours)
    picture = finish(Recipe("gallery", 1, 512, 384, 2, references))
    assert all(count(picture, colour) > 400 for colour in colours)


def test_references_leave_the_landscape_around_them_as_it_was() -> None:
    plain = finish(Recipe("gallery", 1, 256, 256, 2, caption=False))
    hung = finish(Recipe("gallery", 1, 256, 256, 2, (Image.new("RGB", (32, 32), RED),), caption=False))
    sky = (0, 0, 256, 20)
    assert plain.crop(sky).tobytes() == hung.crop(sky).tobytes()
    assert plain.tobytes() != hung.tobytes()


def test_the_caption_is_a_strip_that_can_be_left_out() -> None:
    with_caption = finish(Recipe("hills", 1, 512, 512, 4))
    without = finish(Recipe("hills", 1, 512, 512, 4, caption=False))
    ink = with_caption.getpixel((1, 511))
    assert count(with_caption.crop((0, 490, 512, 512)), ink) > 6000  # type: ignore[arg-type]
    assert with_caption.crop((0, 475, 512, 512)).getcolors(37 * 512) != [(37 * 512, ink)]
    assert without.getpixel((1, 511)) != ink


def test_a_long_prompt_stays_inside_the_picture() -> None:
    picture = finish(Recipe("word " * 500, 1, 256, 256, 1))
    ink = picture.getpixel((1, 255))
    assert {picture.getpixel((x, y)) for x in (253, 254, 255) for y in range(245, 256)} == {ink}


def test_the_caption_folds_letters_that_the_font_lacks() -> None:
    assert drawable("Crème – 日本\n“ok”") == "Creme - ?? “ok”"  # noqa: RUF001


def test_words_of_the_prompt_choose_mood_and_terrain_whatever_the_seed() -> None:
    for seed in range(10):
        stream = random_stream("x", seed, "mood")
        assert choose_palette("Snowy stars over the MOON, midnight", stream).name == "night"
        assert choose_terrain("boats on the lake", stream) == "water"


def test_a_prompt_without_known_words_varies_with_the_seed() -> None:
    terrains = {choose_terrain("qwertz", random_stream("qwertz", seed, "mood")) for seed in range(40)}
    assert terrains == set(TERRAINS)


def test_random_streams_are_the_same_on_every_machine() -> None:
    assert random_stream("a fox", 42, "sun").random() == 0.7042212791138437
    assert random_stream("a fox", 42, "sun").random() != random_stream("a fox", 42, "trees").random()
