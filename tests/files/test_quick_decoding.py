"""What the extra `fast` decodes is what Pillow decodes, or it is left to Pillow."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import imagecodecs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from hotfolder.errors import LibraryError
from hotfolder.files import decoding, quick_decoding
from hotfolder.files.images import inspect_output, prepare_reference, read_picture
from tests import pictures

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SIZES = st.tuples(st.integers(1, 70), st.integers(1, 70))
MODES = st.sampled_from(["RGB", "RGBA"])


def saved(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def noise(size: tuple[int, int], mode: str) -> Image.Image:
    return Image.frombytes(mode, size, random.Random(7).randbytes(size[0] * size[1] * len(mode)))


def webp(size: tuple[int, int] = (24, 16)) -> bytes:
    return saved(noise(size, "RGB"), "WEBP", quality=60)


def png() -> bytes:
    return saved(noise((24, 16), "RGB"), "PNG")


def exif(orientation: int) -> bytes:
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags.tobytes()


def xmp(orientation: int) -> bytes:
    return f'<x:xmpmeta tiff:Orientation="{orientation}"/>'.encode()


def outcome(path: Path) -> tuple[object, ...]:
    """All that is known of a picture, or of its refusal."""
    try:
        picture = decoding.decode(path, max_pixels=1_000_000)
    except LibraryError as error:
        return error.code, error.message, error.hint
    image = picture.image
    pixels = (image.mode, image.size, image.tobytes(), image.has_transparency_data)
    return picture.kind.name, picture.size, picture.orientation, picture.icc_profile, *pixels


def outcome_without_extra(path: Path) -> tuple[object, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quick_decoding, "find_spec", lambda name: None)
        return outcome(path)


def is_quick(path: Path) -> bool:
    """Is it decoded by the extra?"""
    with path.open("rb") as stream:
        candidate = quick_decoding.read_candidate(stream)
    if candidate is None:
        return False
    with suppress(LibraryError):
        return quick_decoding.decode_quickly(Image.open(candidate), candidate.getvalue()) is not None
    return False


def check_same(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert outcome(path) == outcome_without_extra(path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "picture"


@given(size=SIZES, mode=MODES, lossless=st.booleans(), quality=st.integers(0, 100), exact=st.booleans())
def test_webp_of_any_size_and_quality_has_the_pixels_that_pillow_finds(
    tmp_path_factory: pytest.TempPathFactory,
    size: tuple[int, int],
    mode: str,
    lossless: bool,
    quality: int,
    exact: bool,
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.webp"
    data = saved(noise(size, mode), "WEBP", lossless=lossless, quality=quality, exact=exact, method=0)

    check_same(path, data)

    assert is_quick(path) == (len(data) >= 32)  # shorter ones are not worth it


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("lossless", [True, False])
def test_metadata_of_a_webp_counts(path: Path, mode: str, lossless: bool) -> None:
    picture = noise((33, 21), mode)
    for options in (
        {"exif": exif(6)},
        {"xmp": xmp(8)},
        {"icc_profile": PROFILE},
        {"exif": exif(3), "icc_profile": PROFILE},
    ):
        check_same(path, saved(picture, "WEBP", lossless=lossless, **options))
        assert is_quick(path)


def animated(image_format: str) -> Callable[[], bytes]:
    first = noise((24, 16), "RGBA")
    more = [first.transpose(Image.Transpose.ROTATE_180)]
    return lambda: saved(first, image_format, save_all=True, append_images=more, duration=40)


def with_alpha_that_is_not_announced() -> bytes:
    data = bytearray(saved(noise((24, 16), "RGBA"), "WEBP", quality=50))
    assert data[12:16] == b"VP8X"
    data[20] &= ~0x10
    return bytes(data)


@pytest.mark.parametrize("write", [animated("PNG"), animated("WEBP"), with_alpha_that_is_not_announced, png])
def test_what_is_seldom_or_odd_is_left_to_pillow(path: Path, write: Callable[[], bytes]) -> None:
    check_same(path, write())

    assert not is_quick(path)


def wholes() -> dict[str, bytes]:
    picture = noise((24, 16), "RGBA")
    more = {"exif": exif(6), "icc_profile": PROFILE[:200]}
    return {
        "lossy WebP": saved(picture.convert("RGB"), "WEBP", quality=60),
        "lossy WebP with alpha": saved(picture, "WEBP", quality=60, **more),
        "lossless WebP": saved(picture, "WEBP", lossless=True, **more),
    }


@pytest.mark.parametrize("name", wholes())
def test_picture_that_was_cut_anywhere_is_refused_as_ever(path: Path, name: str) -> None:
    whole = wholes()[name]
    for length in range(1, len(whole)):
        if length < 64 or length > len(whole) - 64 or length % 7 == 0:
            check_same(path, whole[:length])


@pytest.mark.parametrize("name", wholes())
def test_data_behind_the_picture_change_nothing(path: Path, name: str) -> None:
    check_same(path, wholes()[name] + bytes(range(100)))

    assert is_quick(path)


@given(
    name=st.sampled_from(sorted(wholes())),
    places=st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 255)), min_size=1, max_size=3),
)
def test_damaged_picture_is_refused_or_read_as_ever(
    tmp_path_factory: pytest.TempPathFactory, name: str, places: list[tuple[int, int]]
) -> None:
    data = bytearray(wholes()[name])
    for place, flipped in places:
        data[place % len(data)] ^= flipped

    check_same(tmp_path_factory.getbasetemp() / "flipped", bytes(data))


@pytest.mark.parametrize("name", wholes())
def test_thumbnail_identity_and_reference_are_the_same_with_and_without_the_extra(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path.write_bytes(wholes()[name])

    def results() -> tuple[object, ...]:
        target = tmp_path / "reference"
        size = prepare_reference(path, target)
        return read_picture(path), inspect_output(path), size, target.read_bytes()

    with_extra = results()
    monkeypatch.setattr(quick_decoding, "find_spec", lambda name: None)
    assert results() == with_extra


@pytest.mark.parametrize("fault", [RuntimeError("bad"), ImportError("broken"), MemoryError(), ValueError()])
def test_pillow_decodes_what_the_extra_fails_to(
    path: Path, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    path.write_bytes(webp())
    expected = outcome_without_extra(path)

    def fail(*args: object, **options: object) -> None:
        raise fault

    monkeypatch.setattr(imagecodecs, "webp_decode", fail)
    assert outcome(path) == expected


def test_pixels_of_another_size_than_claimed_are_left_to_pillow(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(webp())
    expected = outcome_without_extra(path)
    other = imagecodecs.webp_decode(webp((16, 24)), hasalpha=True)
    monkeypatch.setattr(imagecodecs, "webp_decode", lambda data, hasalpha: other)

    assert outcome(path) == expected


def test_claimed_size_is_checked_before_anything_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_decoding, "decode_quickly", lambda image, data: pytest.fail("decoded"))
    for path in (pictures.write_bomb_png(tmp_path / "a"), pictures.write_bomb_webp(tmp_path / "b")):
        with pytest.raises(LibraryError, match="more than the limit"):
            decoding.decode(path, max_pixels=decoding.MAX_PIXELS)


def test_large_file_is_not_read_into_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(webp())
    monkeypatch.setattr(quick_decoding, "MOST_BYTES", path.stat().st_size - 1)

    with path.open("rb") as stream:
        assert quick_decoding.read_candidate(stream) is None
        assert stream.tell() == 0
