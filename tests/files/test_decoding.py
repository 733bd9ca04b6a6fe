"""What is accepted as a picture, and why the rest is not."""

from __future__ import annotations

import io
import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from hotfolder.errors import LibraryError
from hotfolder.files.images import check_image, inspect_output
from tests import pictures

Writer = Callable[[Path], Path]


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (pictures.write_png, ("PNG", "image/png", ".png", "RGB")),
        (pictures.write_grey_png, ("PNG", "image/png", ".png", "L")),
        (pictures.write_palette_png, ("PNG", "image/png", ".png", "P")),
        (pictures.write_rgba_png, ("PNG", "image/png", ".png", "RGBA")),
        (pictures.write_jpeg, ("JPEG", "image/jpeg", ".jpg", "RGB")),
        (pictures.write_cmyk_jpeg, ("JPEG", "image/jpeg", ".jpg", "CMYK")),
        (pictures.write_webp, ("WEBP", "image/webp", ".webp", "RGB")),
        (pictures.write_tiff, ("TIFF", "image/tiff", ".tif", "RGB")),
        (pictures.write_gif, ("GIF", "image/gif", ".gif", "P")),
        (pictures.write_bmp, ("BMP", "image/bmp", ".bmp", "RGB")),
    ],
)
def test_good_picture_is_known_by_its_content_not_by_its_name(
    tmp_path: Path, write: Writer, expected: tuple[str, str, str, str]
) -> None:
    path = write(tmp_path / "picture.dat")

    info = check_image(path)

    assert (info.format, info.mime_type, info.extension, info.mode) == expected
    assert (info.width, info.height) == (64, 48)


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (pictures.write_empty, "the file is empty"),
        (pictures.write_text, "it is text, not a picture"),
        (pictures.write_truncated_jpeg, "it ends early"),
        (pictures.write_bomb_png, "it claims 60000 x 60000 pixels, more than the limit of 178,956,970"),
        (pictures.write_bomb_webp, "it claims 16000 x 16000 pixels, more than the limit of 178,956,970"),
        (pictures.write_text_bomb_png, "its text or metadata is too large"),
    ],
)
def test_bad_picture_is_refused_with_the_reason_in_plain_words(
    tmp_path: Path, write: Writer, reason: str
) -> None:
    path = write(tmp_path / "picture.png")

    with pytest.raises(LibraryError) as caught:
        check_image(path)

    assert caught.value.code == "library.corrupt_image"
    assert caught.value.message.startswith(f"picture.png cannot be used: {reason}")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF picture"),
        (b"\0\0\0\x20ftypisom\0\0\2\0", "a video"),
        (b"PK\x03\x04\x14\0\0\0", "a ZIP archive"),
    ],
)
def test_file_of_another_kind_is_called_by_its_name(tmp_path: Path, head: bytes, name: str) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(head + bytes(range(256)))

    with pytest.raises(LibraryError, match=f"it is {name}, which is not read here"):
        check_image(path)


def test_format_that_is_not_on_the_list_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    Image.new("RGB", (8, 8)).save(path, "PCX")

    with pytest.raises(LibraryError, match="not a picture of a known format"):
        check_image(path)


