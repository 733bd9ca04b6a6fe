"""Metadata goes in and out of image files, and the pixels do not notice."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hotfolder.errors import LibraryError
from hotfolder.files.container import read_metadata, splice_metadata

XMP = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"/><?xpacket end="w"?>'
OTHER_XMP = XMP.replace(b"/>", b"></x:xmpmeta>")
SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP_IN_JPEG = b"http://ns.adobe.com/xap/1.0/\0"


def picture(mode: str, size: tuple[int, int] = (23, 17)) -> Image.Image:
    noise = random.Random(7)
    if mode == "I;16":
        pixels = noise.randbytes(size[0] * size[1] * 2)
        return Image.frombytes("I;16", size, pixels)
    channels = 4 if mode == "RGBA" else 3
    image = Image.frombytes(
        mode if channels == 4 else "RGB", size, noise.randbytes(size[0] * size[1] * channels)
    )
    return image.quantize(16) if mode == "P" else image


def encoded(image: Image.Image, format_: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, format_, **options)
    return out.getvalue()


def pixels_of(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        return image.mode, image.size, image.tobytes()


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_with(*before_image: bytes, after_image: bytes = b"") -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0))
    image = chunk(b"IDAT", zlib.compress(b"\0\x7f"))
    return SIGNATURE + header + b"".join(before_image) + image + after_image + chunk(b"IEND")


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    """Every chunk as kind and body; the checksums are verified on the way."""
    found = []
    position = 8
    while position < len(data):
        (length,) = struct.unpack_from(">I", data, position)
        kind, body = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        assert data[position : position + 12 + length] == chunk(kind, body)
        found.append((kind, body))
        position += 12 + length
    return found


def webp_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    assert int.from_bytes(data[4:8], "little") == len(data) - 8
    found = []
    position = 12
    while position < len(data):
        kind, length = struct.unpack_from("<4sI", data, position)
        found.append((kind, data[position + 8 : position + 8 + length]))
        position += 8 + length + length % 2
    return found


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"".join(struct.pack("<4sI", k, len(p)) + p + b"\0" * (len(p) % 2) for k, p in chunks)
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def file_of(kind: str) -> bytes:
    match kind:
        case "png" | "png-rgba" | "png-palette" | "png-16-bit":
            modes = {"png": "RGB", "png-rgba": "RGBA", "png-palette": "P", "png-16-bit": "I;16"}
            return encoded(picture(modes[kind]), "PNG")
        case "jpeg":
            return encoded(picture("RGB"), "JPEG")
        case "jpeg-progressive":
            return encoded(picture("RGB"), "JPEG", progressive=True)
        case "webp-lossy":
            return encoded(picture("RGB"), "WEBP")
        case "webp-lossless":
            return encoded(picture("RGB"), "WEBP", lossless=True)
        case "webp-lossy-alpha":
            return encoded(picture("RGBA"), "WEBP")
        case "webp-lossless-alpha":
            return encoded(picture("RGBA"), "WEBP", lossless=True)
    raise AssertionError(kind)


PNGS = ["png", "png-rgba", "png-palette", "png-16-bit"]
WEBPS = ["webp-lossy", "webp-lossless", "webp-lossy-alpha", "webp-lossless-alpha"]
ALL = [*PNGS, "jpeg", "jpeg-progressive", *WEBPS]


@pytest.mark.parametrize("kind", ALL)
def test_splice_keeps_every_pixel_and_gives_the_packet_back(kind: str) -> None:
    before = file_of(kind)

    after = splice_metadata(before, xmp=XMP, texts={"parameters": "a cat"})

    assert pixels_of(after) == pixels_of(before)
    found = read_metadata(after)
    assert found.xmp == XMP
    assert found.format == kind.partition("-")[0]
    assert dict(found.texts) == ({"parameters": "a cat"} if kind.startswith("png") else {})


@pytest.mark.parametrize("kind", ALL)
def test_splicing_again_replaces_and_does_not_grow(kind: str) -> None:
    once = splice_metadata(file_of(kind), xmp=XMP, texts={"parameters": "a cat"})

    other = splice_metadata(once, xmp=OTHER_XMP, texts={"parameters": "☃"})
    back = splice_metadata(other, xmp=XMP, texts={"parameters": "a cat"})

    assert read_metadata(other).xmp == OTHER_XMP
    assert back == once


@pytest.mark.parametrize("kind", ALL)
def test_a_file_cut_anywhere_is_refused(kind: str) -> None:
    whole = splice_metadata(file_of(kind), xmp=XMP, texts={"parameters": "a cat"})

    for length in [*range(200), *range(200, len(whole), 7), len(whole) - 1]:
        with pytest.raises(LibraryError) as caught:
            read_metadata(whole[:length])
        assert caught.value.code == "library.corrupt_image"
        assert caught.value.hint
        with pytest.raises(LibraryError):
            splice_metadata(whole[:length], xmp=XMP, texts={})


@pytest.mark.parametrize("kind", ALL)
@settings(deadline=None)  # a busy machine is no fault
@given(seed=st.integers(0, 2**32))
def test_flipped_bytes_never_raise_anything_but_a_library_error(kind: str, seed: int) -> None:
    chance = random.Random(seed)
    data = bytearray(splice_metadata(TINY[kind], xmp=XMP, texts={"parameters": "a cat"}))
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(min(len(data), 400))] = chance.randrange(256)

    for act in (read_metadata, lambda it: splice_metadata(it, xmp=XMP, texts={"parameters": "x"})):
        try:
            act(bytes(data))
        except LibraryError as error:
            assert error.code == "library.corrupt_image"  # noqa: PT017 - both ends are promised


TINY = {kind: file_of(kind) for kind in ALL}


@pytest.mark.parametrize("kind", ALL)
def test_bytes_behind_the_image_are_kept(kind: str) -> None:
    after = splice_metadata(file_of(kind) + b"a film, perhaps", xmp=XMP, texts={})

    assert after.endswith(b"a film, perhaps")
    assert read_metadata(after).xmp == XMP


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"RIFF\x04\0\0\0WAVE", b"\x89PNG", b"prompt: a cat"])
def test_other_files_are_refused_with_a_hint(data: bytes) -> None:
    with pytest.raises(LibraryError) as caught:
        read_metadata(data)

    assert caught.value.code == "library.corrupt_image"
    assert caught.value.hint


# PNG


def test_pillow_reads_what_was_spliced_into_a_png() -> None:
    after = splice_metadata(file_of("png"), xmp=XMP, texts={"parameters": "a cat\nSteps: 4", "note": "☃ 猫"})

    with Image.open(io.BytesIO(after)) as image:
        assert image.info["parameters"] == "a cat\nSteps: 4"
        assert image.info["note"] == "☃ 猫"
        assert image.info["XML:com.adobe.xmp"] == XMP.decode()


def test_png_entries_come_before_the_image_data() -> None:
    kinds = [
        kind for kind, _ in png_chunks(splice_metadata(file_of("png"), xmp=XMP, texts={"a": "b", "c": "☃"}))
    ]

    assert kinds == [b"IHDR", b"tEXt", b"iTXt", b"iTXt", b"IDAT", b"IEND"]


def test_foreign_png_chunks_stay_as_they_are_in_their_order() -> None:
    foreign = [
        chunk(b"gAMA", struct.pack(">I", 45455)),
        chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b"{}")),
        chunk(b"tEXt", b"prompt\0{}"),
        chunk(b"prVt", b"\0\1\2"),
    ]
    late = chunk(b"tEXt", b"late\0word") + chunk(b"tIME", bytes(7))
    before = png_with(*foreign, after_image=late)

    after = splice_metadata(before, xmp=XMP, texts={"parameters": "a cat"})

    ours = {(b"tEXt", b"parameters\0a cat"), (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)}
    assert [found for found in png_chunks(after) if found not in ours] == png_chunks(before)
    assert read_metadata(after).texts == {
        "workflow": "{}",
        "prompt": "{}",
        "late": "word",
        "parameters": "a cat",
    }


def test_every_old_png_entry_of_the_keyword_is_replaced_wherever_it_stood() -> None:
    before = png_with(
        chunk(b"tEXt", b"parameters\0one"),
        chunk(b"zTXt", b"parameters\0\0" + zlib.compress(b"two")),
        after_image=chunk(b"iTXt", b"parameters\0\0\0\0\0three")
        + chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0old"),
    )

    after = splice_metadata(before, xmp=XMP, texts={"parameters": "four"})

    assert after == splice_metadata(png_with(), xmp=XMP, texts={"parameters": "four"})


def test_text_before_the_first_frame_of_an_animated_png_leaves_all_frames() -> None:
    frames = [picture("RGB"), picture("RGB").rotate(180)]
    before = encoded(frames[0], "PNG", save_all=True, append_images=frames[1:])

    after = splice_metadata(before, xmp=XMP, texts={})

    with Image.open(io.BytesIO(after)) as image:
        assert image.n_frames == 2
        image.seek(1)
        assert image.convert("RGB").tobytes() == frames[1].tobytes()


printable = "".join(map(chr, (*range(0x21, 0x7F), *range(0xA1, 0x100))))
keywords = st.text(printable, min_size=1, max_size=79).filter(lambda word: word != "XML:com.adobe.xmp")


@settings(deadline=None)  # a busy machine is no fault
@given(texts=st.dictionaries(keywords, st.text(), max_size=4), xmp=st.binary(max_size=50))
def test_any_text_in_a_png_comes_back(texts: dict[str, str], xmp: bytes) -> None:
    after = splice_metadata(png_with(), xmp=xmp, texts=texts)

    found = read_metadata(after)

    assert found.texts == texts
    assert found.xmp == xmp
    assert splice_metadata(after, xmp=xmp, texts=texts) == after


def test_a_text_that_latin1_cannot_hold_goes_into_an_international_entry() -> None:
    after = splice_metadata(png_with(), xmp=XMP, texts={"a": "\xe9", "b": "☃", "c": "x\0y"})

    entries = [(kind, body[:1]) for kind, body in png_chunks(after)]
    assert entries[1:4] == [(b"tEXt", b"a"), (b"iTXt", b"b"), (b"iTXt", b"c")]


def test_image_data_in_several_chunks_gets_the_entries_once() -> None:
    data = png_with()
    stream = zlib.compress(b"\0\x7f")
    halves = chunk(b"IDAT", stream[:3]) + chunk(b"IDAT", stream[3:])

    after = splice_metadata(data.replace(chunk(b"IDAT", stream), halves), xmp=XMP, texts={})

    assert [kind for kind, _ in png_chunks(after)] == [b"IHDR", b"iTXt", b"IDAT", b"IDAT", b"IEND"]
    assert pixels_of(after) == pixels_of(data)


def test_half_a_surrogate_pair_in_a_png_text_becomes_a_replacement_character() -> None:
    after = splice_metadata(png_with(), xmp=XMP, texts={"parameters": "a\ud83dcat"})

    assert read_metadata(after).texts == {"parameters": "a\ufffdcat"}


@pytest.mark.parametrize(
    "keyword", ["", "a" * 80, " lead", "trail ", "two  spaces", "☃", "a\0b", "XML:com.adobe.xmp"]
)
def test_a_keyword_that_png_forbids_is_refused(keyword: str) -> None:
    with pytest.raises(LibraryError) as caught:
        splice_metadata(png_with(), xmp=XMP, texts={keyword: "text"})

    assert caught.value.code == "library.bad_text_keyword"


def test_compressed_entries_are_inflated() -> None:
    data = png_with(
        chunk(b"zTXt", b"workflow\0\0" + zlib.compress(b"\xe9")),
        chunk(b"iTXt", b"note\0\1\0de\0Notiz\0" + zlib.compress("☃".encode())),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(XMP)),
    )

    found = read_metadata(data)

    assert found.texts == {"workflow": "é", "note": "☃"}
    assert found.xmp == XMP


def test_an_entry_that_inflates_beyond_the_limit_is_left_out() -> None:
    limit = 8 * 1024 * 1024
    data = png_with(
        chunk(b"zTXt", b"fits\0\0" + zlib.compress(bytes(limit))),
        chunk(b"zTXt", b"bomb\0\0" + zlib.compress(bytes(limit + 1))),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(limit + 1))),
        chunk(b"tEXt", b"after\0word"),
    )

    found = read_metadata(data)

    assert list(found.texts) == ["fits", "after"]
    assert found.xmp is None


def test_many_bombs_in_one_png_share_one_limit() -> None:
    bomb = zlib.compress(bytes(8 * 1024 * 1024))
    data = png_with(*(chunk(b"zTXt", b"bomb%d\0\0" % number + bomb) for number in range(200)))

    found = read_metadata(data)

    assert sum(map(len, found.texts.values())) == 64 * 1024 * 1024


@pytest.mark.parametrize(
    "odd",
    [
        chunk(b"tEXt", b""),
        chunk(b"tEXt", b"no separator"),
        chunk(b"tEXt", b"\0no keyword"),
        chunk(b"tEXt", b"k" * 80 + b"\0long keyword"),
        chunk(b"zTXt", b"note\0"),
        chunk(b"zTXt", b"note\0\1" + zlib.compress(b"unknown method")),
        chunk(b"zTXt", b"note\0\0not zlib"),
        chunk(b"zTXt", b"note\0\0" + zlib.compress(b"cut short")[:-6]),
        chunk(b"iTXt", b"note\0"),
        chunk(b"iTXt", b"note\0\0\0en"),
        chunk(b"iTXt", b"note\0\7\0\0\0unknown flag"),
    ],
)
def test_odd_png_entries_are_left_out(odd: bytes) -> None:
    found = read_metadata(png_with(odd, chunk(b"tEXt", b"good\0word")))

    assert found.texts == {"good": "word"}


def test_wrong_utf8_in_a_png_entry_does_not_hide_the_rest() -> None:
    found = read_metadata(png_with(chunk(b"iTXt", b"note\0\0\0\0\0a\xffb")))

    assert found.texts == {"note": "a\ufffdb"}


@pytest.mark.parametrize(
    "data",
    [
        SIGNATURE + struct.pack(">I", 0xFFFFFFFF) + b"IHDR" + bytes(100),
        SIGNATURE + struct.pack(">I", 0x7FFFFFFF) + b"IHDR" + bytes(100),
        SIGNATURE + bytes(1000),
        SIGNATURE + chunk(b"IDAT") + chunk(b"IEND"),
        SIGNATURE + chunk(b"IHDR", bytes(13)) + chunk(b"IEND"),
        SIGNATURE + chunk(b"IHDR", bytes(13)) + chunk(b"IHDR", bytes(13)) + chunk(b"IDAT") + chunk(b"IEND"),
        SIGNATURE + chunk(b"IHDR", bytes(13)) + chunk(b"IDAT"),
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xe0\0\0" + bytes(50),
        b"\xff\xd8\xff\xe0\0\1" + bytes(50),
        b"\xff\xd8\xff\xe0\xff\xff" + bytes(50),
        b"\xff\xd8" + b"\xff" * 100_000,
        b"\xff\xd8\xff\xd8\xff\xda\0\2\xff\xd9",
        b"\xff\xd8\xff\xda\0\0" + bytes(50) + b"\xff\xd9",
        b"\xff\xd8no marker",
        b"\xff\xd8\xff\xda\0\2" + b"\xff\0" * 1000,
        b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(50),
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\x0c\0\0\0WEBPVP8 \xff\xff\xff\xff",
        b"RIFF\x08\0\0\0WEBPVP8 \0\0\0\0",
        riff((b"EXIF", b"first")),
        riff((b"VP8X", bytes(10)), (b"EXIF", b"no image")),
    ],
)
def test_impossible_structures_are_refused(data: bytes) -> None:
    with pytest.raises(LibraryError) as reading:
        read_metadata(data)
    with pytest.raises(LibraryError) as splicing:
        splice_metadata(data, xmp=XMP, texts={})

    assert {reading.value.code, splicing.value.code} == {"library.corrupt_image"}


# JPEG


def test_the_jpeg_packet_stands_behind_jfif_and_exif_and_before_the_rest() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a cat"
    before = encoded(picture("RGB"), "JPEG", exif=exif, icc_profile=b"profile", comment=b"word", dpi=(72, 72))

    after = splice_metadata(before, xmp=XMP, texts={})

    length = len(XMP_IN_JPEG) + len(XMP) + 2
    segment = b"\xff\xe1" + length.to_bytes(2, "big") + XMP_IN_JPEG + XMP
    place = after.index(segment)
    assert after[:place] + after[place + len(segment) :] == before
    assert b"JFIF" in after[:place]
    assert b"Exif\0" in after[:place]
    assert b"ICC_PROFILE" not in after[:place]
    with Image.open(io.BytesIO(after)) as image:
        assert image.info["xmp"] == XMP
        assert image.getexif()[0x010E] == "a cat"


def test_a_jpeg_without_jfif_gets_the_packet_first() -> None:
    jpeg = file_of("jpeg")
    bare = jpeg[:2] + jpeg[4 + int.from_bytes(jpeg[4:6], "big") :]

    after = splice_metadata(bare, xmp=XMP, texts={})

    assert after.startswith(b"\xff\xd8\xff\xe1")
    assert after.endswith(bare[2:])


def test_old_jpeg_packets_and_their_extension_are_replaced() -> None:
    old = [XMP_IN_JPEG + b"old", b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 40, XMP_IN_JPEG + b"older"]
    segments = b"".join(b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body for body in old)
    jpeg = file_of("jpeg")
    before = jpeg[:2] + segments + jpeg[2:]

    assert splice_metadata(before, xmp=XMP, texts={}) == splice_metadata(jpeg, xmp=XMP, texts={})


def test_fill_bytes_before_a_jpeg_marker_are_kept() -> None:
    jpeg = file_of("jpeg")
    filled = jpeg[:2] + b"\xff\xff" + jpeg[2:]

    after = splice_metadata(filled, xmp=XMP, texts={})

    assert after.startswith(b"\xff\xd8\xff\xff\xff\xe0")
    assert pixels_of(after) == pixels_of(jpeg)


def test_the_largest_packet_fits_into_a_jpeg() -> None:
    after = splice_metadata(file_of("jpeg"), xmp=b"x" * 65502, texts={})

    assert read_metadata(after).xmp == b"x" * 65502
    assert pixels_of(after) == pixels_of(file_of("jpeg"))


def test_a_packet_too_large_for_a_jpeg_is_refused_with_the_limit() -> None:
    with pytest.raises(LibraryError, match="65502") as caught:
        splice_metadata(file_of("jpeg"), xmp=b"x" * 65503, texts={})

    assert caught.value.code == "library.xmp_too_large"
    assert caught.value.hint


# WebP


@pytest.mark.parametrize(
    ("kind", "image_kind", "alpha"),
    [
        ("webp-lossy", b"VP8 ", 0),
        ("webp-lossless", b"VP8L", 0),
        ("webp-lossless-alpha", b"VP8L", 0x10),
    ],
)
def test_a_simple_webp_becomes_an_extended_one(kind: str, image_kind: bytes, alpha: int) -> None:
    before = encoded(picture(("RGBA" if alpha else "RGB"), (300, 5)), "WEBP", lossless=image_kind == b"VP8L")
    ((found_kind, image),) = webp_chunks(before)
    assert found_kind == image_kind

    after = splice_metadata(before, xmp=XMP + b" " * (1 - len(XMP) % 2), texts={})

    header = bytes((0x04 | alpha, 0, 0, 0)) + (299).to_bytes(3, "little") + (4).to_bytes(3, "little")
    assert webp_chunks(after)[:2] == [(b"VP8X", header), (image_kind, image)]
    assert len(after) % 2 == 0
    with Image.open(io.BytesIO(after)) as opened:
        assert opened.size == (300, 5)
        assert opened.info["xmp"].startswith(XMP)


def test_the_scaling_hint_of_a_lossy_webp_is_no_part_of_its_size() -> None:
    before = bytearray(encoded(picture("RGB", (300, 5)), "WEBP"))
    before[27] |= 0x40  # the two top bits of the width

    (_, header), *_ = webp_chunks(splice_metadata(bytes(before), xmp=XMP, texts={}))

    assert header[4:7] == (299).to_bytes(3, "little")


def test_an_extended_webp_only_gets_the_flag_and_the_packet() -> None:
    exif = Image.Exif()
    exif[0x010E] = "a cat"
    before = encoded(picture("RGBA"), "WEBP", exif=exif, icc_profile=b"profile")
    (_, header), *rest = webp_chunks(before)

    after = splice_metadata(before, xmp=XMP, texts={})

    assert webp_chunks(after) == [(b"VP8X", bytes((header[0] | 0x04,)) + header[1:]), *rest, (b"XMP ", XMP)]
    assert header[0] & 0x04 == 0


def test_an_animated_webp_keeps_its_frames() -> None:
    frames = [picture("RGB"), picture("RGB").rotate(180)]
    before = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)

    after = splice_metadata(before, xmp=XMP, texts={})

    with Image.open(io.BytesIO(after)) as image:
        assert image.n_frames == 2
        image.seek(1)
        assert image.convert("RGB").tobytes() == frames[1].tobytes()


def test_a_webp_whose_last_padding_is_missing_is_padded() -> None:
    simple = file_of("webp-lossless")
    ((kind, image),) = webp_chunks(simple)
    odd = image if len(image) % 2 else image + b"\0"
    unpadded = riff((kind, odd))[:-1]
    unpadded = unpadded[:4] + (len(unpadded) - 8).to_bytes(4, "little") + unpadded[8:]

    after = splice_metadata(unpadded, xmp=XMP, texts={})

    assert [name for name, _ in webp_chunks(after)] == [b"VP8X", b"VP8L", b"XMP "]
    assert pixels_of(after) == pixels_of(simple)


@pytest.mark.parametrize(
    "payload",
    [
        (b"VP8 ", b"\1" + bytes(2) + b"\x9d\x01\x2a" + b"\5\0\5\0"),
        (b"VP8 ", bytes(3) + b"xxx" + b"\5\0\5\0"),
        (b"VP8 ", bytes(3) + b"\x9d\x01\x2a" + b"\0\0\5\0"),
        (b"VP8L", b"\x2e" + bytes(4)),
        (b"VP8L", b"\x2f"),
    ],
)
def test_a_webp_image_without_a_readable_header_is_not_extended(payload: tuple[bytes, bytes]) -> None:
    with pytest.raises(LibraryError) as caught:
        splice_metadata(riff(payload), xmp=XMP, texts={})

    assert caught.value.code == "library.corrupt_image"


def test_a_short_extended_webp_header_is_refused() -> None:
    with pytest.raises(LibraryError):
        splice_metadata(riff((b"VP8X", bytes(4)), (b"VP8L", bytes(9))), xmp=XMP, texts={})
