"""Pictures: thumbnails, references for the engine, pixel identity."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from hotfolder.errors import LibraryError
from hotfolder.files.images import (
    check_image,
    inspect_output,
    prepare_reference,
    read_pixels_sha256,
    reference_cache_key,
    reference_size,
    write_thumbnail,
    write_upright,
)
from tests import pictures

Writer = Callable[[Path], Path]


def first_pixel(path: Path) -> tuple[int, ...]:
    with Image.open(path) as image:
        assert image.mode == "RGB"
        pixel = image.getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return pixel


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("write", [pictures.write_jpeg, pictures.write_tiff])
def test_reference_is_upright(tmp_path: Path, write: Callable[..., Path], orientation: int) -> None:
    source = write(tmp_path / "photo", (96, 160), orientation=orientation)
    target = tmp_path / "prepared.png"

    size = prepare_reference(source, target)

    assert size == (96, 160)
    assert pictures.colours_are_close(pictures.corner_colours(target), pictures.CORNERS)


def test_portrait_photo_of_a_phone_stays_portrait_and_whole(tmp_path: Path) -> None:
    source = pictures.write_rotated_jpeg(tmp_path / "photo.jpg", (1200, 1600))
    target = tmp_path / "prepared.png"

    size = prepare_reference(source, target)

    assert size == (880, 1168)
    assert pictures.colours_are_close(pictures.corner_colours(target), pictures.CORNERS)


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (pictures.write_grey_png, (90, 90, 90)),
        (pictures.write_grey16_png, (0x5A, 0x5A, 0x5A)),
        (pictures.write_palette_png, pictures.RED),
        (pictures.write_rgba_png, (127, 127, 127)),
        (pictures.write_webp, pictures.RED),
        (pictures.write_gif, pictures.RED),
        (pictures.write_bmp, pictures.RED),
    ],
)
def test_every_kind_of_picture_becomes_rgb_with_the_right_values(
    tmp_path: Path, write: Writer, expected: tuple[int, int, int]
) -> None:
    target = tmp_path / "prepared.png"

    prepare_reference(write(tmp_path / "source"), target)

    assert first_pixel(target) == expected


def test_cmyk_picture_becomes_the_red_that_was_printed(tmp_path: Path) -> None:
    target = tmp_path / "prepared.png"

    prepare_reference(pictures.write_cmyk_jpeg(tmp_path / "print.jpg"), target)

    red, green, blue = first_pixel(target)
    assert red > 240
    assert green < 15
    assert blue < 15


def test_transparent_part_of_a_palette_becomes_white(tmp_path: Path) -> None:
    target = tmp_path / "prepared.png"

    prepare_reference(pictures.write_palette_png(tmp_path / "logo.png"), target)

    with Image.open(target) as image:
        assert image.getpixel((63, 0)) == (255, 255, 255)


def test_transparent_colour_of_a_truecolour_png_becomes_white(tmp_path: Path) -> None:
    source, target = tmp_path / "keyed.png", tmp_path / "prepared.png"
    Image.new("RGB", (32, 32), (1, 2, 3)).save(source, transparency=(1, 2, 3))

    prepare_reference(source, target)

    assert first_pixel(target) == (255, 255, 255)


@pytest.mark.parametrize(
    ("mode", "value", "expected"), [("F", 0.5, 127), ("F", 2.0, 255), ("I", 0x5A80, 0x5A), ("1", 1, 255)]
)
def test_rare_depths_are_scaled_not_clipped(tmp_path: Path, mode: str, value: float, expected: int) -> None:
    source, target = tmp_path / "rare.tif", tmp_path / "prepared.png"
    Image.new(mode, (32, 32), value).save(source)

    prepare_reference(source, target)

    assert first_pixel(target)[0] == expected


def test_float_picture_that_counts_to_255_is_not_all_white(tmp_path: Path) -> None:
    source, target = tmp_path / "float.tif", tmp_path / "prepared.png"
    image = Image.new("F", (32, 32), 51.0)
    image.paste(255.0, (0, 16, 32, 32))
    image.save(source)

    prepare_reference(source, target)

    assert first_pixel(target)[0] == 51


def test_colour_profile_is_applied_and_not_kept(tmp_path: Path) -> None:
    source, target = tmp_path / "wide.png", tmp_path / "prepared.png"
    profile = swapped_primaries_profile()
    Image.new("RGB", (32, 32), (255, 0, 0)).save(source, icc_profile=profile)

    prepare_reference(source, target)

    assert first_pixel(target)[1] > 200
    assert first_pixel(target)[0] < 60
    with Image.open(target) as image:
        assert image.info == {}


def swapped_primaries_profile() -> bytes:
    """sRGB with the red and green primaries exchanged, so that an applied profile cannot be overlooked."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "CMYK"])