@pytest.mark.parametrize("write", [pictures.write_png, pictures.write_jpeg, pictures.write_webp])
def test_half_copied_picture_is_refused_wherever_it_was_cut(tmp_path: Path, write: Writer) -> None:
    data = write(tmp_path / "whole").read_bytes()
    path = tmp_path / "cut"

    for length in range(1, len(data) - 2, max(1, len(data) // 60)):
        path.write_bytes(data[:length])
        with pytest.raises(LibraryError) as caught:
            check_image(path)
        assert caught.value.code == "library.corrupt_image"


def test_png_that_lost_only_its_last_chunk_is_refused(tmp_path: Path) -> None:
    path = pictures.write_png(tmp_path / "a.png")
    path.write_bytes(path.read_bytes()[:-12])

    with pytest.raises(LibraryError, match="it ends early"):
        check_image(path)


def test_png_with_other_data_behind_it_is_accepted(tmp_path: Path) -> None:
    path = pictures.write_png(tmp_path / "a.png")
    path.write_bytes(path.read_bytes() + bytes(10_000))

    assert check_image(path).format == "PNG"


def test_picture_with_damaged_pixels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.effect_noise((64, 64), 60).save(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)

    with pytest.raises(LibraryError) as caught:
        check_image(path)

    assert "damaged" in caught.value.message or "ends early" in caught.value.message


@given(
    place=st.integers(0, 10_000),
    value=st.integers(0, 255),
    kind=st.sampled_from(["PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP"]),
)
def test_no_damage_raises_anything_but_a_refusal(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, kind: str
) -> None:
    buffer = io.BytesIO()
    pictures.quartered((24, 16)).save(buffer, kind)
    data = bytearray(buffer.getvalue())
    data[place % len(data)] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(data)

    with suppress(LibraryError):
        assert check_image(path).width > 0


def test_claimed_size_is_checked_against_the_callers_limit(tmp_path: Path) -> None:
    path = pictures.write_png(tmp_path / "a.png", (64, 48))

    with pytest.raises(LibraryError, match="64 x 48 pixels, more than the limit of 3,071"):
        check_image(path, max_pixels=3071)

    assert check_image(path, max_pixels=3072).width == 64


def test_whole_photo_with_damaged_metadata_is_not_refused(tmp_path: Path) -> None:
    many = pictures.write_tiff(tmp_path / "a.tif")
    data = bytearray(many.read_bytes())
    entry = data.index(b"\x12\x01\x03\x00")  # orientation, a short ...
    data[entry + 4 : entry + 8] = (100_000).to_bytes(4, "little")  # ... that claims 100,000 values
    many.write_bytes(data)
    cut = pictures.write_jpeg(tmp_path / "b.jpg", orientation=6)
    data = bytearray(cut.read_bytes())
    entry = data.index(b"\x01\x12\x00\x03")  # the same in a JPEG, big-endian
    data[entry - 2 : entry] = (900).to_bytes(2, "big")  # its directory claims 900 entries
    cut.write_bytes(data)
    junk = pictures.write_png(tmp_path / "c.png")
    data = bytearray(junk.read_bytes())
    chunk = b"eXIf" + b"II*\0\xff\xff\xff\x7f"
    data[33:33] = (8).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    junk.write_bytes(data)

    for path in (many, cut, junk):
        assert {check_image(path).width, check_image(path).height} == {64, 48}


def test_large_tiff_is_taken_like_every_other_format(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    Image.new("1", (11_648, 8_736)).save(path, compression="group4")

    assert check_image(path).width == 11_648


def test_picture_that_is_far_too_large_for_its_pixels_is_not_read_into_memory(tmp_path: Path) -> None:
    path = pictures.write_webp(tmp_path / "a.webp")
    os.truncate(path, 65 * 1024 * 1024)

    with pytest.raises(LibraryError, match=r"68,157,440 bytes are too many for a picture of its kind"):
        check_image(path)


def test_missing_picture_is_reported_as_missing_not_as_corrupt(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check_image(tmp_path / "gone.png")


def test_picture_with_a_name_that_is_not_utf8_is_read_and_named(tmp_path: Path) -> None:
    good = pictures.write_png(tmp_path / "caf\udce9.png")
    bad = pictures.write_empty(tmp_path / "leer\udce9.png")

    assert check_image(good).width == 64
    with pytest.raises(LibraryError) as caught:
        check_image(bad)
    assert caught.value.message.encode("utf-8").startswith(b"leer?.png")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("write", [pictures.write_jpeg, pictures.write_tiff])
def test_size_is_told_as_displayed(tmp_path: Path, write: Callable[..., Path], orientation: int) -> None:
    path = write(tmp_path / "photo", (64, 48), orientation=orientation)

    info = check_image(path)

    assert (info.width, info.height) == (64, 48)


def test_many_threads_decode_at_once_without_disturbing_each_other(tmp_path: Path) -> None:
    good = pictures.write_rotated_jpeg(tmp_path / "good.jpg", (300, 400))
    expected = inspect_output(good)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(inspect_output, [good] * 24))

    assert answers == [expected] * 24
