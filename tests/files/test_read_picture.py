"""Pictures read by one decode: what they are, who they are, and a thumbnail that looks like them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from hotfolder.errors import LibraryError
from hotfolder.files import decoding, images
from hotfolder.files.decoding import readable_extensions
from hotfolder.files.images import (
    THUMBNAIL_PX,
    ImageInfo,
    check_image,
    inspect_output,
    read_picture,
    write_thumbnail,
)
from tests import pictures

HEIC = Path(__file__).with_name("upright_by_decoder.heic")
SQUARE = (THUMBNAIL_PX, THUMBNAIL_PX)
Writer = Callable[[Path], Path]


def thumbnail(path: Path) -> Image.Image:
    """The thumbnail by one decode, as an open picture."""
    image = Image.open(io.BytesIO(read_picture(path).thumbnail))
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", SQUARE)
    assert "icc_profile" not in image.info
    return image


def middle(path: Path) -> tuple[int, ...]:
    pixel = thumbnail(path).getpixel((THUMBNAIL_PX // 2, THUMBNAIL_PX // 2))
    assert isinstance(pixel, tuple)
    return pixel


def is_close(found: tuple[int, ...], expected: tuple[int, ...]) -> bool:
    return all(abs(a - b) <= 4 for a, b in zip(found, expected, strict=True))


def corners(path: Path, folder: Path) -> list[tuple[int, int, int]]:
    target = folder / "corners.png"
    thumbnail(path).save(target)
    return pictures.corner_colours(target)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("write", [pictures.write_jpeg, pictures.write_tiff])
def test_thumbnail_stands_upright(tmp_path: Path, write: Callable[..., Path], orientation: int) -> None:
    source = write(tmp_path / "photo", (900, 600), orientation=orientation)

    read = read_picture(source)

    assert (read.info.width, read.info.height) == (900, 600)
    assert pictures.colours_are_close(corners(source, tmp_path), pictures.CORNERS)


def write_progressive(path: Path) -> Path:
    pictures.quartered((800, 600)).save(path, "JPEG", progressive=True, quality=95)
    return path


def write_animated_webp(path: Path) -> Path:
    more = [Image.new("RGB", (64, 48))]
    pictures.quartered((64, 48)).save(path, "WEBP", save_all=True, append_images=more, lossless=True)
    return path


def write_animated_png(path: Path) -> Path:
    more = [Image.new("RGB", (64, 48))]
    pictures.quartered((64, 48)).save(path, "PNG", save_all=True, append_images=more)
    return path


@pytest.mark.parametrize(
    "write",
    [
        pictures.write_png,
        pictures.write_webp,
        pictures.write_bmp,
        pictures.write_gif,
        write_progressive,
        write_animated_webp,
        write_animated_png,
    ],
)
def test_thumbnail_shows_the_first_frame_of_every_format(tmp_path: Path, write: Writer) -> None:
    assert pictures.colours_are_close(corners(write(tmp_path / "a"), tmp_path), pictures.CORNERS)


def test_heic_is_read_upright_where_the_extra_is_installed(tmp_path: Path) -> None:
    """The sample is stored lying down, with an orientation that stands it up."""
    read = read_picture(HEIC)

    assert (read.info.mime_type, read.info.extension) == ("image/heic", ".heic")
    assert (read.info.width, read.info.height) == (48, 64)
    assert pictures.colours_are_close(corners(HEIC, tmp_path), pictures.CORNERS)
    assert {".heic", ".heif", ".hif"} < readable_extensions()


def test_heic_without_the_extra_is_refused_and_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "find_spec", lambda name: None)

    with pytest.raises(LibraryError, match="it is a HEIC picture") as caught:
        read_picture(HEIC)

    assert "extra `heic`" in (caught.value.hint or "")
    assert ".heic" not in readable_extensions()


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_half_copied_heic_is_refused(tmp_path: Path, kept: float) -> None:
    with pytest.raises(LibraryError, match="cannot be used"):
        read_picture(pictures.write_truncated(tmp_path / "half.heic", HEIC, kept=kept))


def test_printing_colours_become_the_red_that_was_meant(tmp_path: Path) -> None:
    red, green, blue = middle(pictures.write_cmyk_jpeg(tmp_path / "print.jpg"))

    assert red > 240
    assert max(green, blue) < 15


def test_grey_of_16_bits_keeps_its_brightness(tmp_path: Path) -> None:
    source = pictures.write_grey16_png(tmp_path / "deep.png", (900, 500), value=0x5A80)

    assert is_close(middle(source), (0x5A, 0x5A, 0x5A))


def test_transparent_part_of_a_palette_shows_the_grey_behind_it(tmp_path: Path) -> None:
    image = thumbnail(pictures.write_palette_png(tmp_path / "logo.png"))

    left, right = image.getpixel((40, 200)), image.getpixel((360, 200))
    assert isinstance(left, tuple)
    assert isinstance(right, tuple)
    assert is_close(left, pictures.RED)
    assert is_close(right, (96, 96, 96))


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_colour_profile_is_applied(tmp_path: Path, mode: str) -> None:
    source = tmp_path / "swapped.png"
    Image.new(mode, (500, 400), (255, 0, 0)).save(source, icc_profile=swapped_primaries_profile())

    red, green, _ = middle(source)

    assert green > 200
    assert red < 60


def swapped_primaries_profile() -> bytes:
    """sRGB with red and green exchanged, so that an applied profile cannot be overlooked."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = data.index(b"rXYZ"), data.index(b"gXYZ")
    data[red : red + 4], data[green : green + 4] = b"gXYZ", b"rXYZ"
    return bytes(data)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (12_000, 3), (3, 12_000), (1, 400), (399, 401)])
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_picture_of_any_shape_has_a_whole_thumbnail(tmp_path: Path, size: tuple[int, int], mode: str) -> None:
    Image.new(mode, size, 7).save(tmp_path / "odd.png")

    assert thumbnail(tmp_path / "odd.png").size == SQUARE