def test_unusable_colour_profile_is_ignored(tmp_path: Path, mode: str) -> None:
    source, target = tmp_path / "odd.tif", tmp_path / "prepared.png"
    Image.new(mode, (32, 32)).save(source, icc_profile=b"not a profile at all" * 20)

    assert prepare_reference(source, target) == (32, 32)


def test_grey_picture_with_a_profile_for_colour_is_prepared(tmp_path: Path) -> None:
    source, target = tmp_path / "grey.png", tmp_path / "prepared.png"
    Image.new("L", (32, 32), 90).save(source, icc_profile=swapped_primaries_profile())

    prepare_reference(source, target)

    assert first_pixel(target) == (90, 90, 90)


@given(width=st.integers(1, 40_000), height=st.integers(1, 40_000))
def test_prepared_size_is_legal_for_every_picture(width: int, height: int) -> None:
    prepared_width, prepared_height = reference_size(width, height, max_pixels=1024 * 1024, multiple=16)

    assert prepared_width % 16 == prepared_height % 16 == 0
    assert prepared_width >= 16
    assert prepared_height >= 16
    assert prepared_width * prepared_height <= 1024 * 1024
    assert prepared_width <= max(width, 16)
    assert prepared_height <= max(height, 16)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((3000, 3000), (1024, 1024)),
        ((1024, 1024), (1024, 1024)),
        ((1600, 1200), (1168, 880)),
        ((1000, 600), (992, 592)),
        ((5, 5), (16, 16)),
        ((40_000, 3), (40_000, 16)),
        ((4_000_000, 3), (65_536, 16)),
    ],
)
def test_prepared_size_is_the_largest_legal_one(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert reference_size(*size, max_pixels=1024 * 1024, multiple=16) == expected


def test_reference_is_cropped_evenly_and_not_distorted(tmp_path: Path) -> None:
    source, target = tmp_path / "wide.png", tmp_path / "prepared.png"
    image = Image.new("RGB", (47, 16), (0, 0, 0))
    image.paste((255, 255, 255), (23, 0, 24, 16))  # the middle column
    image.save(source)

    size = prepare_reference(source, target)

    assert size == (32, 16)
    with Image.open(target) as prepared:
        row = np.asarray(prepared)[8, :, 0].astype(int)
    assert np.array_equal(row, row[::-1])
    assert row.max() > 100


def test_repeated_preparation_writes_the_same_bytes(tmp_path: Path) -> None:
    source = pictures.write_rotated_jpeg(tmp_path / "photo.jpg", (600, 800))
    first, second = tmp_path / "1.png", tmp_path / "2.png"

    prepare_reference(source, first)
    prepare_reference(source, second)

    assert first.read_bytes() == second.read_bytes()


def test_prepared_reference_carries_no_metadata(tmp_path: Path) -> None:
    source, target = tmp_path / "a.png", tmp_path / "prepared.png"
    text = PngInfo()
    text.add_text("parameters", "a secret prompt")
    pictures.quartered((64, 64)).save(source, pnginfo=text, dpi=(300, 300))

    prepare_reference(source, target)

    chunks = target.read_bytes()
    assert b"tEXt" not in chunks
    assert b"pHYs" not in chunks


def test_small_reference_is_not_resampled(tmp_path: Path) -> None:
    source, target = tmp_path / "a.png", tmp_path / "prepared.png"
    Image.effect_noise((64, 48), 90).convert("RGB").save(source)

    prepare_reference(source, target)

    assert read_pixels_sha256(source) == read_pixels_sha256(target)


@pytest.mark.parametrize(
    ("write", "mode"),
    [
        (pictures.write_jpeg, "RGB"),
        (pictures.write_webp, "RGB"),
        (pictures.write_grey_png, "RGB"),
        (pictures.write_grey16_png, "RGB"),
        (pictures.write_cmyk_jpeg, "RGB"),
        (pictures.write_palette_png, "RGBA"),
        (pictures.write_rgba_png, "RGBA"),
    ],
)
def test_upright_copy_keeps_every_pixel_and_what_is_transparent(
    tmp_path: Path, write: Writer, mode: str
) -> None:
    info = write_upright(write(tmp_path / "source"), tmp_path / "upright.png")

    assert (info.width, info.height, info.mode) == (64, 48, mode)
    with Image.open(tmp_path / "upright.png") as image:
        assert (image.format, image.size, image.mode, image.info) == ("PNG", (64, 48), mode, {})


def test_upright_copy_is_turned_and_drops_an_alpha_that_hides_nothing(tmp_path: Path) -> None:
    info = write_upright(pictures.write_rotated_jpeg(tmp_path / "a.jpg", (90, 120)), tmp_path / "a.png")
    opaque = write_upright(pictures.write_rgba_png(tmp_path / "b.png", alpha=255), tmp_path / "c.png")

    assert (info.width, info.height) == (90, 120)
    assert pictures.colours_are_close(pictures.corner_colours(tmp_path / "a.png"), pictures.CORNERS)
    assert opaque.mode == "RGB"


def test_cache_key_follows_the_source_and_the_version() -> None:
    source = "9f" * 32

    assert reference_cache_key(source) == hashlib.sha256((source + "2").encode()).hexdigest()


@pytest.mark.parametrize("orientation", [1, 6, 8])
@pytest.mark.parametrize("size", [(64, 48), (400, 400), (1300, 900), (900, 2000)])
def test_thumbnail_is_an_upright_square_of_400(
    tmp_path: Path, size: tuple[int, int], orientation: int
) -> None:
    source = pictures.write_jpeg(tmp_path / "photo.jpg", size, orientation=orientation)
    target = tmp_path / "aa" / "thumb.jpg"

    write_thumbnail(source, target)

    with Image.open(target) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (400, 400))
    assert pictures.colours_are_close(pictures.corner_colours(target), pictures.CORNERS)


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (pictures.write_grey16_png, (0x5A, 0x5A, 0x5A)),
        (pictures.write_grey_png, (90, 90, 90)),
        (pictures.write_cmyk_jpeg, (254, 0, 0)),
        (pictures.write_webp, pictures.RED),
        (pictures.write_rgba_png, (48, 48, 48)),
    ],
)
def test_thumbnail_has_the_colours_of_the_picture(
    tmp_path: Path, write: Writer, expected: tuple[int, int, int]
) -> None:
    target = tmp_path / "thumb.jpg"

    write_thumbnail(write(tmp_path / "source"), target)

    assert pictures.colours_are_close([first_pixel(target)], (expected,))  # type: ignore[list-item]


