"""What the extra `fast` decodes is what Pillow decodes, or it is left to Pillow."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import imagecodecs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from hotfolder.errors import LibraryError
from hotfolder.files import decoding, quick_decoding
from hotfolder.files.images import inspect_output, prepare_reference, read_picture
from hotfolder.files.png_container import SIGNATURE, build_chunk
from tests import pictures

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SIZES = st.tuples(st.integers(1, 70), st.integers(1, 70))
MODES = st.sampled_from(["RGB", "RGBA"])
END = build_chunk(b"IEND", b"")


def header(size: tuple[int, int], mode: str, *, bits: int = 8, interlace: int = 0) -> bytes:
    colour = {"RGB": 2, "RGBA": 6}[mode]
    return build_chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, interlace))


def rows(size: tuple[int, int], mode: str, filters: Iterable[int], pixels: bytes) -> bytes:
    """Filtered rows, as a decoder has to undo them."""
    width = size[0] * len(mode)
    kinds = list(filters)
    return b"".join(
        bytes((kinds[y % len(kinds)],)) + pixels[y * width : (y + 1) * width] for y in range(size[1])
    )


def png(size: tuple[int, int], mode: str, body: bytes, *, before: bytes = b"", behind: bytes = b"") -> bytes:
    """A file of a deflated body in two pieces."""
    half = len(body) // 2
    pieces = build_chunk(b"IDAT", body[:half]) + build_chunk(b"IDAT", body[half:])
    return SIGNATURE + header(size, mode) + before + pieces + behind + END


def noise_png(mode: str = "RGB", *, before: bytes = b"", behind: bytes = b"") -> bytes:
    raw = rows((24, 16), mode, range(5), bytes(range(256)) * 6)
    return png((24, 16), mode, zlib.compress(raw), before=before, behind=behind)


def saved(image: Image.Image, image_format: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def noise(size: tuple[int, int], mode: str) -> Image.Image:
    return Image.frombytes(mode, size, random.Random(7).randbytes(size[0] * size[1] * len(mode)))


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


@given(size=SIZES, mode=MODES, filters=st.lists(st.integers(0, 4), min_size=1, max_size=9), data=st.data())
def test_png_of_any_size_and_filters_has_the_pixels_that_pillow_finds(
    tmp_path_factory: pytest.TempPathFactory,
    size: tuple[int, int],
    mode: str,
    filters: list[int],
    data: st.DataObject,
) -> None:
    path = tmp_path_factory.getbasetemp() / "filtered"
    seed = data.draw(st.binary(min_size=1, max_size=64))
    count = size[0] * size[1] * len(mode)
    pixels = (seed * (count // len(seed) + 1))[:count]
    level = data.draw(st.sampled_from([0, 1, 9]))

    check_same(path, png(size, mode, zlib.compress(rows(size, mode, filters, pixels), level)))

    assert is_quick(path)


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


CHUNKS = {
    "nothing": b"",
    "gamma": build_chunk(b"gAMA", struct.pack(">I", 100_000)),
    "odd gamma": build_chunk(b"gAMA", bytes(4)),
    "sRGB": build_chunk(b"sRGB", b"\1"),
    "chromaticities": build_chunk(b"cHRM", struct.pack(">8I", *range(1, 9))),
    "profile": build_chunk(b"iCCP", b"it\0\0" + zlib.compress(PROFILE)),
    "damaged profile": build_chunk(b"iCCP", b"it\0\0rubbish"),
    "significant bits": build_chunk(b"sBIT", bytes((5, 6, 5))),
    "background": build_chunk(b"bKGD", bytes(6)),
    "palette": build_chunk(b"PLTE", bytes(range(30))),
    "orientation": build_chunk(b"eXIf", exif(6)),
    "orientation as ImageMagick has it": build_chunk(
        b"zTXt",
        b"Raw profile type exif\0\0" + zlib.compress(b"\nexif\n  26\n" + exif(8).hex().encode()),
    ),
    "orientation in XMP": build_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp(5)),
    "damaged orientation": build_chunk(b"eXIf", exif(6)[:12]),
    "text": build_chunk(b"tEXt", b"Comment\0hello"),
    "private": build_chunk(b"prVt", b"hello"),
}


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("name", CHUNKS)
def test_metadata_of_a_png_counts_before_and_behind_the_pixels(path: Path, name: str, mode: str) -> None:
    for data in (noise_png(mode, before=CHUNKS[name]), noise_png(mode, behind=CHUNKS[name])):
        check_same(path, data)
        assert is_quick(path)


def test_orientation_and_profile_are_read_where_no_pixels_were_decoded_by_pillow(path: Path) -> None:
    behind = CHUNKS["orientation"] + CHUNKS["profile"]
    path.write_bytes(noise_png(behind=behind))

    picture = decoding.decode(path, max_pixels=1_000_000)

    assert (picture.orientation, picture.icc_profile) == (6, PROFILE)


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


def with_key_colour() -> bytes:
    return noise_png(before=build_chunk(b"tRNS", bytes(6)))


def with_key_colour_behind_the_pixels() -> bytes:
    return noise_png(behind=build_chunk(b"tRNS", bytes(6)))


def of_16_bits() -> bytes:
    body = build_chunk(b"IDAT", zlib.compress(bytes(4 * (1 + 4 * 6))))
    return SIGNATURE + header((4, 4), "RGB", bits=16) + body + END


def interlaced() -> bytes:
    body = build_chunk(b"IDAT", zlib.compress(bytes(1 + 3)))
    return SIGNATURE + header((1, 1), "RGB", interlace=1) + body + END


def with_palette() -> bytes:
    return saved(noise((24, 16), "RGB").quantize(9), "PNG")


def animated(image_format: str) -> Callable[[], bytes]:
    first = noise((24, 16), "RGBA")
    more = [first.transpose(Image.Transpose.ROTATE_180)]
    return lambda: saved(first, image_format, save_all=True, append_images=more, duration=40)


def with_a_critical_stranger() -> bytes:
    return noise_png(before=build_chunk(b"ABCD", b"hello"))


def with_split_pixels() -> bytes:
    body = zlib.compress(rows((24, 16), "RGB", [1], bytes(24 * 16 * 3)))
    pieces = [build_chunk(b"IDAT", body[:9]), CHUNKS["text"], build_chunk(b"IDAT", body[9:])]
    return SIGNATURE + header((24, 16), "RGB") + b"".join(pieces) + END


def of_two_headers() -> bytes:
    return noise_png(before=header((12, 8), "RGB"))


def with_alpha_that_is_not_announced() -> bytes:
    data = bytearray(saved(noise((24, 16), "RGBA"), "WEBP", quality=50))
    assert data[12:16] == b"VP8X"
    data[20] &= ~0x10
    return bytes(data)


@pytest.mark.parametrize(
    "write",
    [
        with_key_colour,
        with_key_colour_behind_the_pixels,
        of_16_bits,
        interlaced,
        with_palette,
        animated("PNG"),
        animated("WEBP"),
        with_a_critical_stranger,
        with_split_pixels,
        of_two_headers,
        with_alpha_that_is_not_announced,
    ],
)
def test_what_is_seldom_or_odd_is_left_to_pillow(path: Path, write: Callable[[], bytes]) -> None:
    check_same(path, write())

    assert not is_quick(path)


def wholes() -> dict[str, bytes]:
    picture = noise((24, 16), "RGBA")
    more = {"exif": exif(6), "icc_profile": PROFILE[:200]}
    behind = CHUNKS["orientation"] + CHUNKS["text"]
    return {
        "RGB PNG": noise_png(before=CHUNKS["gamma"], behind=behind),
        "RGBA PNG": noise_png("RGBA", behind=behind),
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


@given(
    mode=MODES,
    place=st.integers(0, 2000),
    flipped=st.integers(0, 255),
    lost=st.integers(-20, 20),
    strategy=st.sampled_from([zlib.Z_DEFAULT_STRATEGY, zlib.Z_FIXED, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE]),
    filters=st.lists(st.integers(0, 5), min_size=1, max_size=20),
)
def test_damaged_pixels_below_right_checksums_are_refused_or_read_as_ever(
    tmp_path_factory: pytest.TempPathFactory,
    mode: str,
    place: int,
    flipped: int,
    lost: int,
    strategy: int,
    filters: list[int],
) -> None:
    packer = zlib.compressobj(strategy=strategy)
    raw = rows((9, 40), mode, filters, bytes(range(180)) * 8)
    body = bytearray(packer.compress(raw[: len(raw) - lost * 3 if lost > 0 else None]) + packer.flush())
    body[place % len(body)] ^= flipped
    if lost < 0:
        del body[lost:]

    check_same(tmp_path_factory.getbasetemp() / "mended", png((9, 40), mode, bytes(body)))


@pytest.mark.parametrize("kind", [b"IHDR", b"IDAT", b"tEXt", b"IEND"])
def test_wrong_checksum_of_a_png_counts_as_ever(path: Path, kind: bytes) -> None:
    for data in (noise_png(before=CHUNKS["text"]), noise_png(behind=CHUNKS["text"])):
        place = data.index(kind) - 4
        (length_bytes,) = struct.unpack_from(">I", data, place)
        wrong = bytearray(data)
        wrong[place + 8 + length_bytes] ^= 1
        check_same(path, bytes(wrong))


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
    path.write_bytes(noise_png())
    expected = outcome_without_extra(path)

    def fail(*args: object, **options: object) -> None:
        raise fault

    monkeypatch.setattr(imagecodecs, "png_decode", fail)
    assert outcome(path) == expected


def test_pixels_of_another_size_than_claimed_are_left_to_pillow(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(noise_png())
    expected = outcome_without_extra(path)
    other = imagecodecs.png_decode(saved(noise((16, 24), "RGB"), "PNG"))
    monkeypatch.setattr(imagecodecs, "png_decode", lambda data: other)

    assert outcome(path) == expected


def test_claimed_size_is_checked_before_anything_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick_decoding, "decode_quickly", lambda image, data: pytest.fail("decoded"))
    for path in (pictures.write_bomb_png(tmp_path / "a"), pictures.write_bomb_webp(tmp_path / "b")):
        with pytest.raises(LibraryError, match="more than the limit"):
            decoding.decode(path, max_pixels=decoding.MAX_PIXELS)


def test_large_file_is_not_read_into_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(noise_png())
    monkeypatch.setattr(quick_decoding, "MOST_BYTES", path.stat().st_size - 1)

    with path.open("rb") as stream:
        assert quick_decoding.read_candidate(stream) is None
        assert stream.tell() == 0


def test_many_chunks_are_left_to_pillow(path: Path) -> None:
    many = b"".join([CHUNKS["text"]] * 20_001)

    check_same(path, noise_png(behind=many))

    assert not is_quick(path)


def test_texts_of_a_png_do_not_keep_it_from_being_read_quickly(path: Path) -> None:
    info = PngInfo()
    info.add_itxt("parameters", "a fox, ☃", zip=True)
    info.add_text("Comment", "hello", zip=True)

    check_same(path, saved(noise((24, 16), "RGB"), "PNG", pnginfo=info))

    assert is_quick(path)