def test_thumbnail_shows_the_middle_of_a_wide_picture(tmp_path: Path) -> None:
    wide = Image.new("RGB", (4000, 400), pictures.BLUE)
    wide.paste(pictures.RED, (1790, 0, 2210, 400))
    wide.save(tmp_path / "wide.png")

    assert thumbnail(tmp_path / "wide.png").getpixel((2, 200)) != pictures.BLUE
    assert is_close(middle(tmp_path / "wide.png"), pictures.RED)


def test_picture_is_decoded_once_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pictures.write_jpeg(tmp_path / "a.jpg", (700, 500))
    decodes = []

    def counted(*values: object, **named: object) -> object:
        decodes.append(values)
        return decoding.decode(*values, **named)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(images, "decode", counted)

    read_picture(source)

    assert len(decodes) == 1


@pytest.mark.parametrize("write", [pictures.write_rotated_jpeg, pictures.write_palette_png])
def test_one_decode_tells_the_same_as_several(tmp_path: Path, write: Writer) -> None:
    source = write(tmp_path / "a")

    read = read_picture(source)

    write_thumbnail(source, tmp_path / "thumbnail.jpg")
    assert read.info == inspect_output(source)[0]
    found = corners(source, tmp_path)
    assert pictures.colours_are_close(found, tuple(pictures.corner_colours(tmp_path / "thumbnail.jpg")))


def write_large_jpeg(path: Path) -> Path:
    """Large enough to be decoded at a quarter of its size."""
    Image.effect_noise((1700, 1300), 80).convert("RGB").save(path, "JPEG", quality=40)
    return path


def write_large_progressive(path: Path) -> Path:
    Image.effect_noise((1700, 1300), 80).save(path, "JPEG", quality=40, progressive=True)
    return path


@pytest.mark.parametrize("write", [write_large_jpeg, write_large_progressive])
def test_photo_that_is_decoded_small_keeps_its_size(tmp_path: Path, write: Writer) -> None:
    assert read_picture(write(tmp_path / "a.jpg")).info == check_image(tmp_path / "a.jpg")


@pytest.mark.parametrize("write", [write_large_jpeg, write_large_progressive])
def test_cut_photo_is_refused_though_it_is_decoded_small(tmp_path: Path, write: Writer) -> None:
    data = write(tmp_path / "whole.jpg").read_bytes()
    path = tmp_path / "cut.jpg"

    for length in [*range(1, len(data), len(data) // 40), len(data) - 1000, len(data) - 20]:
        path.write_bytes(data[:length])
        with pytest.raises(LibraryError, match="cannot be used"):
            read_picture(path)


@given(place=st.integers(0, 10_000), value=st.integers(0, 255))
def test_damaged_photo_is_refused_or_read_as_when_it_is_decoded_whole(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int
) -> None:
    buffer = io.BytesIO()
    Image.effect_noise((880, 860), 60).resize((1760, 1720)).save(buffer, "JPEG", quality=10)
    data = bytearray(buffer.getvalue())
    data[place * 7919 % len(data) if place % 2 else place % 700] = value
    path = tmp_path_factory.getbasetemp() / "damaged.jpg"
    path.write_bytes(data)

    assert outcome(lambda: read_picture(path).info) == outcome(lambda: check_image(path))


def outcome(look: Callable[[], ImageInfo]) -> ImageInfo | str:
    try:
        return look()
    except LibraryError as error:
        return error.message


@pytest.mark.parametrize(
    "write", [pictures.write_bomb_png, pictures.write_bomb_webp, pictures.write_text, pictures.write_empty]
)
def test_bad_file_is_refused(tmp_path: Path, write: Writer) -> None:
    with pytest.raises(LibraryError, match="cannot be used") as caught:
        read_picture(write(tmp_path / "bad.jpg"))

    assert caught.value.code == "library.corrupt_image"
