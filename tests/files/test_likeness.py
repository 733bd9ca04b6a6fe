"""Versions of a picture are alike, other pictures are not, and plain ones tell nothing."""

from __future__ import annotations

import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from hotfolder.errors import LibraryError
from hotfolder.files.images import write_thumbnail
from hotfolder.files.likeness import NEAR_BITS, count_differing, hash_likeness, read_likeness, says_something


def draw_scene(shift=0, size=(640, 480)):
    """Hills, a sun and a house, as no plain picture has them."""
    image = Image.new("RGB", size, (40, 60, 120))
    draw = ImageDraw.Draw(image)
    width, height = size
    for place in range(9):
        left = width * place / 9 + shift
        top = height * (0.35 + 0.06 * ((place * 7) % 5))
        draw.rectangle((left, top, left + width / 12, height), fill=(30 * (place % 8), 200 - 20 * place, 60))
    draw.ellipse((width * 0.62 - shift, 20, width * 0.82 - shift, 120), fill=(250, 220, 90))
    return image


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image.resize((320, 240)),
        lambda image: image.filter(ImageFilter.GaussianBlur(2)),
        lambda image: ImageEnhance.Brightness(image).enhance(0.8),
        lambda image: ImageEnhance.Color(image).enhance(0.3),
    ],
    ids=["half the size", "blurred", "darker", "paler"],
)
def test_versions_of_a_picture_are_alike(change):
    scene = draw_scene()

    assert count_differing(hash_likeness(scene), hash_likeness(change(scene))) <= NEAR_BITS


def test_another_picture_is_not_alike():
    scene = draw_scene()

    for other in (scene.transpose(Image.Transpose.FLIP_LEFT_RIGHT), scene.rotate(180), draw_scene(shift=60)):
        assert count_differing(hash_likeness(scene), hash_likeness(other)) > 2 * NEAR_BITS


def test_hash_is_a_signed_number_of_64_bits_of_which_each_counts_once():
    falling = Image.linear_gradient("L").rotate(-90)  # each pixel is brighter than its right neighbour
    rising = Image.linear_gradient("L").rotate(90)

    assert {hash_likeness(falling), hash_likeness(rising)} == {0, -1}
    assert count_differing(0, -1) == 64
    assert count_differing(-1, -(2**63)) == 63
    assert count_differing(5, 5) == 0


@pytest.mark.parametrize(
    "plain", [Image.new("RGB", (64, 64), "white"), Image.linear_gradient("L").rotate(90)]
)
def test_plain_picture_and_gradient_say_nothing(plain):
    assert not says_something(hash_likeness(plain))
    assert says_something(hash_likeness(draw_scene()))


def test_thumbnail_is_like_the_picture_it_was_made_of(tmp_path):
    scene = draw_scene(size=(600, 600))
    scene.save(tmp_path / "scene.png")
    write_thumbnail(tmp_path / "scene.png", tmp_path / "small.jpg")

    found = read_likeness(tmp_path / "small.jpg")

    assert count_differing(found, hash_likeness(scene)) <= NEAR_BITS


def test_file_that_is_no_picture_has_no_hash(tmp_path):
    (tmp_path / "small.jpg").write_bytes(b"no picture")

    with pytest.raises(LibraryError):
        read_likeness(tmp_path / "small.jpg")