def test_thumbnail_of_a_broken_picture_leaves_nothing_behind(tmp_path: Path) -> None:
    source, target = pictures.write_truncated_jpeg(tmp_path / "photo.jpg"), tmp_path / "thumbs" / "a.jpg"

    with pytest.raises(LibraryError, match="it ends early"):
        write_thumbnail(source, target)

    assert not target.parent.exists()


def test_pixel_hash_is_that_of_mode_size_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "tall.png"
    image = Image.linear_gradient("L").resize((700, 3500)).convert("RGB")  # more than one band
    image.save(path)

    expected = hashlib.sha256(b"RGB 700x3500\n" + image.tobytes()).hexdigest()

    assert read_pixels_sha256(path) == expected


def test_pixel_hash_ignores_metadata_and_compression(tmp_path: Path) -> None:
    plain, dressed = tmp_path / "a.png", tmp_path / "b.png"
    text = PngInfo()
    text.add_text("parameters", "a lighthouse")
    pictures.quartered((64, 48)).save(plain, compress_level=1)
    pictures.quartered((64, 48)).save(dressed, compress_level=9, pnginfo=text)

    assert read_pixels_sha256(plain) == read_pixels_sha256(dressed)


def test_pixel_hash_changes_with_one_pixel_and_with_the_shape(tmp_path: Path) -> None:
    images = [Image.new("L", (8, 4)), Image.new("L", (4, 8)), Image.new("L", (8, 4))]
    images[2].putpixel((7, 3), 1)
    for number, image in enumerate(images):
        image.save(tmp_path / f"{number}.png")

    hashes = {read_pixels_sha256(tmp_path / f"{number}.png") for number in range(3)}

    assert len(hashes) == 3


def test_output_is_inspected_by_one_decode_with_the_same_answers(tmp_path: Path) -> None:
    path = pictures.write_rotated_jpeg(tmp_path / "photo.jpg", (90, 120))

    assert inspect_output(path) == (check_image(path), read_pixels_sha256(path))
